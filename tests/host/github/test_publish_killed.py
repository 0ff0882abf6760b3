"""Publishing that dies at each of its steps, or loses each of its answers: run again, it ends as if nothing had been."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ay_bot.errors import AyBotError
from ay_bot.host.config import Publishing
from ay_bot.host.github.earlier import find_earlier
from ay_bot.host.github.publication import Published
from tests.host.github.publishing import (
    FIX,
    OTHER_FIX,
    Place,
    onto,
    open_place,
    start,
    succeeded,
)
from tests.loopback_github.server import LoopbackGitHub

DRESSED = Publishing(labels=("ay",), reviewers=("maria",), assignees=("alice",))
MOST_STEPS = 40


class Killed(BaseException):
    """As if by SIGKILL: nothing catches it."""


@dataclass
class Mortal:
    """Passes calls on to what it stands for, and dies at call number `at`: before it, or after it took effect."""

    at: int
    after: bool
    calls: list[str] = field(default_factory=list)

    def of(self, target: Any) -> Any:
        mortal = self

        class Stand:
            def __getattr__(self, name: str) -> Any:
                value = getattr(target, name)
                return mortal.wrap(name, value) if callable(value) else value

        return Stand()

    def wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) == self.at and not self.after:
                raise Killed
            value = call(*arguments, **named)
            if len(self.calls) == self.at:
                raise Killed
            return value

        return wrapped


def once(place: Place, at: int, *, after: bool, **how: Any) -> bool:
    """Publish and die at a step; return whether that step was reached."""
    mortal = Mortal(at, after)
    try:
        place.with_forge(mortal.of(place.forge), mortal.of(place.remote)).publish(**how)
    except Killed:
        return True
    return False


def reset(place: Place) -> None:
    """Take back all that was published, so that one GitHub serves a whole matrix."""
    repository = place.github.repository()
    for number in [number for number, thread in repository.threads.items() if thread.kind == "pull_request"]:
        del repository.threads[number]
    repository.comments.clear()
    repository.statuses.clear()
    for name in place.github.branches():
        if name.startswith("ay/"):
            place.forge.delete_branch(name)


@pytest.fixture
def place(loopback_github: LoopbackGitHub, tmp_path: Path) -> Iterator[Place]:
    with open_place(loopback_github, tmp_path / "run") as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("commits", ["api", "git"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_and_run_again(place: Place, commits: str, after: bool) -> None:
    how = {"settings": DRESSED.model_copy(update={"commits": commits})}
    succeeded(place.publish(**how))
    wanted = place.end()
    for step in range(1, MOST_STEPS):
        reset(place)
        if not once(place, step, after=after, **how):
            break
        found = find_earlier(place.request, place.forge, DRESSED)
        if found is None:
            succeeded(place.publish(**how))
        assert place.end() == wanted, f"killed {'after' if after else 'before'} call {step}"
        assert not place.github.comments(1)
    assert 8 < step < MOST_STEPS
    print(f"{step - 1} steps")


@pytest.mark.slow
def test_killed_anywhere_and_run_again_with_another_answer_of_the_model(place: Place) -> None:
    succeeded(place.publish())
    shape = {**place.end(), "trees": None}
    for step in range(1, MOST_STEPS):
        reset(place)
        if not once(place, step, after=True):
            break
        found = find_earlier(place.request, place.forge, Publishing())
        if found is None:
            succeeded(place.publish(OTHER_FIX, ()))
        end = place.end()
        assert {**end, "trees": None} == shape, step
        status = place.github.repository().statuses[-1]
        assert status["sha"] == place.github.branch(place.branch)
    assert 7 < step < MOST_STEPS


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_killed_on_somebodys_pull_request(loopback_github: LoopbackGitHub, tmp_path: Path, after: bool) -> None:
    start(loopback_github)
    head = loopback_github.push("feature", {"docs/b.md": "b\n"})
    pull = loopback_github.open_pull("A feature", head="feature", login="alice").number
    repository = loopback_github.repository()
    from tests.loopback_github import git_store

    with open_place(loopback_github, tmp_path / "run", clone_at=head, thread="pull_request", number=pull) as place:
        how = {"destination": onto(place, pull, "feature")}
        succeeded(place.publish(**how))
        wanted = place.end()
        for step in range(1, MOST_STEPS):
            git_store.set_ref(repository.git, "refs/heads/feature", head)
            repository.comments.clear()
            repository.statuses.clear()
            if not once(place, step, after=after, **how):
                break
            found = find_earlier(place.request, place.forge, Publishing())
            if found is None:
                succeeded(place.publish(**how))
            assert place.end() == wanted, step
            assert isinstance(find_earlier(place.request, place.forge, Publishing()), Published)
        assert 7 < step < MOST_STEPS


WRITES = [
    ("POST", "/git/refs$"),
    ("POST", "/graphql$"),
    ("POST", "/pulls$"),
    ("POST", "/labels$"),
    ("POST", "/requested_reviewers$"),
    ("POST", "/assignees$"),
    ("POST", "/statuses/"),
]


@pytest.mark.parametrize("how", ["drop-after", "bad-gateway-before"])
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_lost_answer_is_looked_for(place: Place, method: str, path: str, how: Any) -> None:
    place.forge.own_login()
    failure = place.github.fail(method, path, how)
    done = succeeded(place.publish(settings=DRESSED))
    assert failure.times == 0
    assert done.notes == ()
    end = place.end()
    assert (end["commits"], end["statuses"]) == ([1], [("ay-bot/verified", "success")])
    assert end["pulls"] == [(place.branch, "main", "fix: add", "open", False, ("ay",))]
    assert end["reviewers"] == [("maria",)]


@pytest.mark.parametrize("kind", ["pull", "branch"])
def test_a_lost_answer_to_what_is_listed_late_only(place: Place, kind: str) -> None:
    place.forge.own_login()
    place.github.lag(kind, 3)
    place.github.fail("POST", "/pulls$" if kind == "pull" else "/git/refs$", "drop-after")
    succeeded(place.publish())
    end = place.end()
    assert (len(end["pulls"]), end["commits"], len(end["statuses"])) == (1, [1], 1)


def test_a_push_whose_answer_is_lost_is_not_made_twice(place: Place) -> None:
    from ay_bot.errors import AnswerLost

    class Lossy:
        pushed = 0

        def push(self, *arguments: Any) -> None:
            self.pushed += 1
            place.remote.push(*arguments)
            if self.pushed == 1:
                raise AnswerLost("it broke off")

    lossy = Lossy()
    done = succeeded(place.with_forge(place.forge, lossy).publish(settings=Publishing(commits="git")))
    assert (lossy.pushed, place.github.branch(place.branch)) == (1, done.commit)


def test_a_push_that_never_arrives_is_an_error(place: Place) -> None:
    from ay_bot.errors import AnswerLost

    class Deaf:
        def push(self, *arguments: Any) -> None:
            raise AnswerLost("it broke off")

    with pytest.raises(AnswerLost):
        place.with_forge(place.forge, Deaf()).publish(settings=Publishing(commits="git"))
    assert place.end()["branches"] == []


def test_two_deliveries_at_once_make_one(place: Place) -> None:
    """The second one starts while the first one is between branch and commit."""

    class Interrupted:
        begun = False

        def __getattr__(self, name: str) -> Any:
            value = getattr(place.forge, name)
            if name == "commit_on_branch" and not self.begun:
                self.begun = True
                succeeded(place.publish())
            return value

    done = succeeded(place.with_forge(Interrupted()).publish())
    end = place.end()
    assert (len(end["pulls"]), end["commits"], len(end["statuses"])) == (1, [1], 1)
    assert place.github.branch(place.branch) == done.commit


def test_github_that_refuses_every_write_says_so(place: Place) -> None:
    place.github.fail("POST", "/git/refs$", "server-error", times=50)
    place.github.fail("POST", "/graphql$", "server-error", times=50, skip=1)
    with pytest.raises(AyBotError):
        place.publish(FIX)
    assert place.end()["pulls"] == []
