"""What was said on a thread and when it was last changed, and where a branch was at a moment."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.github.api import GithubForge, open_forge
from ay_bot.host.github.api_pushes import PushAnswer, head_before
from ay_bot.host.github.api_request import Pace
from ay_bot.host.github.credentials import Token
from tests.loopback_github.server import LoopbackGitHub

QUICK = Pace(between_writes=0, backoff=0.01, timeout=5)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository("maria/bank", {"bank.py": "balance = 0\n"})
    return loopback_github


@pytest.fixture
def forge(github: LoopbackGitHub) -> Iterator[GithubForge]:
    token = Token.of(github.add_actions_token())
    with open_forge("maria/bank", token, api_url=github.api_url, graphql_url=github.graphql_url, pace=QUICK) as made:
        yield made


def a_pull_request(github: LoopbackGitHub) -> None:
    github.push("work", {"bank.py": "balance = 1\nfee = 2\n"})
    github.open_pull(head="work")


# ---------------------------------------------------------------------- comments


def test_an_issue_has_comments(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.add_user("otto", association="COLLABORATOR")
    github.open_issue()
    github.comment(1, "Second", login="ay-bot[bot]", at=NOON + HOUR)
    first = github.comment(1, "First", login="otto", at=NOON)
    found = forge.comments(1)
    assert [(one.body, one.kind, one.created, one.edited) for one in found] == [
        ("First", "comment", NOON, None), ("Second", "comment", NOON + HOUR, None),
    ]  # fmt: skip
    assert (found[0].id, found[0].author.login, found[0].author.association) == (first.id, "otto", "COLLABORATOR")
    assert (found[0].author.bot, found[1].author.bot) == (False, True)


def test_a_pull_request_has_three_kinds_in_one_order(forge: GithubForge, github: LoopbackGitHub) -> None:
    a_pull_request(github)
    github.review(1, "Not yet", state="CHANGES_REQUESTED", at=NOON + HOUR)
    github.comment(1, "Please look", at=NOON)
    github.review_comment(1, "Which currency?", path="bank.py", line=2, at=NOON + 2 * HOUR)
    found = [one for one in forge.comments(1) if one.body]
    assert [(one.kind, one.body) for one in found] == [
        ("comment", "Please look"), ("review", "Not yet"), ("review_comment", "Which currency?"),
    ]  # fmt: skip
    assert found[1].state == "CHANGES_REQUESTED"
    assert (found[2].path, found[2].line, found[2].commit) == ("bank.py", 2, github.branch("work"))
    assert "+fee = 2" in found[2].hunk


def test_a_known_thread_is_read_with_as_few_requests_as_it_has_kinds(
    forge: GithubForge, github: LoopbackGitHub
) -> None:
    a_pull_request(github)
    github.open_issue()
    github.comment(1, "x")
    github.comment(2, "x")
    forge.comments(1)
    assert forge.requests == 4
    forge.comments(1)
    assert forge.requests == 7
    forge.issue(2)
    forge.comments(2)
    assert forge.requests == 9


def test_at_06_an_edit_is_dated_by_graphql_and_a_mere_update_is_none(
    forge: GithubForge, github: LoopbackGitHub
) -> None:
    github.open_issue()
    edited = github.comment(1, "Harmless", at=NOON)
    github.edit_comment(edited.id, "Evil", at=NOON + HOUR)
    touched = github.comment(1, "Minimised", at=NOON)
    touched.updated = NOON + HOUR
    forge.issue(1)
    found = {one.body: one.edited for one in forge.comments(1)}
    assert found == {"Evil": NOON + HOUR, "Minimised": None}
    assert forge.requests == 3


def test_at_06_without_graphql_an_update_counts_as_an_edit(forge: GithubForge, github: LoopbackGitHub) -> None:
    a_pull_request(github)
    comment = github.comment(1, "Harmless", at=NOON)
    github.edit_comment(comment.id, "Evil", at=NOON + HOUR)
    github.review(1, "Whoever knows when", at=NOON)
    github.fail("POST", "graphql", "forbidden", times=9)
    begin = datetime.now(UTC)
    found = {one.body: one.edited for one in forge.comments(1)}
    assert found["Evil"] == NOON + HOUR
    review = found["Whoever knows when"]
    assert review
    assert review >= begin


def test_at_06_a_review_that_was_edited_is_dated(forge: GithubForge, github: LoopbackGitHub) -> None:
    a_pull_request(github)
    review = github.review(1, "Harmless", at=NOON)
    github.review(1, "Untouched", at=NOON)
    github.edit_comment(review.id, "Evil", at=NOON + HOUR)
    assert {one.body: one.edited for one in forge.comments(1)} == {"Evil": NOON + HOUR, "Untouched": None}


def test_two_hundred_edits_are_asked_about_in_two_questions(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.open_issue()
    for number in range(120):
        github.edit_comment(github.comment(1, "x", at=NOON).id, str(number), at=NOON + HOUR)
    found = forge.comments(1)
    assert {one.edited for one in found} == {NOON + HOUR}
    assert len(github.asked("POST", "graphql")) == 2


def test_a_comment_of_an_account_that_is_gone(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.open_issue()
    github.comment(1, "x", login="ghost")
    assert forge.comments(1)[0].author.login == "ghost"


# ---------------------------------------------------------------------- pushes


def test_at_07_the_head_of_a_moment_is_of_githubs_record(forge: GithubForge, github: LoopbackGitHub) -> None:
    first = github.push("work", {"bank.py": "1\n"}, at=NOON)
    second = github.push("work", {"bank.py": "2\n"}, at=NOON + HOUR)
    github.push("work", {"bank.py": "3\n"}, at=NOON + 2 * HOUR)
    github.open_pull(head="work")
    pull = forge.pull(1)
    asked = forge.requests
    assert forge.head_at(pull, NOON + 1.5 * HOUR) == second
    assert forge.head_at(pull, NOON + HOUR) == first
    assert forge.head_at(pull, NOON + 3 * HOUR) == pull.head
    assert forge.head_at(pull, NOON) is None
    assert forge.requests - asked == 4


def test_at_07_a_record_that_can_not_be_read_says_nothing(forge: GithubForge, github: LoopbackGitHub) -> None:
    a_pull_request(github)
    pull = forge.pull(1)
    github.fail("GET", "activity", "not-found")
    assert forge.head_at(pull, NOON) is None
    assert forge.head_at(pull.model_copy(update={"head_repository": None}), NOON) is None
    assert forge.head_at(pull.model_copy(update={"head": "0" * 40}), datetime.now(UTC) + HOUR) is None


MOMENTS = st.integers(0, 5).map(lambda hours: NOON + hours * HOUR)


@given(st.lists(MOMENTS, max_size=6).map(lambda times: sorted(times, reverse=True)), MOMENTS, st.integers(0, 6))
def test_at_07_what_came_at_or_after_the_moment_is_never_the_head(
    times: list[datetime], moment: datetime, gap: int
) -> None:
    count = len(times)
    pushes = [
        PushAnswer(before=f"{count - n - 1 or 9}", after=f"{count - n}", ref="r", timestamp=time)
        for n, time in enumerate(times)
    ]
    found = head_before(pushes, str(count), moment)
    late = [push.after for push in pushes if push.timestamp >= moment]
    assert found not in late
    if 0 < gap < len(pushes):
        broken = [*pushes[:gap], pushes[gap].model_copy(update={"after": "x"}), *pushes[gap + 1 :]]
        assert head_before(broken, str(count), moment) in ({None} if gap < len(late) else {found})
