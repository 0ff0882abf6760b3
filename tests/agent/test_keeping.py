"""What a set-up makes is kept beside the image's own files, and laid over later workspaces without being a change."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent import overlaying
from ay_bot.agent.keeping import keep, note
from ay_bot.agent.overlaying import overlay
from ay_bot.agent.workspace import Manifest


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    root, home, place = tmp_path / "work", tmp_path / "home", tmp_path / "kept"
    root.mkdir()
    home.mkdir()
    (root / "tracked.txt").write_text("as committed\n")
    (root / "packages/a").mkdir(parents=True)
    (root / "packages/a/index.js").write_text("a\n")
    return root, home, place


def fresh(tmp_path: Path, number: int = 2) -> tuple[Path, Path]:
    root = tmp_path / f"work-{number}"
    (root / "packages/a").mkdir(parents=True)
    (root / "tracked.txt").write_text("as committed\n")
    (root / "packages/a/index.js").write_text("a\n")
    return root, tmp_path / f"home-{number}"


def set_up(root: Path, home: Path) -> None:
    (root / "node_modules/left-pad").mkdir(parents=True)
    (root / "node_modules/left-pad/index.js").write_text("pad\n")
    (root / "node_modules/a").symlink_to("../packages/a")
    (root / "packages/a/node_modules").mkdir()
    (root / "packages/a/node_modules/b.js").write_text("b\n")
    (root / "made.sh").write_text("#!/bin/sh\n")
    (root / "made.sh").chmod(0o700)
    (home / ".m2").mkdir()
    (home / ".m2/jar").write_text("jar")
    (home / ".cache/pip").mkdir(parents=True)
    (home / ".cache/pip/wheel").write_text("wheel")


def test_what_a_set_up_made_is_there_in_a_later_workspace(places, tmp_path):
    root, home, place = places
    known = note(root)
    set_up(root, home)
    kept = keep(root, home, place, known)
    assert (kept.files, kept.touched_in_all) == (5, 0)
    later, later_home = fresh(tmp_path)
    made = overlay(place, later, later_home)
    assert made == {b"node_modules/left-pad/index.js", b"node_modules/a", b"packages/a/node_modules/b.js", b"made.sh"}
    assert (later / "node_modules/a/index.js").read_text() == "a\n"
    assert os.access(later / "made.sh", os.X_OK)
    assert (later_home / ".m2/jar").read_text() == "jar"
    assert not (later_home / ".cache/pip").exists()
    assert (root / "made.sh").stat().st_mtime_ns == (later / "made.sh").stat().st_mtime_ns


def test_what_a_set_up_changed_in_the_tree_is_named_and_not_kept(places, tmp_path):
    root, home, place = places
    known = note(root)
    (root / "tracked.txt").write_text("rewritten by npm install\n")
    (root / "packages/a/index.js").unlink()
    kept = keep(root, home, place, known)
    assert (kept.files, set(kept.touched)) == (0, {"tracked.txt", "packages/a/index.js"})
    later, later_home = fresh(tmp_path)
    assert overlay(place, later, later_home) == frozenset()
    assert (later / "tracked.txt").read_text() == "as committed\n"


def test_the_tree_wins_over_what_is_kept(places, tmp_path):
    root, home, place = places
    known = note(root)
    set_up(root, home)
    keep(root, home, place, known)
    later, later_home = fresh(tmp_path)
    (later / "made.sh").write_text("the change's own\n")
    (later / "node_modules").write_text("a file now\n")
    assert overlay(place, later, later_home) == {b"packages/a/node_modules/b.js"}
    assert (later / "made.sh").read_text() == "the change's own\n"
    assert (later / "node_modules").read_text() == "a file now\n"


def test_what_is_kept_is_never_part_of_a_change(places, tmp_path):
    root, home, place = places
    known = note(root)
    set_up(root, home)
    keep(root, home, place, known)
    later, later_home = fresh(tmp_path)
    manifest = Manifest.take(later, ())
    manifest.kept = overlay(place, later, later_home)
    manifest.settle()
    (later / "made.sh").write_text("changed by a test\n")
    (later / "node_modules/left-pad/index.js").unlink()
    (later / "new.txt").write_text("the agent's own\n")
    (later / "tracked.txt").write_text("the agent's, too\n")
    changes = manifest.changes()
    assert [file.path for file in changes.changed] == ["new.txt", "tracked.txt"]
    assert changes.deleted == ()


def test_what_is_too_much_becomes_a_link_and_of_a_cache_nothing(places, tmp_path, monkeypatch):
    root, home, place = places
    known = note(root)
    set_up(root, home)
    (home / ".cache/big").mkdir()
    (home / ".cache/big/file").write_bytes(b"x" * 1000)
    (home / ".cache/small").write_bytes(b"x")
    keep(root, home, place, known)
    monkeypatch.setattr(overlaying, "MOST_COPIED", 10)
    monkeypatch.setattr(overlaying, "MOST_COPIED_HOME", 2)
    later, later_home = fresh(tmp_path)
    made = overlay(place, later, later_home)
    assert (later / "node_modules").is_symlink()
    assert (later / "node_modules/left-pad/index.js").read_text() == "pad\n"
    assert b"node_modules" in made
    assert (later_home / ".m2").is_symlink()
    assert [path.name for path in (later_home / ".cache").iterdir()] == ["small"]


def test_hard_links_stay_one_file(places, tmp_path):
    root, home, place = places
    known = note(root)
    (root / "one").write_bytes(b"x" * 100)
    os.link(root / "one", root / "two")
    assert keep(root, home, place, known).size == 100
    later, later_home = fresh(tmp_path)
    overlay(place, later, later_home)
    assert (later / "one").stat().st_ino == (later / "two").stat().st_ino


def test_pipes_links_outside_and_repositories_are_no_trouble(places, tmp_path):
    root, home, place = places
    known = note(root)
    os.mkfifo(root / "pipe")
    (root / "away").symlink_to("/etc/passwd")
    (root / "vendored/.git").mkdir(parents=True)
    (root / "vendored/.git/config").write_text("[core]\n")
    (root / "vendored/code").write_text("code")
    (root / "empty").mkdir()
    assert keep(root, home, place, known).files == 2
    assert sorted(path.name for path in (place / "work").rglob("*")) == ["away", "code", "empty", "vendored"]
    assert (place / "work/away").is_symlink()


NAMES = st.binary(min_size=1, max_size=3).filter(lambda name: not {47, 0} & set(name) and name not in {b".", b".."})
TREES = st.recursive(
    st.binary(max_size=20), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=8
)


def plant(directory: bytes, tree: object) -> None:
    if not isinstance(tree, dict):
        Path(os.fsdecode(directory)).write_bytes(tree)
        return
    os.makedirs(directory, exist_ok=True)
    for name, inner in tree.items():
        plant(directory + b"/" + name, inner)


def read(directory: bytes) -> object:
    if not os.path.isdir(directory):
        return Path(os.fsdecode(directory)).read_bytes()
    return {name: read(directory + b"/" + name) for name in os.listdir(directory)}


@given(made=st.dictionaries(NAMES, TREES, max_size=4))
def test_whatever_was_made_comes_back(made, tmp_path_factory):
    base = os.fsencode(tmp_path_factory.mktemp("kept"))
    root, place, later = (Path(os.fsdecode(base + part)) for part in (b"/work", b"/kept", b"/later"))
    for directory in (root, later):
        directory.mkdir()
    plant(os.fsencode(root), made)
    keep(root, base and Path(os.fsdecode(base + b"/no-home")), place, {})
    overlay(place, later, Path(os.fsdecode(base + b"/home")))
    assert read(os.fsencode(later)) == read(os.fsencode(root))
