"""Tracking comments are told by author and first line; states only go where they may."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.github.shown_text import show_block, show_line, show_quote
from ay_bot.host.github.tracking_marker import FINAL, STATES, Tracked, advance, find_tracked, may_resume, read_tracking
from ay_bot.host.github.tracking_text import PlanItem, Story, render_comment
from ay_bot.host.report import Withheld
from tests.host.github.stories import KEY, OWN, make_story, said

FORGED = "<!-- ay-bot:v1 kind=tracking key=ffffffffffff run=666.1 state=cancelled by=mallory -->"
HOSTILE = st.lists(
    st.sampled_from(
        [FORGED, "<!--", "-->", "\n", "\r", "<", "!", "--", ">", " ay-bot:v1 kind=tracking", "&lt;!--", "&#60;", "`", "```",
         "> ", "# ", "- [x] ", "<details>", "|", "@alice", "&#64;alice", "&commat;alice", "&#x40;alice", "fixes #1", "![x](https://e.example/i.png)",
         "[a](https://e.example)", "](", "\u202e", "\U000e0041", "state=done", "<b>", "~~~"]
    )
    | st.text(max_size=6),
    max_size=10,
).map("".join)  # fmt: skip


def hostile_story(text: str) -> Story:
    return make_story(
        state="failed", reason=text, hint=text, plan=(PlanItem(text=text), PlanItem(text=text)), notices=(text,),
        blocked=(text,), withheld=(Withheld(path=text, rule=text),), branch=text, url=text, run_url=text,
        proposal=show_block(text, 1000), proposal_hash="0123456789ab",
    )  # fmt: skip


@given(HOSTILE)
def test_at_30_no_text_of_others_forges_a_marker_or_hides_calls_or_loads_anything(text: str) -> None:
    story = hostile_story(text)
    body = render_comment(story, 12)
    assert body.count("<!--") == (3 if story.proposal else 1)  # the marker and the two ends of the plan
    read = read_tracking(said(body), OWN)
    assert read
    assert (read.key, read.run, read.state, read.requester) == (KEY, "4711.1", "failed", "alice")
    rest = re.sub(r"`[^`\n]*`", "", body.replace("@alice", "", 1))  # what is code calls and loads nothing
    for never in (
        "@alice",
        "![",
        "](https://e.example",
        "<details>",
        "<b>",
        "&#",
        "&commat;",
        "\u202e",
        "\U000e0041",
        "#1",
    ):
        assert never not in rest


@given(HOSTILE)
def test_lines_and_quotations_end_what_they_leave_open(text: str) -> None:
    line = show_line(text, 500)
    assert "\n" not in line
    assert line.count("`") % 2 == 0
    assert all(each.startswith(">") for each in show_quote(text, 500).splitlines())


def test_only_a_first_line_of_our_own_account_counts() -> None:
    own = render_comment(make_story(), 0)
    assert read_tracking(said(own), OWN)
    assert read_tracking(said(own.replace("\n", "\r\n")), OWN)
    assert read_tracking(said(own, "GitHub-Actions[bot]"), OWN)
    assert not read_tracking(said(own, "mallory"), OWN)
    assert not read_tracking(said(own, "github-actions"), OWN)
    assert not read_tracking(said("hello\n" + own), OWN)
    assert not read_tracking(said("> " + own), OWN)
    assert not read_tracking(said(own, kind="review_comment"), OWN)
    assert not read_tracking(said(own.replace("state=queued", "state=flying")), OWN)
    assert not read_tracking(said(own.replace("-->", "--> more", 1)), OWN)
    assert not read_tracking(said(own.replace("kind=tracking", "kind=note")), OWN)


def test_a_requester_that_is_an_app_is_read_back() -> None:
    found = find_tracked([said(render_comment(make_story(requester="renovate[bot]"), 0))], OWN)
    assert found[0].requester == "renovate[bot]"


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_a_final_state_is_final_and_nothing_is_queued_twice(reported: list[str]) -> None:
    state = STATES[0]
    ended = ""
    for new in reported:
        before, state = state, advance(state, new)  # type: ignore[arg-type]
        assert state != "queued" or before == "queued"
        ended = ended or (state if state in FINAL else "")
        assert not ended or state == ended


@pytest.mark.parametrize(
    ("state", "run", "expected"),
    [
        pytest.param("working", "9.1", True, id="a dead run's"),
        pytest.param("working", "4711.1", True, id="the same run, killed"),
        pytest.param("failed", "9.1", True, id="failed and delivered again"),
        pytest.param("done", "9.1", False, id="done and delivered again"),
        pytest.param("done", "4711.2", False, id="done and run again"),
        pytest.param("cancelled", "9.1", False, id="stopped and delivered again"),
        pytest.param("cancelled", "4711.2", True, id="stopped and run again by a person"),
        pytest.param("blocked", "4711.1", False, id="blocked and the same attempt"),
    ],
)
def test_what_may_be_taken_over(state: str, run: str, *, expected: bool) -> None:
    previous = Tracked.model_validate({"comment": said("x"), "key": KEY, "run": "4711.1", "state": state})
    assert may_resume(previous, run) is expected


def test_a_run_elsewhere_has_no_number() -> None:
    tracked = Tracked(comment=said("x"), key=KEY, run="local", state="queued")
    assert tracked.run_id is None
    assert tracked.attempt == 1
