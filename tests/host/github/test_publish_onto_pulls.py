"""Publishing for a request on a pull request: onto its branch, stacked on it, or as a patch."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ay_bot.errors import HeadMoved
from ay_bot.host.config import Publishing
from ay_bot.host.github.destination import at_base, choose_destination
from ay_bot.host.github.earlier import find_earlier
from ay_bot.host.github.publication import Attached, NewBranch, OntoPull
from ay_bot.host.github.snapshot import take_snapshot
from ay_bot.protocol.outputs import OutputType
from tests.host.github.publishing import BOT, Place, ask, onto, open_place, refused, start, succeeded
from tests.loopback_github.server import LoopbackGitHub

ALL: tuple[OutputType, ...] = ("create_pull_request", "push_to_own_branch", "comment")
ALICE = ("Alice", "alice@users.noreply.github.com")


@contextmanager
def on_pull(
    github: LoopbackGitHub, directory: Path, *, branch: str = "feature", fork: str = "", **request
) -> Iterator[Place]:
    """A request on alice's pull request."""
    start(github)
    repository = github.fork(fork).full_name if fork else "maria/bank"
    head = github.push(branch, {"docs/b.md": "b\n"}, repository=repository, author=ALICE)
    pull = github.open_pull(
        "A feature", head=branch, login=fork or "alice", head_repository=repository, repository="maria/bank"
    )
    facts = {
        "thread": "pull_request", "number": pull.number, "title": "A feature", "head": head, "head_branch": branch,
        "base": github.branches("maria/bank")["main"], "base_branch": "main", "head_repository": repository,
        "event": "pull_request_review", "comment_kind": "review",
    }  # fmt: skip
    with open_place(github, directory, clone_at="" if fork else head, **{**facts, **request}) as place:
        yield place


def where(place: Place, outputs: tuple[OutputType, ...] = ALL):
    facts = place.forge.facts()
    return choose_destination(
        place.request, take_snapshot(place.request, place.forge, facts), facts, place.forge.own_login(), outputs
    )


def test_a_commit_on_its_branch(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path) as place:
        target = where(place)
        assert target == onto(place, 2, "feature")
        done = succeeded(place.publish(destination=target))
        assert (done.pull, done.branch, done.created) == (2, "feature", True)
        assert place.github.branch("feature") == done.commit
        assert place.github.commits("feature")[0]["parents"] == [place.base]
        assert len(place.github.pulls()) == 1
        (told,) = place.github.comments(2)
        assert told.body.startswith("<!-- ay-bot:v1 kind=proof")
        assert "## How this was verified" in told.body
        assert "Closes" not in told.body
        assert [(s["sha"], s["state"]) for s in place.github.repository().statuses] == [(done.commit, "success")]
        assert "feature" in place.github.branches()


def test_delivered_again_nothing_is_added(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path) as place:
        target = where(place)
        done = succeeded(place.publish(destination=target))
        end = place.end()
        for _ in range(4):
            assert succeeded(find_earlier(place.request, place.forge, Publishing())).commit == done.commit  # type: ignore[arg-type]
            assert not succeeded(place.publish(destination=target)).created
        assert place.end() == end


def test_at_07_a_push_after_the_request_is_not_overwritten(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path) as place:
        target = where(place)
        theirs = place.github.push("feature", {"docs/c.md": "c\n"}, author=ALICE)
        outcome = refused(place.publish(destination=target))
        assert "is at" in outcome.reason
        assert place.github.branch("feature") == theirs
        assert "git apply" in place.github.comments(2)[0].body


