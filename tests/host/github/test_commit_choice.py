from collections.abc import Iterator

import pytest

from ay_bot.host.changes import PatchEntry, VerifiedPatch, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.github import commit_choice
from ay_bot.host.github.commit_choice import ApiCommit, GitCommit, choose_commit, find_obstacle
from ay_bot.host.path_policy import PathPolicy
from tests.host.git_repositories import checkout_of, finished, git, make_repository


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    place = tmp_path_factory.mktemp("choice")
    repository = make_repository(place / "repo", {"a.py": "1\n", "run": "#!/bin/sh\n", "old.py": "1\n"})
    git(repository, "update-index", "--chmod=+x", "run")
    git(repository, "commit", "-q", "-m", "Executable")
    with checkout_of(repository, place / "scratch") as made:
        yield made


def choose(checkout: Checkout, changed: dict, deleted: tuple[str, ...] = (), preference: str = "auto"):
    message, body = finished(changed, deleted)
    patch = propose(checkout, checkout.repository.head, message, body, PathPolicy())
    assert isinstance(patch, VerifiedPatch)
    return choose_commit(checkout, patch, preference)  # type: ignore[arg-type]


def test_ordinary_files_go_over_the_api_byte_by_byte(checkout: Checkout) -> None:
    found = choose(checkout, {"a.py": b"\xff\0\r\n", "n\u00e9w.py": "", "d/e f": "x"}, ("old.py",))
    assert isinstance(found, ApiCommit)
    assert {file.path: file.content for file in found.additions} == {
        "a.py": b"\xff\0\r\n",
        "n\u00e9w.py": b"",
        "d/e f": b"x",
    }
    assert found.deletions == ("old.py",)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"run": ("100755", b"x")}, "run is, or was, executable"),
        ({"run": "x"}, "run is, or was, executable"),
        ({"a.py": ("100755", b"1\n")}, "a.py is, or was, executable"),
        ({"link": ("120000", b"a.py")}, "link is, or was, a symbolic link"),
    ],
)
@pytest.mark.parametrize("preference", ["auto", "api"])
def test_modes_that_the_api_cannot_say(checkout: Checkout, changed: dict, why: str, preference: str) -> None:
    assert choose(checkout, changed, preference=preference) == GitCommit(why)


def test_an_executable_may_be_deleted_over_the_api(checkout: Checkout) -> None:
    assert choose(checkout, {}, ("run",)) == ApiCommit((), ("run",))


def test_a_preference_for_git(checkout: Checkout) -> None:
    assert choose(checkout, {"a.py": "2\n"}, preference="git") == GitCommit("")


def test_sizes() -> None:
    def entry(path: str, size: int) -> PatchEntry:
        return PatchEntry(path, "A", "100644", size)

    assert find_obstacle((entry("a", commit_choice.MOST_BYTES),)) == ""
    assert "MiB" in find_obstacle((entry("a", commit_choice.MOST_BYTES), entry("b", 1)))
    many = tuple(entry(str(number), 1) for number in range(commit_choice.MOST_FILES + 1))
    assert "files" in find_obstacle(many)
    assert find_obstacle(many[1:]) == ""
