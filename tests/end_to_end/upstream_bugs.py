"""Real bugs of published packages: the release before a fix, the release after it, and what lies between as tool calls.

Nothing of theirs is kept here. Both releases come from the registry as sdists, checked against the digests below.
"""

import difflib
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot_runs import QUICK_TESTS, commit_all
from scripted_answers import Answer, call

Groups = list[list[tuple[str, int, int, int, int]]]


@dataclass(frozen=True)
class Release:
    """One sdist: the requirement that names it, and the digest that it must have."""

    requirement: str
    sha256: str


@dataclass(frozen=True)
class Bug:
    """A fix between two releases: the file that it changed, the file that tests it, and which tests show it."""

    before: Release
    after: Release
    source: str
    tests: str
    shown_by: tuple[str, ...]
    command: str = QUICK_TESTS

    @property
    def name(self) -> str:
        """The package's name."""
        return self.before.requirement.partition("==")[0]


PARSE = Bug(
    Release("parse==1.20.0", "bd28bae37714b45d5894d77160a16e2be36b64a3b618c81168b3684676aa498b"),
    Release("parse==1.20.1", "09002ca350ad42e76629995f71f7b518670bcf93548bdde3684fd55d2be51975"),
    source="parse.py",
    tests="tests/test_parse.py",
    shown_by=("test_datetime_with_various_subsecond_precision", "test_parser_format"),
)
"""`%f` took exactly six digits."""

PATHSPEC = Bug(
    Release("pathspec==0.12.0", "c57e16065a97b7beb175f13c84d27cb05f7b7315741c2fbd5de541042f4ea6e1"),
    Release("pathspec==0.12.1", "a482d51503a1ab33b1c67a6c3813a26953dbdc71c31dacaef9a838c4e29f5712"),
    source="pathspec/pathspec.py",
    tests="tests/test_03_pathspec.py",
    shown_by=("test_01_match_file_3_unmatch",),
)
"""`match_file` returned None for False."""

MARKUPSAFE = Bug(
    Release("markupsafe==2.1.4", "3aae9af4cac263007fd6309c64c6ab4506dd2b79382d9d19a1994f9240b8db4f"),
    Release("markupsafe==2.1.5", "d283d37a890ba4c1ae73ffadf8046435c76e7bc2247bbb63c00bd1a709c6544b"),
    source="src/markupsafe/__init__.py",
    tests="tests/test_markupsafe.py",
    shown_by=("test_escaping[markupsafe._native]",),
    command=f"PYTHONPATH=src {QUICK_TESTS}",
)
"""`striptags` left a gap of several spaces where a tag had been. Upstream's test is an old one, made stricter."""

H11 = Bug(
    Release("h11==0.13.0", "70813c1135087a248a4d38cc0e1a0181ffab2188141a93eaf567940c3957ff06"),
    Release("h11==0.14.0", "8f19fbbe99e72420ff35c00b27a34cb9937e902a8b810e2c88300c6f0a3b699d"),
    source="h11/_abnf.py",
    tests="h11/tests/test_io.py",
    shown_by=("test_ChunkedReader",),
    command="python -m pytest -q",
)
"""A chunk size with blanks behind it was refused. The tests live inside the package."""

TABULATE = Bug(
    Release("tabulate==0.8.8", "26f2589d80d332fefd2371d396863dedeb806f51b54bdb4b264579270b621e92"),
    Release("tabulate==0.8.9", "eb1d13f25760052e8931f2ef80aaf6045a6cceb47514db8beab24cded16f13a7"),
    source="tabulate.py",
    tests="test/test_regression.py",
    shown_by=("test_string_with_comma_between_digits_without_floatfmt_grouping_option",),
)
"""A number with a comma ended in ValueError. Upstream took a feature out and switched its test off. Lines end in CRLF."""


def download(release: Release, directory: Path) -> Path:
    """Return the unpacked tree of a release, fetched with pip once."""
    trees = directory / release.requirement.replace("==", "-")
    if not trees.exists():
        fetched = directory / f"{trees.name}.sdist"
        wanted = directory / f"{trees.name}.txt"
        wanted.write_text(f"{release.requirement} --hash=sha256:{release.sha256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command = [*pip, "--no-binary", ":all:", "--dest", str(fetched), "-r", str(wanted)]
        subprocess.run(command, check=True, timeout=100)
        (archive,) = fetched.iterdir()
        with tarfile.open(archive) as tar:
            tar.extractall(trees.with_suffix(".part"), filter="data")
        trees.with_suffix(".part").rename(trees)
    (tree,) = trees.iterdir()
    return tree


def build_repository(bug: Bug, sdists: Path, directory: Path, *, with_tests: bool) -> None:
    """Make a repository of the release before the fix; `with_tests`: somebody has committed the failing test already."""
    copy = subprocess.run(["cp", "-r", str(download(bug.before, sdists)), str(directory)], check=True)
    assert copy.returncode == 0
    if with_tests:
        (directory / bug.tests).write_bytes((download(bug.after, sdists) / bug.tests).read_bytes())
    commit_all(directory)


@dataclass(frozen=True)
class Fix:
    """The texts of one file before and after, as a model sees them: lines end in a line feed."""

    path: str
    before: str
    after: str

    def as_edit(self) -> Answer:
        """Return the change as a call of `edit`."""
        old, new = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        edits = [
            {"search": "".join(old[group[0][1] : group[-1][2]]), "replace": "".join(new[group[0][3] : group[-1][4]])}
            for group in self._groups()
        ]
        return call("edit", path=self.path, edits=edits)

    def as_patch(self) -> Answer:
        """Return the change as a call of `apply_patch`."""
        old, new = self.before.splitlines(), self.after.splitlines()
        lines = ["*** Begin Patch", f"*** Update File: {self.path}"]
        for group in self._groups():
            lines.append("@@")
            for kind, old_start, old_end, new_start, new_end in group:
                if kind == "equal":
                    lines += [f" {line}" for line in old[old_start:old_end]]
                else:
                    lines += [f"-{line}" for line in old[old_start:old_end]]
                    lines += [f"+{line}" for line in new[new_start:new_end]]
        return call("apply_patch", patch="\n".join([*lines, "*** End Patch"]) + "\n")

    def without(self, unwanted: Callable[[str], bool]) -> "Fix":
        """Return the part of the change that leaves out every run of lines whose new text is unwanted."""
        old, new = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        parts = [
            "".join(old[i1:i2] if kind != "equal" and unwanted("".join(new[j1:j2])) else new[j1:j2])
            for kind, i1, i2, j1, j2 in matcher.get_opcodes()
        ]
        return Fix(self.path, self.before, "".join(parts))

    def _groups(self) -> Groups:
        old, new = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        for context in range(3, 40):
            matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
            groups = list(matcher.get_grouped_opcodes(context))
            if all(self.before.count("".join(old[group[0][1] : group[-1][2]])) == 1 for group in groups):
                return groups
        raise AssertionError(f"{self.path}: no context makes the changed places unique")


def fix_of(bug: Bug, sdists: Path, path: str) -> Fix:
    """Return what lies between the two releases for one file."""
    texts = [(download(release, sdists) / path).read_bytes().decode() for release in (bug.before, bug.after)]
    before, after = (text.replace("\r\n", "\n") for text in texts)
    assert before != after
    return Fix(path, before, after)