@pytest.mark.parametrize("commits", ["api", "git"])
def test_a_push_in_the_last_moment_is_not_overwritten(
    loopback_github: LoopbackGitHub, tmp_path: Path, commits: str
) -> None:
    pushed: list[str] = []

    class Late:
        def __init__(self, target) -> None:
            self.target = target

        def __getattr__(self, name: str):
            if name in ("commit_on_branch", "push") and not pushed:
                pushed.append(loopback_github.push("feature", {"docs/c.md": "c\n"}, author=ALICE))
            return getattr(self.target, name)

    with on_pull(loopback_github, tmp_path) as place:
        late = place.with_forge(Late(place.forge), Late(place.remote))
        refused(late.publish(destination=where(place), settings=Publishing(commits=commits)))  # type: ignore[arg-type]
        assert place.github.branch("feature") == pushed[0]
        assert len(place.github.comments(2)) == 1


def test_stacked_where_the_settings_keep_us_off_others_branches(
    loopback_github: LoopbackGitHub, tmp_path: Path
) -> None:
    with on_pull(loopback_github, tmp_path) as place:
        target = where(place, ("create_pull_request",))
        assert target == NewBranch(branch=place.branch, base=place.base, base_branch="feature")
        succeeded(place.publish(destination=target))
        assert [(p.head_branch, p.base_branch) for p in place.github.pulls()][1:] == [(place.branch, "feature")]
        assert "About #2." in (place.github.pulls()[1].body or "")


def test_stacked_where_the_branch_is_protected(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path) as place:
        place.github.repository().protected.add("feature")
        done = succeeded(place.publish(destination=where(place)))
        assert "I may not push to feature" in done.notes[0]
        assert (done.branch, place.github.pulls()[1].base_branch) == (place.branch, "feature")
        again = succeeded(place.publish(destination=where(place)))
        assert (again.pull, len(place.github.pulls())) == (done.pull, 2)
        assert succeeded(find_earlier(place.request, place.forge, Publishing())).pull == done.pull  # type: ignore[arg-type]


def test_never_onto_the_default_branch(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path) as place:
        place.github.push("release", {"docs/r.md": "r\n"})
        pull = place.github.open_pull("Back", head="main", base="release")
        main = place.github.branches()["main"]
        request = ask(
            thread="pull_request", number=pull.number, event="pull_request_review", head=main, head_branch="main",
            base=place.github.branches()["release"], base_branch="release", head_repository="maria/bank",
        )  # fmt: skip
        facts = place.forge.facts()
        target = choose_destination(request, take_snapshot(request, place.forge, facts), facts, BOT, ALL)
        assert isinstance(target, NewBranch)
        assert target.base_branch == "main"


def test_a_fork_gets_the_patch_and_its_commits_stay_out(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path, fork="mallory", author="mallory") as place:
        target = where(place)
        assert isinstance(target, Attached)
        assert "fork" in target.reason
        before = place.github.branches()
        on_main = target.model_copy(update={"base": place.base})
        outcome = refused(place.publish(destination=on_main))
        assert place.github.branches() == before
        (said,) = place.github.comments(2)
        assert outcome.comment.endswith(str(said.id))
        assert "there is no pull request: the pull request comes from a fork" in said.body
        assert "+    return a + b" in said.body
        refused(place.publish(destination=on_main))
        assert len(place.github.comments(2)) == 1


def test_a_fork_that_is_gone_gets_the_patch(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path, head_repository="") as place:
        assert isinstance(where(place), Attached)


