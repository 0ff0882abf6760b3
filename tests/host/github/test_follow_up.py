import pytest

from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.github.authorship import author_for, find_others, read_trailers, request_of, sign
from ay_bot.host.github.follow_up import is_own_pull, judge_follow_up
from ay_bot.host.github.forge import Commit
from ay_bot.host.github.publication import occasion_of
from tests.host.github.publishing import BOT, RUN, ask

MESSAGE = sign(CommitMessage(subject="fix: add"), occasion_of(ask(), run_url=RUN)).text
KEY = ask().key


def commit(message: str = MESSAGE, author: str | None = BOT, committer: str | None = "web-flow") -> Commit:
    return Commit(sha="c" * 40, tree="t" * 40, message=message, author=author, committer=committer)


@pytest.mark.parametrize(
    ("author", "committer"), [(BOT, "web-flow"), (BOT, BOT), (BOT.upper(), "web-flow"), (None, None), (BOT, None)]
)
def test_ours(author: str | None, committer: str | None) -> None:
    assert request_of(commit(author=author, committer=committer), BOT) == KEY


@pytest.mark.parametrize(
    ("author", "committer"),
    [
        ("alice", "web-flow"),
        (BOT, "alice"),
        ("alice", BOT),
        ("web-flow", "web-flow"),
        (None, "alice"),
        ("dependabot[bot]", BOT),
    ],
)
def test_not_ours_by_its_accounts(author: str | None, committer: str | None) -> None:
    assert request_of(commit(author=author, committer=committer), BOT) is None


@pytest.mark.parametrize(
    "message",
    ["fix: add", f"fix: add\n\nAy-Request: {KEY}\n\nAnd more words.", f"fix: add\n\nAs in Ay-Request: {KEY}", ""],
)
def test_not_ours_without_our_trailers_at_the_end(message: str) -> None:
    assert request_of(commit(message), BOT) is None


def test_others_are_named_once() -> None:
    commits = (
        commit(), commit(author="alice"), commit(author="alice", committer="alice"), commit("x", author=None, committer=None),
        commit("x"),
    )  # fmt: skip
    assert find_others(commits, BOT) == ("alice", f"commit {'c' * 12}")


def test_trailers() -> None:
    trailers = read_trailers(MESSAGE)
    assert (trailers["Requested-by"], trailers["Ay-Run"], trailers["Ay-Request"]) == ("alice", RUN, KEY)
    evil = ask(requester="alice\nAy-Request: 000000000000")
    assert "000000000000" not in sign(CommitMessage(subject="fix: add"), occasion_of(evil)).text
    assert read_trailers(MESSAGE.replace("\n", "\r\n"))["Ay-Request"] == KEY


def test_the_author_is_an_account_that_github_knows() -> None:
    assert author_for(BOT) == (BOT, f"41898282+{BOT}@users.noreply.github.com")
    assert author_for("ay").email == "ay@users.noreply.github.com"


def test_what_is_our_own_pull_request() -> None:
    on_pull = ask(thread="pull_request", author=BOT)
    assert is_own_pull(on_pull, "ay/1-x-00000000", BOT)
    assert not is_own_pull(on_pull, "feature", BOT)
    assert not is_own_pull(on_pull.model_copy(update={"author": "alice"}), "ay/1-x-00000000", BOT)
    assert not is_own_pull(ask(author=BOT), "ay/1-x-00000000", BOT)


@pytest.mark.parametrize(
    ("verb", "stops"), [("fix", True), (None, True), ("rebase", False), ("retry", False), ("review", False)]
)
def test_a_persons_commit_stops_what_writes(verb: str | None, stops: bool) -> None:
    theirs = (commit(), commit(author="alice"))
    refusal = judge_follow_up(ask(verb=verb), "ay/1-x", theirs, BOT)
    assert (refusal is not None) is stops
    assert judge_follow_up(ask(verb=verb), "ay/1-x", (commit(),), BOT) is None
    assert judge_follow_up(ask(verb=verb), "ay/1-x", (), BOT) is None
