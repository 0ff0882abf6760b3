from datetime import UTC, datetime
from pathlib import Path

import pytest
from git_repositories import checkout_of, fingerprint, git, make_repository

from ay_bot.errors import UsageError
from ay_bot.host.branch import check_branch_name
from ay_bot.host.checkout import Author
from ay_bot.host.tree_stream import TreeChange

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def write(repository: Path, scratch: Path, branch: str, content: bytes = b"two\n") -> str:
    with checkout_of(repository, scratch) as checkout:
        head = checkout.repository.head
        tree = checkout.write_tree(head, [TreeChange(b"dir/a", "100644", content)])
        commit = checkout.commit(tree, head, "fix: it\n", Author(), WHEN)
        checkout.write_branch(checkout.repository, branch, commit)
    return commit


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_makes_the_branch_and_nothing_else(tmp_path: Path, options: tuple[str, ...]) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"}, *options)
    before = fingerprint(repository)
    commit = write(repository, tmp_path / "scratch", "ay/fix")
    assert git(repository, "rev-parse", "refs/heads/ay/fix") == commit
    assert git(repository, "show", "ay/fix:dir/a") == "two"
    assert git(repository, "fsck", "--strict") == ""
    after = fingerprint(repository)
    files_before = {path: state for path, state in before.items() if Path(path).is_file()}
    assert all(after[path] == state for path, state in files_before.items())
    new = {str(Path(path).relative_to(repository)) for path in after if Path(path).is_file()} - {
        str(Path(path).relative_to(repository)) for path in before
    }
    assert all(path.startswith(".git/objects/") or path == ".git/refs/heads/ay/fix" for path in new)


def test_at_33_runs_no_hook(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"})
    for name in ("reference-transaction", "post-commit", "update"):
        hook = repository / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/marker\n")
        hook.chmod(0o755)
    write(repository, tmp_path / "scratch", "ay/fix")
    assert not (tmp_path / "marker").exists()


def test_refuses_a_branch_that_exists(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"})
    first = write(repository, tmp_path / "scratch", "ay/fix")
    with pytest.raises(UsageError, match="has a branch ay/fix already"):
        write(repository, tmp_path / "scratch2", "ay/fix", b"three\n")
    assert git(repository, "rev-parse", "ay/fix") == first


def test_refuses_a_branch_below_another(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"})
    with pytest.raises(UsageError, match="could not be written"):
        write(repository, tmp_path / "scratch", "main/fix")


def test_works_for_bare_linked_and_shallow_repositories(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"})
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    for name in ("bare", "shallow", "linked"):
        commit = write(tmp_path / name, tmp_path / f"scratch-{name}", "ay/fix")
        assert git(tmp_path / name, "rev-parse", "ay/fix") == commit


@pytest.mark.parametrize("name", ["a", "ay/fix-1", "ay/issue_12.a", "fix+more", "a@b", "x" * 200, "V1.2"])
def test_takes_plain_names(name: str) -> None:
    check_branch_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "--force",
        "HEAD",
        "head",
        "refs/../x",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "a.",
        "a@{1}",
        "@",
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "deadbeef",
        "0" * 40,
        "x" * 201,
        "a/b.",
        "a./b",
        "é",
        "\u202eabc",
    ],
)
def test_refuses_other_names(name: str) -> None:
    with pytest.raises(UsageError, match="can't be the name of a branch"):
        check_branch_name(name)
