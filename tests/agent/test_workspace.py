"""Unpacking a seed and telling how the workspace differs from it, with real files."""

import io
import os
import socket
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ay_bot.agent.workspace import Manifest, unpack
from ay_bot.errors import ProtocolBroken


def tar_of(members):
    """A tar stream of (name, content, mode) for files and (name, link target) for links."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for name, content, *mode in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size, info.mode = len(content), mode[0] if mode else 0o644
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = (tarfile.SYMTYPE, content) if isinstance(content, str) else content
                archive.addfile(info)
    stream.seek(0)
    return stream


def seeded(root, members, ignore=()):
    digests = {}
    unpack(tar_of(members), root, digests)
    return Manifest.take(root, ignore, digests)


def changed(manifest):
    """The changed files with their contents, cut out of the body."""
    changes = manifest.changes()
    found, at = {}, 0
    for file in changes.changed:
        found[file.path] = (file.mode, changes.body[at : at + file.size])
        at += file.size
    assert at == len(changes.body)
    return found


def test_files_links_and_bits_arrive(tmp_path):
    stream = tar_of([("a/b.sh", b"#!/bin/sh\n", 0o755), ("a/c", b"x" * 600_000), ("l", "a/c"), ("empty", b"")])
    assert unpack(stream, tmp_path) == 4
    assert os.access(tmp_path / "a/b.sh", os.X_OK)
    assert (tmp_path / "a/c").stat().st_size == 600_000
    assert (tmp_path / "l").readlink() == Path("a/c")
    assert stream.read() == b""


@pytest.mark.parametrize(
    "members",
    [
        [("../out", b"x")],
        [("/etc/out", b"x")],
        [("a/../../out", b"x")],
        [(".git/config", b"x")],
        [("a/.GIT/config", b"x")],
        [("l", "/tmp"), ("l/out", b"x")],
        [("l", "a"), ("l", b"x")],
        [("f", b"x"), ("f/g", b"x")],
        [("fifo", (tarfile.FIFOTYPE, ""))],
        [("hard", (tarfile.LNKTYPE, "/etc/passwd"))],
        [("device", (tarfile.CHRTYPE, ""))],
    ],
)
def test_at_37_a_hostile_seed_is_refused(tmp_path, members):
    root = tmp_path / "work"
    root.mkdir()
    with pytest.raises(ProtocolBroken):
        unpack(tar_of(members), root)
    assert not (tmp_path / "out").exists()


def test_a_cut_or_garbled_seed_is_refused(tmp_path):
    with pytest.raises(ProtocolBroken):
        unpack(io.BytesIO(b"not a tar" * 200), tmp_path)
    whole = tar_of([("a", b"x" * 5000)]).getvalue()
    with pytest.raises(ProtocolBroken):
        unpack(io.BytesIO(whole[:2000]), tmp_path)


def test_nothing_changed(tmp_path):
    manifest = seeded(tmp_path, [("a", b"1"), ("d/b", b"2"), ("l", "a")])
    assert manifest.changes().changed == ()
    assert manifest.changes().deleted == ()


def test_all_kinds_of_change(tmp_path):
    manifest = seeded(
        tmp_path,
        [("same", b"1"), ("edited", b"2"), ("gone", b"3"), ("bit", b"4"), ("touched", b"5"), ("becomes", b"6")],
    )
    (tmp_path / "edited").write_bytes(b"22")
    (tmp_path / "gone").unlink()
    (tmp_path / "bit").chmod(0o755)
    (tmp_path / "touched").write_bytes(b"5")
    (tmp_path / "becomes").unlink()
    (tmp_path / "becomes").symlink_to("same")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/file").write_bytes(b"7")
    assert changed(manifest) == {
        "edited": ("100644", b"22"),
        "bit": ("100755", b"4"),
        "becomes": ("120000", b"same"),
        "new/file": ("100644", b"7"),
    }
    assert manifest.changes().deleted == ("gone",)


def test_a_file_that_becomes_a_directory(tmp_path):
    manifest = seeded(tmp_path, [("a", b"1")])
    (tmp_path / "a").unlink()
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_bytes(b"2")
    assert changed(manifest) == {"a/b": ("100644", b"2")}
    assert manifest.changes().deleted == ("a",)


def test_ignore_files_hold_for_new_files_only(tmp_path):
    manifest = seeded(
        tmp_path,
        [
            (".gitignore", b"*.log\n/build/\n!keep.log\n"),
            ("sub/.gitignore", b"!deep.log\nlocal\n"),
            ("tracked.log", b"1"),
            ("build/tracked", b"1"),
        ],
        ignore=("__pycache__/", "*.pyc"),
    )
    (tmp_path / "sub/inner").mkdir()
    (tmp_path / "__pycache__").mkdir()
    for name in (
        "a.log",
        "keep.log",
        "build/new",
        "sub/deep.log",
        "sub/inner/local",
        "sub/inner/x",
        "__pycache__/x",
        "x.pyc",
    ):
        (tmp_path / name).write_bytes(b"new")
    (tmp_path / "tracked.log").write_bytes(b"22")
    (tmp_path / "build/tracked").write_bytes(b"22")
    assert set(changed(manifest)) == {"keep.log", "sub/deep.log", "sub/inner/x", "tracked.log", "build/tracked"}


def test_the_ignore_files_are_those_of_the_seed(tmp_path):
    manifest = seeded(tmp_path, [("a", b"1")])
    (tmp_path / ".gitignore").write_bytes(b"*\n")
    (tmp_path / "b").write_bytes(b"2")
    assert set(changed(manifest)) == {".gitignore", "b"}


def test_at_34_git_is_never_entered(tmp_path):
    manifest = seeded(tmp_path, [("a", b"1")])
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/.git").write_bytes(b"gitdir: elsewhere")
    assert manifest.changes().changed == ()


def test_what_cannot_cross_is_named(tmp_path):
    manifest = seeded(tmp_path, [("a", b"1")])
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff")).write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(tmp_path)
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
    names = " ".join(manifest.changes().unrepresentable)
    assert "bad\\udcff" in names
    assert "pipe" in names
    assert "socket" in names
    assert manifest.changes().changed == ()


def test_what_a_setup_made_is_nobodys_change(tmp_path):
    manifest = seeded(tmp_path, [("a", b"1"), ("lock", b"1")])
    (tmp_path / "made").write_bytes(b"by the set-up")
    (tmp_path / "lock").write_bytes(b"by the set-up")
    manifest.settle()
    assert manifest.changes().changed == ()
    (tmp_path / "made").write_bytes(b"by the agent")
    (tmp_path / "lock").write_bytes(b"1")
    assert changed(manifest) == {"made": ("100644", b"by the agent"), "lock": ("100644", b"1")}


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8).filter(
    lambda name: name not in {".", ".."} and name.lower() != ".git" and name != ".gitignore" and len(name.encode()) < 60
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.dictionaries(NAMES, st.binary(max_size=50), max_size=6),
    after=st.dictionaries(NAMES, st.binary(max_size=50), max_size=6),
)
def test_changes_are_exactly_the_difference(before, after):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        manifest = seeded(root, [(f"d/{name}", content) for name, content in before.items()])
        (root / "d").mkdir(exist_ok=True)
        for name in before:
            (root / "d" / name).unlink()
        for name, content in after.items():
            (root / "d" / name).write_bytes(content)
        expected = {f"d/{name}": ("100644", content) for name, content in after.items() if before.get(name) != content}
        assert changed(manifest) == expected
        assert set(manifest.changes().deleted) == {f"d/{name}" for name in before if name not in after}
