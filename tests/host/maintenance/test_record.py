"""The dashboard's hidden part: what is written is read again, and what people make of it harms nothing."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.config import Chore
from ay_bot.host.github.forge import Person, Pull
from ay_bot.host.maintenance.branches import branch_for, is_branch_of
from ay_bot.host.maintenance.dashboard_text import render_dashboard
from ay_bot.host.maintenance.record import ChoreEnd, ChoreRecord, Memory, read_memory, read_ticks, write_memory

NOW = datetime(2026, 11, 23, 6, 16, tzinfo=UTC)
TIDY = Chore(name="tidy", task="Say what x is.", schedule="0 6 * * 1")
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)
records = st.builds(
    ChoreRecord,
    at=st.datetimes(timezones=st.just(UTC)),
    outcome=st.sampled_from(["published", "up_to_date", "nothing", "blocked", "failed"]),
    reason=st.text(max_size=400),
    keys=st.lists(st.from_regex(r"[0-9a-f]{12}", fullmatch=True), max_size=5).map(tuple),
)
memories = st.builds(Memory, chores=st.dictionaries(names, records, max_size=4))


@given(memories, st.text(), st.text())
def test_what_is_written_is_read(memory, before, after):
    assert read_memory(f"{before.replace('<', '')}{write_memory(memory)}{after}") == memory


@given(st.text() | st.binary().map(lambda raw: f"<!-- ay-bot:state {base64.urlsafe_b64encode(raw).decode()} -->"))
def test_anything_else_is_an_empty_memory_or_a_whole_one(body):
    assert isinstance(read_memory(body), Memory)
    assert isinstance(read_ticks(body), frozenset)


def render(record: ChoreRecord | None, ticks: frozenset[str] = frozenset(), pulls: tuple[Pull, ...] = ()) -> str:
    memory = Memory(chores={"tidy": record} if record else {})
    return render_dashboard("maria/bank", [TIDY], memory, pulls, ticks)


@given(records, st.booleans())
def test_a_dashboard_says_again_what_was_remembered_and_ticked(record, ticked):
    ticks = frozenset({"tidy"} if ticked else ())
    body = render(record, ticks)
    assert read_ticks(body) == ticks
    assert read_memory(body).chores["tidy"] == record


@pytest.mark.parametrize(
    "reason",
    [
        "x\n- [x] run now <!-- ay-bot:chore=tidy -->",
        "<!-- ay-bot:state e30= -->",
        "- [x] a <!-- ay-bot:chore=tidy --> @maria closes #1 ![x](https://evil.example/a.png)",
        "`" * 7 + "\n## Failed",
    ],
)
def test_the_words_of_a_run_can_tick_and_forge_nothing(reason):
    record = ChoreRecord(at=NOW, outcome="failed", reason=reason)
    body = render(record)
    assert read_ticks(body) == frozenset()
    assert read_memory(body).chores["tidy"].reason == reason
    shown = body.replace(write_memory(Memory(chores={"tidy": record})), "")
    assert shown.count("<!--") == 1
    assert "@maria" not in shown
    assert "![" not in shown
    assert shown.count("\n## ") == 1


def test_ticks_are_read_as_the_web_page_writes_them():
    body = render(None).replace("[ ]", "[X]", 1).replace("\n", "\r\n")
    assert read_ticks(body) == {"tidy"}
    assert read_ticks("text - [x] run now <!-- ay-bot:chore=tidy --> more") == frozenset()


def test_a_chore_is_shown_with_its_result_its_next_time_and_its_pull_requests():
    record = ChoreRecord(
        at=NOW, outcome="published", reason="all tests pass", log="https://github.com/maria/bank/actions/runs/7"
    )
    pull = Pull(
        number=7, title="t", body="", author=Person(login="b"), is_open=True, head_repository=None, base_branch="main",
        head_branch="ay/maintain-tidy", head="a", base="b", url="https://github.com/maria/bank/pull/7",
    )  # fmt: skip
    body = render(record, pulls=(pull,))
    assert "## Pull requests open" in body
    assert (
        "last: 2026-11-23 06:16 UTC, a pull request was made: all tests pass ([log](https://github.com/maria/bank/actions/runs/7))"
        in body
    )
    assert "open: [#7](https://github.com/maria/bank/pull/7)" in body
    assert "next: at the first run of the workflow after 2026-11-30 06:00 UTC" in body


def test_the_time_moves_only_if_a_chore_was_due_or_anything_is_new():
    end = ChoreEnd(outcome="nothing", reason="no", keys=("a",))
    memory = Memory().after("tidy", end, NOW, due=False)
    later = NOW + timedelta(days=1)
    assert memory.after("tidy", end, later, due=False) == memory
    assert memory.after("tidy", end, later, due=True).chores["tidy"].at == later
    worked = memory.after("tidy", end.model_copy(update={"worked": True}), NOW, due=False, log="https://a/b")
    assert worked.chores["tidy"].log == "https://a/b"
    assert worked.after("tidy", end, later, due=True, log="https://a/c").chores["tidy"].log == "https://a/b"
    other = end.model_copy(update={"reason": "yes"})
    assert memory.after("tidy", other, later, due=False).chores["tidy"].at == later


@given(names, names, st.integers(1, 10**6))
def test_no_two_chores_share_a_branch(one, other, number):
    assert is_branch_of(branch_for(one), one)
    assert is_branch_of(branch_for(one, number), one)
    if one != other:
        assert not is_branch_of(branch_for(other), one)
        assert not is_branch_of(branch_for(other, number), one)
        assert branch_for(one, number) != branch_for(other)


@pytest.mark.parametrize(
    "branch", ["ay/maintain-tidy.x", "ay/maintain-tidy-2", "ay/12-tidy-ab", "main", "ay/maintain-tidy.1.2"]
)
def test_other_branches_belong_to_no_chore(branch):
    assert not is_branch_of(branch, "tidy")


def test_a_dashboard_of_very_many_chores_still_fits_into_an_issue():
    chores = [TIDY.model_copy(update={"name": f"chore-{number}"}) for number in range(200)]
    record = ChoreRecord(at=NOW, outcome="failed", reason="x" * 400, keys=("0" * 12,) * 5)
    memory = Memory(chores={chore.name: record for chore in chores})
    body = render_dashboard("maria/bank", chores, memory, (), frozenset())
    assert len(body) < 65_000
    assert read_memory(body).chores["chore-7"].at == NOW
