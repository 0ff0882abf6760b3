"""Publishing on the loopback GitHub: the whole of it, once, however often it is tried."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ay_bot.errors import GithubFailed, NotAllowed
from ay_bot.host.config import Publishing
from ay_bot.host.github.authorship import read_trailers
from ay_bot.host.github.earlier import find_earlier
from ay_bot.host.github.publication import Attached, NewBranch
from ay_bot.host.publisher import Proposal
from ay_bot.host.report import PullRequest
from tests.host.github.publishing import (
    BOT,
    FIX,
    MESSAGE,
    OTHER_FIX,
    RUN,
    Place,
    check,
    open_place,
    refused,
    succeeded,
)
from tests.loopback_github.server import LoopbackGitHub

PERSON = ("Alice", "alice@users.noreply.github.com")
DRESSED = Publishing(labels=("ay",), reviewers=("maria",), assignees=("alice",))


@pytest.fixture
def place(loopback_github: LoopbackGitHub, tmp_path: Path) -> Iterator[Place]:
    with open_place(loopback_github, tmp_path / "run") as made:
        yield made


def test_a_new_pull_request(place: Place) -> None:
    done = succeeded(place.publish(settings=DRESSED))
    assert (done.created, done.notes, done.draft) == (True, (), False)
    (pull,) = place.github.pulls()
    assert (pull.login, pull.head_branch, pull.base_branch, pull.draft) == (BOT, place.branch, "main", False)
    assert (pull.labels, pull.reviewers, pull.assignees) == (["ay"], ["maria"], ["alice"])
    (commit,) = place.github.commits(place.branch)
    assert (commit["sha"], commit["parents"]) == (done.commit, [place.base])
    assert place.github.file("calc.py", place.branch) == FIX["calc.py"].encode()
    assert place.github.file("old.py", place.branch) is None
    assert done.commit in place.github.repository().signed
    (status,) = place.github.repository().statuses
    assert (status["context"], status["state"], status["sha"]) == ("ay-bot/verified", "success", done.commit)
    assert status["description"] == "all tests pass, 1 fixed"
    assert not place.github.comments(1)
    assert place.forge.requests <= 13
    print(f"{place.forge.requests} requests")


def test_after_a_look_nothing_is_asked_twice(place: Place) -> None:
    assert find_earlier(place.request, place.forge, Publishing()) is None
    before = place.forge.requests
    succeeded(place.publish(looked=True))
    assert before <= 3
    assert place.forge.requests - before <= 8
    print(f"{before} requests before the work, {place.forge.requests - before} after it")


def test_the_text_says_who_asked_and_what_it_closes(place: Place) -> None:
    succeeded(place.publish(starts_ci=False))
    (pull,) = place.github.pulls()
    assert pull.title == "fix: add"
    assert f"Asked for by @alice, made in [this run]({RUN}). Closes #1." in pull.body
    assert "CI does not start by itself here" in pull.body
    assert "## How this was verified" in pull.body
    trailers = read_trailers(place.github.commits(place.branch)[0]["message"])
    tree = place.tree(place.branch)
    assert trailers["Requested-by"] == "alice"
    assert trailers["Ay-Run"] == RUN
    assert trailers["Ay-Request"] == place.request.key
    assert trailers["Ay-Verified"] == f"{tree} all tests pass, 1 fixed"


@pytest.mark.parametrize(("draft", "expected"), [("always", True), ("never", False), ("auto", False)])
def test_a_draft_where_the_settings_say_so(place: Place, draft: str, expected: bool) -> None:
    succeeded(place.publish(settings=Publishing(draft=draft)))
    assert [pull.draft for pull in place.github.pulls()] == [expected]


def test_a_change_of_guarded_files_is_a_draft(place: Place) -> None:
    assert succeeded(place.publish({**FIX, "pyproject.toml": "[project]\n"})).draft
    assert "Why this is a draft" in (place.github.pulls()[0].body or "")


def test_five_deliveries_make_one_of_each(place: Place) -> None:
    first = succeeded(place.publish(settings=DRESSED))
    end = place.end()
    place.github.forget_requests()
    for _ in range(4):
        again = succeeded(place.publish(settings=DRESSED))
        assert (again.commit, again.pull, again.created) == (first.commit, first.pull, False)
        found = find_earlier(place.request, place.forge, DRESSED)
        assert (succeeded(found).commit, found.created) == (first.commit, False)  # type: ignore[arg-type, union-attr]
    assert place.end() == end
    assert not [request for request in place.github.requests if request.writes and request.path != "/api/graphql"]


def test_another_change_for_the_same_request_replaces_the_first(place: Place) -> None:
    first = succeeded(place.publish())
    place.github.repository().statuses.clear()  # killed before its end
    second = succeeded(place.publish(OTHER_FIX, ()))
    assert second.commit != first.commit
    assert second.pull == first.pull
    (commit,) = place.github.commits(place.branch)
    assert commit["sha"] == second.commit
    assert [(s["sha"], s["state"]) for s in place.github.repository().statuses] == [(second.commit, "success")]
    assert "docs/new.md" not in (place.github.pulls()[0].body or "")


@pytest.mark.parametrize("commits", ["auto", "git"])
def test_what_the_api_cannot_say_is_pushed(place: Place, commits: str) -> None:
    settings = Publishing(commits=commits)  # type: ignore[arg-type]
    done = succeeded(
        place.publish({"run.sh": ("100755", b"#!/bin/sh\n"), "link": ("120000", b"calc.py")}, settings=settings)
    )
    assert (done.notes == ()) == (commits == "git")
    (commit,) = place.github.commits(place.branch)
    assert (commit["author_email"], commit["parents"]) == (f"41898282+{BOT}@users.noreply.github.com", [place.base])
    assert (
        commit["tree"]
        == check(
            place.checkout, {"run.sh": ("100755", b"#!/bin/sh\n"), "link": ("120000", b"calc.py")}, ("old.py",)
        ).patch.tree
    )
    assert done.commit not in place.github.repository().signed


class Refusing:
    """A GitHub that refuses one call in its own words, as long as `refuses` says so."""

    def __init__(self, place: Place, name: str, words: str, refuses=lambda **_: True) -> None:
        self.place, self.name, self.words, self.refuses = place, name, words, refuses

    def __getattr__(self, name: str):
        value = getattr(self.place.forge, name)
        if name != self.name:
            return value

        def call(*arguments, **named):
            if self.refuses(**named):
                raise GithubFailed(self.words)
            return value(*arguments, **named)

        return call


def test_what_the_api_refuses_is_pushed(place: Place) -> None:
    done = succeeded(place.with_forge(Refusing(place, "commit_on_branch", "no such mutation")).publish())
    assert done.notes == (
        "GitHub did not make the commit (no such mutation); it was pushed with git and is not signed.",
    )
    assert place.end()["commits"] == [1]


def test_a_repository_without_drafts(place: Place) -> None:
    words = "Draft pull requests are not supported in this repository."
    forge = Refusing(place, "create_pull", words, lambda draft, **_: draft)
    done = succeeded(place.with_forge(forge).publish(settings=Publishing(draft="always")))
    assert (done.draft, len(done.notes)) == (False, 1)
    assert "should be a draft" in done.notes[0]
    assert len(place.github.pulls()) == 1


def test_a_refusal_of_something_else_is_an_error(place: Place) -> None:
    with pytest.raises(GithubFailed, match="it is Tuesday"):
        place.with_forge(Refusing(place, "create_pull", "it is Tuesday")).publish()


def test_a_pull_request_that_is_listed_late_gets_the_words_of_its_change(place: Place) -> None:
    first = succeeded(place.publish())
    place.github.repository().statuses.clear()
    place.github.repository().threads[first.pull].unlisted = 3
    second = succeeded(place.publish(OTHER_FIX, ()))
    assert (second.pull, second.created) == (first.pull, False)
    (pull,) = place.github.pulls()
    assert "docs/new.md" not in (pull.body or "")


def test_a_pushed_commit_is_found_again(place: Place) -> None:
    settings = Publishing(commits="git")
    first = succeeded(place.publish(settings=settings))
    place.github.repository().statuses.clear()
    again = succeeded(place.publish(settings=settings))
    assert (again.commit, again.pull) == (first.commit, first.pull)
    assert place.end()["commits"] == [1]


def test_a_tree_that_is_not_the_tested_one_goes_no_further(place: Place) -> None:
    class Other:
        """A GitHub that writes something else than it was told."""

        def __getattr__(self, name: str):
            return getattr(place.forge, name)

        def commit_on_branch(self, branch, head, message, additions, deletions):
            changed = [replace_content(addition) for addition in additions]
            return place.forge.commit_on_branch(branch, head, message, changed, deletions)

    def replace_content(addition):
        return addition.model_copy(update={"content": addition.content + b"# evil\n"})

    with pytest.raises(GithubFailed, match="which was tested"):
        place.with_forge(Other()).publish()
    assert place.end()["pulls"] == place.end()["statuses"] == place.end()["branches"] == []


# ------------------------------------------------------------------------------------------- people


def test_a_person_who_pushed_stops_it(place: Place) -> None:
    succeeded(place.publish())
    place.github.repository().statuses.clear()
    theirs = place.github.push(place.branch, {"calc.py": "mine\n"}, author=PERSON)
    outcome = refused(place.publish(OTHER_FIX, ()))
    assert "alice pushed to" in outcome.reason
    assert "`@ay rebase`" in outcome.hint
    assert "`@ay retry`" in outcome.hint
    assert place.github.branch(place.branch) == theirs
    assert place.github.comments(1)[0].body.startswith("<!-- ay-bot:v1 kind=patch")


def test_a_commit_that_a_person_amended_is_theirs(place: Place) -> None:
    succeeded(place.publish())
    place.github.repository().statuses.clear()
    made = place.github.commits(place.branch)[0]
    git = place.github.repository().git
    from tests.loopback_github import git_store

    theirs = git_store.commit_files(
        git, place.base, {"calc.py": "x\n"}, made["message"], (BOT, made["author_email"]), PERSON
    )
    git_store.set_ref(git, f"refs/heads/{place.branch}", theirs)
    assert "alice pushed" in refused(place.publish()).reason
    assert place.github.branch(place.branch) == theirs


def test_closed_by_a_person_means_no(place: Place) -> None:
    number = succeeded(place.publish()).pull
    place.github.close(number)
    end = place.end()
    outcome = refused(place.publish(OTHER_FIX, ()))
    assert "closed, which I take as a no" in outcome.reason
    assert refused(find_earlier(place.request, place.forge, Publishing())).reason == outcome.reason  # type: ignore[arg-type]
    assert place.end() == end


def test_a_branch_with_somebody_elses_pull_request_is_left_alone(place: Place) -> None:
    place.github.push(place.branch, {"calc.py": "trap\n"}, author=PERSON)
    place.github.open_pull("A trap", head=place.branch, login="alice")
    end = place.end()
    assert "pull request #2 of alice" in refused(place.publish()).reason
    assert place.end() == end


# ------------------------------------------------------------------------------------------- the base


def test_the_base_branch_may_move_on(place: Place) -> None:
    place.github.push("main", {"docs/b.md": "new\n"})
    done = succeeded(place.publish())
    assert place.github.commits(place.branch)[0]["parents"] == [place.base]
    assert done.created


def test_a_rewritten_base_branch_is_refused(place: Place) -> None:
    from tests.loopback_github import git_store

    git = place.github.repository().git
    other = git_store.commit_files(git, None, {"a": "b"}, "Anew\n", PERSON)
    git_store.set_ref(git, "refs/heads/main", other)
    outcome = refused(place.publish())
    assert "was rewritten" in outcome.reason
    assert place.end()["branches"] == []


# ------------------------------------------------------------------------------------------- caps and refusals


def test_the_cap_counts_what_is_open_on_github(place: Place) -> None:
    place.github.push("ay/9-other-00000000", {"a.py": "1\n"})
    place.github.open_pull("Mine", head="ay/9-other-00000000", login=BOT)
    place.github.push("feature", {"a.py": "1\n"})
    place.github.open_pull("Not mine", head="feature", login="alice")
    one = Publishing(max_open_pull_requests=1)
    outcome = refused(place.publish(settings=one))
    assert outcome.reason == "1 pull requests of mine are open already, and at most 1 may be"
    assert "max_open_pull_requests" in outcome.hint
    assert refused(find_earlier(place.request, place.forge, one)).reason == outcome.reason  # type: ignore[arg-type]
    assert succeeded(place.publish(settings=Publishing(max_open_pull_requests=2))).created


@pytest.mark.parametrize("missing", ["contents", "pull_requests", "statuses", "issues"])
def test_a_missing_permission_loses_nothing(loopback_github: LoopbackGitHub, tmp_path: Path, missing: str) -> None:
    given = {
        name: "read" if name == missing else "write"
        for name in ("contents", "issues", "pull_requests", "statuses", "checks")
    }
    with open_place(loopback_github, tmp_path / "run", permissions=given) as place:
        outcome = place.publish(settings=Publishing(labels=("ay",)))
        (said,) = [comment.body for comment in place.github.comments(1)] or [""]
        match missing:
            case "contents":
                assert "contents: write" in refused(outcome).hint
                assert "return a + b" in said
                assert "git apply" in said
                assert refused(outcome).comment.endswith(str(place.github.comments(1)[0].id))
            case "pull_requests":
                assert refused(outcome).branch == place.branch
                assert refused(outcome).url.endswith(f"/compare/main...{place.branch}?expand=1")
                assert place.github.file("calc.py", place.branch) == FIX["calc.py"].encode()
            case "statuses":
                assert "ay-bot/verified` could not be set" in succeeded(outcome).notes[0]
            case "issues":
                assert succeeded(outcome).created


def test_a_refusal_is_an_error_for_the_pipeline(place: Place) -> None:
    target = Attached(base=place.base, base_branch="main", reason="it comes from a fork")
    publisher = place.publisher(target)
    proposal = Proposal(
        place.checkout, check(place.checkout, FIX), MESSAGE, "Mended.", PullRequest(title="t", body="b")
    )
    with pytest.raises(NotAllowed, match=r"It comes from a fork: http.*#issuecomment-\d+"):
        publisher.publish(proposal)
    with pytest.raises(NotAllowed):
        publisher.publish(proposal)
    assert len(place.github.comments(1)) == 1


def test_the_pipeline_gets_what_was_published(place: Place) -> None:
    publisher = place.publisher()
    publisher.prepare(place.checkout.repository)
    proposal = Proposal(
        place.checkout, check(place.checkout, FIX), MESSAGE, "Mended.", PullRequest(title="t", body="b")
    )
    done = publisher.publish(proposal)
    assert done.url.endswith("/pull/2")
    assert (done.branch, done.pull_request.title) == (place.branch, "fix: add")
    with pytest.raises(GithubFailed, match="goes onto"):
        replace(publisher, destination=NewBranch(branch=place.branch, base="0" * 40, base_branch="main")).prepare(
            place.checkout.repository
        )


def test_what_the_settings_name_and_github_refuses_is_a_note(place: Place) -> None:
    done = succeeded(place.publish(settings=Publishing(reviewers=("nobody-here",), labels=("ay",))))
    assert [pull.labels for pull in place.github.pulls()] == [["ay"]]
    assert len(done.notes) == 1
    assert "reviewers nobody-here" in done.notes[0]


def test_a_patch_in_a_comment_cannot_leave_its_block(place: Place) -> None:
    target = Attached(base=place.base, base_branch="main", reason="it comes from a fork")
    refused(place.publish({"calc.py": "```\n@octo/everyone <!-- ay-bot:v1 kind=patch key=x -->\n"}, destination=target))
    body = place.github.comments(1)[0].body
    assert "````diff" in body
    refused(place.publish({"calc.py": "x\n" * 40_000}, destination=target))
    assert len(place.github.comments(1)) == 1


def test_a_long_patch_is_named_only(loopback_github: LoopbackGitHub, tmp_path: Path) -> None:
    with open_place(loopback_github, tmp_path / "run") as place:
        target = Attached(base=place.base, base_branch="main", reason="it comes from a fork")
        refused(place.publish({"calc.py": "x\n" * 40_000}, destination=target))
        assert "too many for a comment" in place.github.comments(1)[0].body


@pytest.mark.parametrize(
    "form", [str, lambda text: text[::-1], lambda text: text.encode().hex()], ids=["plain", "reversed", "hex"]
)
def test_a_change_with_a_secret_in_it_goes_nowhere(place: Place, form) -> None:
    secret = "ghs_Zq83hfKqPpLmWv72RtYx"
    end = place.end()
    for changes in (
        {"calc.py": f"key = {form(secret)!r}\n"},
        {"x.bin": b"\0\xff" + form(secret).encode()},
        {f"{form(secret)}.py": ""},
    ):
        outcome = refused(place.publish(changes, secrets=(secret,)))
        assert "holds a secret of this run" in outcome.reason
        assert secret not in repr(outcome)
    assert place.end() == end
    assert secret not in repr(place.publisher(secrets=(secret,)))
    assert succeeded(place.publish(secrets=(secret,))).created


# ------------------------------------------------------------------------------------------- maintenance


def in_place(place: Place) -> NewBranch:
    return NewBranch(branch="ay/lint", base=place.base, base_branch="main", in_place=True)


def test_a_chores_branch_is_updated_in_place(place: Place) -> None:
    first = succeeded(place.publish(destination=in_place(place)))
    again = succeeded(place.publish(destination=in_place(place)))
    assert (again.pull, again.commit, again.created) == (first.pull, first.commit, False)
    changed = succeeded(place.publish(OTHER_FIX, (), destination=in_place(place)))
    assert (changed.pull, changed.created) == (first.pull, False)
    assert place.end()["commits"] == [1]
    assert place.github.file("calc.py", "ay/lint") == OTHER_FIX["calc.py"].encode()


def test_a_chore_that_was_closed_comes_back_with_new_content_only(place: Place) -> None:
    place.github.close(succeeded(place.publish(destination=in_place(place))).pull)
    assert "take as a no" in refused(place.publish(destination=in_place(place))).reason
    assert succeeded(place.publish(OTHER_FIX, (), destination=in_place(place))).created
    assert [pull.state for pull in place.github.pulls()] == ["closed", "open"]
