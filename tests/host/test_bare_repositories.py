"""Directories that git takes for repositories are found, and git itself says which those are."""

import subprocess
from pathlib import Path

import pytest

from ay_bot.host.bare_repositories import find_bare_repositories
from ay_bot.host.changes import Refused, VerifiedPatch, propose
from ay_bot.host.path_policy import PathPolicy
from tests.host.git_repositories import checkout_of, finished, git, make_repository, write_files

WHOLE = {"HEAD": "ref: refs/heads/main\n", "config": "[core]\n\tbare = true\n", "objects/x": "", "refs/heads/x": ""}
BORROWING = {"HEAD": "ref: refs/heads/main\n", "commondir": "../whole\n"}


def below(directory: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{directory}/{name}": content for name, content in files.items()}


def within(paths: dict[str, str]) -> set[str]:
    return {directory.decode() for directory in find_bare_repositories([path.encode() for path in paths])}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (below("a/b", WHOLE), {"a/b"}),
        (below("a", {name.upper(): "" for name in WHOLE}), {"a"}),
        (below("a", BORROWING), {"a"}),
        (below("a", {"HEAD": "", "objects": "", "refs": ""}), {"a"}),  # which may be links
        (WHOLE, set()),  # git looks for .git first
        (below("a", {"HEAD": "", "objects/x": ""}), set()),
        (below("a", {"head.py": "", "objects/x": "", "refs/x": ""}), set()),
        ({"a/HEAD": "", "b/objects/x": "", "b/refs/x": ""}, set()),
    ],
)
def test_at_34_a_bare_repository_is_found(files: dict[str, str], found: set[str]) -> None:
    assert within(files) == found


def test_at_34_git_would_run_what_it_configures(tmp_path: Path) -> None:
    """What is found is what git takes for a repository, by whatever part of it is missing."""
    for missing in ("", *WHOLE):
        place = make_repository(tmp_path / f"without-{missing.partition('/')[0]}", {"a": "1"})
        files = below("bare", {name: content for name, content in WHOLE.items() if name != missing})
        write_files(place, files)
        command = ["git", "-c", "safe.bareRepository=all", "rev-parse", "--is-bare-repository"]
        said = subprocess.run(command, cwd=place / "bare", capture_output=True, text=True, check=True)
        assert bool(within(files)) is (said.stdout.strip() == "true") or missing == "config", missing


def test_at_34_a_bare_repository_is_withheld_and_the_rest_goes_on(tmp_path: Path) -> None:
    fixture = below("tests/fixture.git", WHOLE)
    with checkout_of(make_repository(tmp_path / "repo", {"a": "1", **fixture}), tmp_path / "scratch") as checkout:
        head = checkout.repository.head

        def judge(changed: dict, deleted: tuple[str, ...] = ()):
            return propose(checkout, head, *finished(changed, deleted), PathPolicy())

        patch = judge({"a": "2", **below("evil", WHOLE)})
        assert isinstance(patch, VerifiedPatch)
        assert [entry.path for entry in patch.entries] == ["a"]
        assert {path for path, _ in patch.withheld} == set(below("evil", WHOLE))
        assert not any(name.startswith(b"evil") for name in checkout.list_files(patch.tree))
        assert "bare git repository" in str(judge({"tests/fixture.git/config": "[core]\n\tfsmonitor = x\n"}).withheld)
        assert isinstance(judge({"evil/config": "x", "evil/HEAD": "x", "evil/refs/x": ""}), VerifiedPatch)
        assert isinstance(judge({"tests/fixture.git/refs/heads/y": ""}), Refused)
        gone = tuple(sorted(fixture))
        assert isinstance(judge({}, gone), VerifiedPatch)
    assert git(tmp_path / "repo", "status", "--porcelain") == ""