def test_closed_meanwhile(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_pull(loopback_github, tmp_path) as place:
        target = where(place)
        place.github.close(2)
        assert "closed in the meantime" in refused(place.publish(destination=target)).reason
        assert place.github.branch("feature") == place.base


def test_without_leave_to_open_pull_requests_an_issue_gets_the_patch(
    loopback_github: LoopbackGitHub, tmp_path: Path
) -> None:
    with open_place(loopback_github, tmp_path / "run") as place:
        target = where(place, ("comment",))
        assert isinstance(target, Attached)
        assert "create_pull_request" in target.reason
        assert isinstance(where(place), NewBranch)


# ------------------------------------------------------------------------------------------- our own pull requests


@contextmanager
def on_own_pull(github: LoopbackGitHub, directory: Path, **request) -> Iterator[Place]:
    """A request on the pull request that a first request made."""
    with open_place(github, directory / "first") as first:
        done = succeeded(first.publish())
    facts = {
        "thread": "pull_request", "number": done.pull, "title": "fix: add", "author": BOT, "comment": 100,
        "head": done.commit, "head_branch": done.branch, "base": first.base, "base_branch": "main",
        "head_repository": "maria/bank", "event": "pull_request_review_comment", "comment_kind": "review_comment",
    }  # fmt: skip
    with open_place(github, directory / "second", clone_at=done.commit, **{**facts, **request}) as place:
        yield place


def test_a_follow_up_continues_the_branch(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_own_pull(loopback_github, tmp_path) as place:
        assert find_earlier(place.request, place.forge, Publishing()) is None
        target = where(place)
        assert isinstance(target, OntoPull)
        done = succeeded(place.publish({"calc.py": "add = sum\n"}, (), destination=target))
        assert len(place.github.pulls()) == 1
        assert [c["sha"] for c in place.github.commits(done.branch)] == [done.commit, place.base]
        assert succeeded(find_earlier(place.request, place.forge, Publishing())).commit == done.commit  # type: ignore[arg-type]


def test_a_follow_up_stops_where_a_person_pushed(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_own_pull(loopback_github, tmp_path) as place:
        branch = place.request.head_branch
        theirs = place.github.push(branch, {"docs/c.md": "c\n"}, author=ALICE)
        outcome = refused(find_earlier(place.request, place.forge, Publishing()))  # type: ignore[arg-type]
        assert f"alice pushed to {branch}" in outcome.reason
        rebase = place.request.model_copy(update={"verb": "rebase", "head": theirs})
        assert find_earlier(rebase, place.forge, Publishing()) is None
        explain = place.request.model_copy(update={"verb": "explain"})
        assert find_earlier(explain, place.forge, Publishing()) is None


def test_retry_on_our_own_starts_anew_on_another_branch(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with on_own_pull(loopback_github, tmp_path, verb="retry") as place:
        target = where(place)
        assert isinstance(target, NewBranch)
        assert (target.base_branch, target.base) == ("main", place.request.base)
        assert target.branch != place.request.head_branch


@pytest.mark.parametrize("branch", ["ay/7-x-00000000"])
def test_a_persons_pull_request_from_such_a_branch_is_theirs(
    loopback_github: LoopbackGitHub, tmp_path: Path, branch: str
) -> None:
    with on_pull(loopback_github, tmp_path, branch=branch, verb="retry") as place:
        assert isinstance(where(place), OntoPull)


# ------------------------------------------------------------------------------------------- two jobs


def test_the_second_job_publishes_on_the_commit_that_the_first_worked_on(
    loopback_github: LoopbackGitHub, tmp_path: Path
) -> None:
    with open_place(loopback_github, tmp_path / "run") as place:
        place.github.push("main", {"docs/z.md": "z\n"})
        target = at_base(where(place), place.base)
        done = succeeded(place.publish(destination=target))
        assert place.github.commits(done.branch)[0]["parents"] == [place.base]


def test_at_44_a_bundle_cannot_choose_a_base_that_the_branch_does_not_hold(
    loopback_github: LoopbackGitHub, tmp_path: Path
) -> None:
    start(loopback_github)
    elsewhere = loopback_github.push("elsewhere", {"docs/z.md": "evil\n"}, author=ALICE)
    with open_place(loopback_github, tmp_path / "run", clone_at=elsewhere) as place:
        outcome = refused(place.publish(destination=at_base(where(place), elsewhere)))
        assert "no longer holds" in outcome.reason
        assert place.branch not in place.github.branches()


def test_a_pull_request_that_moved_between_the_jobs_takes_nothing(
    loopback_github: LoopbackGitHub, tmp_path: Path
) -> None:
    with on_pull(loopback_github, tmp_path) as place, pytest.raises(HeadMoved):
        at_base(where(place), "0" * 40)
