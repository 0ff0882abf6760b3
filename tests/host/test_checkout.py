import io
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from git_repositories import checkout_of, fingerprint, git, make_repository, write_files

from ay_bot.errors import UsageError
from ay_bot.host.checkout import Author
from ay_bot.host.tree_stream import TreeChange

CRLF = b"one\r\ntwo\r\n"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def odd_repository(directory: Path, *options: str) -> Path:
    make_repository(directory, {"plain.txt": "x\n", "win.txt": CRLF, "run.sh": "#!/bin/sh\n"}, *options)
    write_files(
        directory,
        {
            ".gitattributes": "secret export-ignore\nsubst export-subst ident\n*.txt text eol=crlf filter=x\n",
            "secret": "kept",
            "subst": "$Format:%H$ $Id$",
            "a long directory name/" * 6 + "deep.txt": "deep",
        },
    )
    (directory / "run.sh").chmod(0o755)
    (directory / "link").symlink_to("plain.txt")
    Path(os.fsdecode(os.fsencode(directory) + b"/caf\xe9")).write_text("latin")
    git(directory, "-c", "filter.x.clean=cat", "add", "-A")
    blob = git(directory, "hash-object", "-w", "--no-filters", "win.txt")
    git(directory, "update-index", "--cacheinfo", f"100644,{blob},win.txt")
    git(directory, "update-index", "--add", "--cacheinfo", f"160000,{git(directory, 'rev-parse', 'HEAD')},module")
    git(directory, "commit", "-q", "-m", "odd")
    return directory


def members(archive: Path) -> dict[bytes, tarfile.TarInfo]:
    with tarfile.open(archive, encoding="utf-8", errors="surrogateescape") as tar:
        return {os.fsencode(member.name): member for member in tar.getmembers()}


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_archives_exact_bytes(tmp_path: Path, options: tuple[str, ...]) -> None:
    repository = odd_repository(tmp_path / "repo", *options)
    archive = tmp_path / "tree.tar"
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        size = checkout.archive(checkout.repository.head, archive)
    assert size == archive.stat().st_size
    found = members(archive)
    with tarfile.open(archive) as tar:

        def content(name: str) -> bytes:
            return (tar.extractfile(name) or io.BytesIO()).read()

        assert content("win.txt") == CRLF
        assert content("plain.txt") == b"x\n"
        assert content("secret") == b"kept"
        assert content("subst") == b"$Format:%H$ $Id$"
    assert found[b"run.sh"].mode == 0o755
    assert found[b"plain.txt"].mode == 0o644
    assert found[b"link"].linkname == "plain.txt"
    assert found[b"module"].isdir()
    assert b"caf\xe9" in found
    assert not any(b".git/" in name for name in found)


def test_works_on_linked_shallow_and_borrowing_repositories(tmp_path: Path) -> None:
    repository = odd_repository(tmp_path / "repo")
    git(repository, "worktree", "add", "-q", "-f", str(tmp_path / "linked"), "-b", "other")
    git(tmp_path, "clone", "-q", "--no-checkout", "--depth=1", f"file://{repository}", "shallow")
    git(tmp_path, "clone", "-q", "--no-checkout", "--shared", str(repository), "sharing")
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare")
    wanted = git(repository, "rev-parse", "HEAD^{tree}")
    for name in ("linked", "shallow", "sharing", "bare"):
        with checkout_of(tmp_path / name, tmp_path / f"scratch-{name}") as checkout:
            assert checkout.tree_of(checkout.repository.head) == wanted
            assert checkout.archive(checkout.repository.head, tmp_path / "tree.tar") > 0


def test_an_object_directory_may_have_an_odd_name(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / 'odd "name" #1 \\ é', {"a": "1"})
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        assert checkout.read_file(checkout.repository.head, "a") == b"1"


def test_reads_files(tmp_path: Path) -> None:
    repository = odd_repository(tmp_path / "repo")
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        head = checkout.repository.head
        assert checkout.read_file(head, "win.txt") == CRLF
        assert checkout.read_file(head, b"caf\xe9") == b"latin"
        assert checkout.read_file(head, "link") == b"plain.txt"
        assert checkout.read_file(head, "nothing") is None
        assert checkout.read_file(head, "module") is None
        assert checkout.list_files(head)[b"run.sh"].mode == "100755"
        assert checkout.list_files(head)[b"module"].mode == "160000"
        assert checkout.read_files(head, [b"plain.txt", b"nothing"]) == {b"plain.txt": b"x\n"}


