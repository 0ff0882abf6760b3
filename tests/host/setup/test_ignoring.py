"""`.dockerignore`: what a build gets is what `docker build` gives it, and what it does not get makes no new image."""

import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.checkout import open_checkout
from ay_bot.host.repository import open_repository
from ay_bot.host.setup.context import Plan, Source
from ay_bot.host.setup.ignoring import LARGEST, Ignored
from tests.host.git_repositories import git, make_repository, write_files
from tests.host.setup.conftest import Prepare

TREE = (
    "README.md", "readme.txt", "Dockerfile", ".dockerignore", "ab", "a.b", "a/one.py", "a/b/two.py", "a/b/c/three.pyc", "a/b/keep.txt",
    "docs/x.md", "docs/deep/y.md", "docs/deep/keep.md", "node_modules/x/i.js", "sub/node_modules/j.js", "with space.txt", "é.txt",
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "left_out"),
    [
        ("", ""),
        ("# nothing\n\n   \n!\n.\n/\n", ""),
        ("node_modules", "node_modules/x/i.js"),
        ("**/node_modules", "node_modules/x/i.js|sub/node_modules/j.js"),
        ("*.md", "README.md"),
        ("**/*.md", "README.md|docs/x.md|docs/deep/y.md|docs/deep/keep.md"),
        ("docs\n!docs/deep/keep.md", "docs/x.md|docs/deep/y.md"),
        ("docs/\n!docs/deep", "docs/x.md"),
        ("/a/b", "a/b/two.py|a/b/c/three.pyc|a/b/keep.txt"),
        ("./a/b/", "a/b/two.py|a/b/c/three.pyc|a/b/keep.txt"),
        ("a/../ab", "ab"),
        ("a/*\n!a/b", "a/one.py"),
        ("**/b/**", "a/b/two.py|a/b/c/three.pyc|a/b/keep.txt"),
        ("**/*.py?", "a/b/c/three.pyc"),
        ("README.MD", ""),
        ("[rR]*", "README.md|readme.txt"),
        ("with space.txt", "with space.txt"),
        ("é*", "é.txt"),
        ("?.b", "a.b"),
        ("#ab\n  ab  ", "ab"),
        ("\ufeffab", "ab"),
        ("!ab\n*", "|".join(TREE)),
        ("Dockerfile*\n.dockerignore", "Dockerfile|.dockerignore"),
        ("docs/d?ep", "docs/deep/y.md|docs/deep/keep.md"),
    ],
)
def test_what_is_left_out_is_what_dockers_own_client_leaves_out(lines, left_out):
    """Each row was compared with what `docker build` (20.10) copied of this tree."""
    ignored = Ignored(lines.encode(), ".dockerignore")
    assert {path for path in TREE if not ignored.keeps(path)} == {path for path in left_out.split("|") if path}


def test_the_last_line_that_matches_decides():
    ignored = Ignored(b"*\n!src\nsrc/secret\n!src/secret/not", "x")
    kept = {"src", "src/a", "src/secret/not", "src/secret/not/b"}
    assert {path for path in (*kept, "a", "src/secret", "src/secret/a") if ignored.keeps(path)} == kept


@given(st.text(alphabet="a*?[]!/\\.-^#\n {}()+é\ud800", max_size=40), st.text(alphabet="a/.é\udc80b\n", max_size=30))
def test_whatever_it_holds_it_is_read_or_refused(lines, path):
    try:
        ignored = Ignored(lines.encode("utf-8", "surrogatepass"), "x")
    except UsageError:
        return
    assert ignored.keeps(path) in {True, False}


@pytest.mark.parametrize(("pattern", "name"), [("a*" * 30 + "b", "a" * 4000), ("**/a" * 30 + "/b", "a/" * 2000)])
def test_no_pattern_takes_long(pattern, name):
    started = time.monotonic()
    assert Ignored(pattern.encode(), "x").keeps(name.rstrip("/"))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"[z-a]", "is no pattern"), (b"a\n" * 501, "more than 500 patterns"), (b"a" * (LARGEST + 1), "larger than")],
)
def test_what_is_no_pattern_or_too_much_is_refused(content, why):
    with pytest.raises(UsageError, match=why) as refused:
        Ignored(content, "docs/.dockerignore")
    assert "docs/.dockerignore" in refused.value.message


@contextmanager
def source_of(repository: Path, scratch: Path) -> Iterator[Source]:
    scratch.mkdir()
    with open_checkout(open_repository(repository), scratch) as checkout:
        yield Source(checkout, checkout.repository.head)


def names(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {entry.name for entry in tar if not entry.isdir()}


FILES = {
    "Dockerfile": "FROM a\nCOPY . /x\n",
    ".dockerignore": "docs\n*.log\n",
    "docs/a": "1",
    "src/b": "2",
    "c.log": "3",
}
PLAN = Plan("Dockerfile", ".", {}, "")


def test_a_context_is_written_without_it_and_the_key_does_not_know_it(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", FILES)
    with source_of(repository, tmp_path / "one") as source:
        assert source.write_context(PLAN, tmp_path / "context.tar") == "Dockerfile"
        assert names(tmp_path / "context.tar") == {"Dockerfile", ".dockerignore", "src/b"}
        assert not (tmp_path / "context.whole").exists()
        key = source.key_files(PLAN)
    for number, (changed, is_same) in enumerate([("docs/a", True), ("c.log", True), ("src/b", False)]):
        write_files(repository, {changed: f"other {number}"})
        git(repository, "commit", "-qam", "x")
        with source_of(repository, tmp_path / str(number)) as source:
            assert (source.key_files(PLAN) == key) is is_same


def test_the_file_beside_the_dockerfile_counts_before_that_of_the_context(tmp_path: Path) -> None:
    more = {
        "ci/Dockerfile": "FROM a\n",
        "ci/Dockerfile.dockerignore": "src",
        "sub/.dockerignore": "*.log",
        "sub/d.log": "",
        "sub/e": "",
    }
    repository = make_repository(tmp_path / "repository", FILES | more)
    with source_of(repository, tmp_path / "one") as source:
        source.write_context(Plan("ci/Dockerfile", ".", {}, ""), tmp_path / "context.tar")
        assert names(tmp_path / "context.tar") >= {"docs/a", "c.log"}
        assert "src/b" not in names(tmp_path / "context.tar")
        assert source.write_context(Plan("Dockerfile", "sub", {}, ""), tmp_path / "context.tar") == ".ay-bot.Dockerfile"
        assert names(tmp_path / "context.tar") == {".dockerignore", "e", ".ay-bot.Dockerfile"}


def test_links_modes_and_odd_names_stay_as_they_are(tmp_path: Path) -> None:
    files = {".dockerignore": "gone", "gone": "", "x" * 150 + "/" + "é" * 100: "long", "run": "#!/bin/sh\n"}
    repository = make_repository(tmp_path / "repository", {"Dockerfile": "FROM a\n", **files})
    (repository / "run").chmod(0o755)
    (repository / "link").symlink_to("run")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "x")
    with source_of(repository, tmp_path / "one") as source:
        source.write_context(PLAN, tmp_path / "context.tar")
    listed = subprocess.run(
        ["tar", "-tvf", tmp_path / "context.tar"], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"^-rwxr-xr-x .* run$", listed, re.MULTILINE)
    assert re.search(r"^lrwxrwxrwx .* link -> run$", listed, re.MULTILINE)
    assert "x" * 150 in listed
    assert "gone" not in listed


@pytest.mark.docker
@pytest.mark.parametrize(
    ("place", "ignored", "copied"),
    [
        ("Dockerfile", "*\n!src.txt\n!docs\ndocs/private\n", "docs/a src.txt"),
        ("ci/Dockerfile", "docs\nci\n", ".dockerignore .gitignore c package-lock.json src.txt"),
    ],
    ids=["exceptions", "the Dockerfile itself"],
)
def test_a_build_does_not_get_what_is_ignored(
    project: Path, prepare: Prepare, place: str, ignored: str, copied: str
) -> None:
    from ay_bot.host.image import image_name

    dockerfile = f"FROM {image_name()}\nCOPY . /from/\n"
    files = {place: dockerfile, ".dockerignore": ignored, "docs/a": "", "docs/private/b": "", "c": ""}
    write_files(project, files)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "x")
    with prepare(image=f"dockerfile:{place}", test="cd /from && find . -type f | cut -c3- | sort && false") as one:
        assert sorted(one.check().output.split()) == copied.split()