def test_writes_trees_of_raw_bytes(tmp_path: Path) -> None:
    repository = odd_repository(tmp_path / "repo")
    names = [b"new \xff\n\"\\\t'x", b"dir/deep/er", b"-option", b"plain.txt"]
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        head = checkout.repository.head
        changes = [TreeChange(name, "100644", b"\x00\r\n" + name) for name in names]
        changes += [TreeChange(b"run.sh", None), TreeChange(b"tool", "100755", b""), TreeChange(b"l", "120000", b"dir")]
        tree = checkout.write_tree(head, changes)
        differences = {difference.path: difference for difference in checkout.compare(head, tree)}
        assert set(differences) == {*names, b"run.sh", b"tool", b"l"}
        assert differences[b"run.sh"].new_mode == "000000"
        assert differences[b"tool"].new_mode == "100755"
        assert differences[b"l"].new_mode == "120000"
        for name in names:
            assert checkout.read_file(tree, name) == b"\x00\r\n" + name
        old = checkout.list_files(head)[b"win.txt"]
        assert checkout.write_tree(tree, [TreeChange(b"win.txt", old.mode, object_id=old.object_id)]) == tree
        assert checkout.write_tree(head, []) == checkout.tree_of(head)


def test_a_file_may_become_a_directory_and_back(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "1", "d/x": "1"})
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        changes = [
            TreeChange(b"a/b", "100644", b"2"),
            TreeChange(b"a", None),
            TreeChange(b"d", "100644", b"3"),
            TreeChange(b"d/x", None),
        ]
        tree = checkout.write_tree(checkout.repository.head, changes)
        assert set(checkout.list_files(tree)) == {b"a/b", b"d"}


def test_shows_differences_to_people(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n", "b": b"\0\1"})
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        head = checkout.repository.head
        tree = checkout.write_tree(
            head,
            [
                TreeChange(b"a", "100644", b"two\n"),
                TreeChange(b"b", "100644", b"\0\2"),
                TreeChange(b"c", "100644", b""),
            ],
        )
        diff = checkout.diff(head, tree).decode()
        assert "-one\n+two\n" in diff
        assert "Binary files a/b and b/b differ" in diff
        assert "Binary" not in checkout.diff(head, tree, [b"a"]).decode()


def test_commits(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"})
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        head = checkout.repository.head
        tree = checkout.write_tree(head, [TreeChange(b"a", "100644", b"two\n")])
        commit = checkout.commit(tree, head, "fix: é\n\nbody\n", Author("A <b>", "a@example.invalid"), WHEN)
        shown = git(checkout.git_dir, "cat-file", "commit", commit)
    assert f"tree {tree}\nparent {head}\n" in shown
    assert "author A b <a@example.invalid> 1767323045 +0000" in shown
    assert shown.endswith("fix: é\n\nbody")


def test_leaves_the_repository_alone(tmp_path: Path) -> None:
    repository = odd_repository(tmp_path / "repo")
    git(repository, "repack", "-adq")
    before = fingerprint(repository)
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        head = checkout.repository.head
        checkout.archive(head, tmp_path / "tree.tar")
        same = checkout.read_file(head, "plain.txt") or b""
        # Content that is there already must not even have its time touched.
        tree = checkout.write_tree(head, [TreeChange(b"copy", "100644", same), TreeChange(b"secret", None)])
        back = checkout.write_tree(tree, [TreeChange(b"copy", None), TreeChange(b"secret", "100644", b"kept")])
        assert back == checkout.tree_of(head)
        checkout.commit(tree, head, "x\n", Author(), WHEN)
    assert fingerprint(repository) == before


def test_a_missing_object_is_explained(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"})
    blob = git(repository, "rev-parse", "HEAD:a")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with checkout_of(repository, tmp_path / "scratch") as checkout, pytest.raises(UsageError) as caught:
        checkout.archive(checkout.repository.head, tmp_path / "tree.tar")
    assert "lacks objects" in caught.value.message
    assert "refetch" in caught.value.hint


def test_a_partial_clone_is_never_completed_behind_the_users_back(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "one\n"})
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{repository}", "partial")
    before = fingerprint(tmp_path / "partial")
    with checkout_of(tmp_path / "partial", tmp_path / "scratch") as checkout:
        assert any("partial" in notice for notice in checkout.repository.notices)
        with pytest.raises(UsageError, match="lacks objects"):
            checkout.archive(checkout.repository.head, tmp_path / "tree.tar")
    assert fingerprint(tmp_path / "partial") == before
