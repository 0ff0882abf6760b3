import base64
import contextlib
import os
import subprocess
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.errors import ExitCode, UsageError
from ay_bot.host.config import CONFIG_FILE
from ay_bot.host.policy.check import JudgedDiff, check_diff, read_diff, render_judged
from ay_bot.host.policy.source import open_policy
from tests.host.git_repositories import fingerprint, git, make_repository, write_files

FILES = {
    CONFIG_FILE: "files:\n  - {paths: [vendor/], write: never, reason: it is generated}\n",
    "a.py": "one\n",
    "vendor/x.js": "one\n",
    "Makefile": "all:\n",
    "CODEOWNERS": "* @me\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository", FILES)


def diff_of(repository: Path, files: dict[str, str | bytes], *deleted: str) -> bytes:
    """What git makes of a changed work tree, which is put back afterwards."""
    write_files(repository, files)
    for name in deleted:
        (repository / name).unlink()
    git(repository, "add", "-A")
    diff = subprocess.run(["git", "diff", "--cached", "--binary"], cwd=repository, check=True, capture_output=True)
    git(repository, "reset", "-q", "--hard")
    return diff.stdout


def judge(repository: Path | None, diff: bytes) -> JudgedDiff:
    with open_policy(repository) as source:
        return check_diff(diff, source)


def verdicts(judged: JudgedDiff) -> dict[str, str]:
    return {path.path: path.verdict for path in judged.paths}


def test_each_path_is_judged_by_the_tree(repository: Path) -> None:
    changed = {
        "a.py": "two\n",
        "b/new.py": b"\0\1",
        "vendor/y.js": "x",
        "Makefile": "x",
        ".github/workflows/x.yml": "on",
    }
    diff = diff_of(repository, changed, "CODEOWNERS")
    before = fingerprint(repository)
    judged = judge(repository, diff)
    assert verdicts(judged) == {
        ".github/workflows/x.yml": "withheld",
        "CODEOWNERS": "withheld",
        "Makefile": "review",
        "a.py": "open",
        "b/new.py": "open",
        "vendor/y.js": "withheld",
    }
    assert judged.exit_code == ExitCode.CHANGE_REFUSED
    found = {path.path: path for path in judged.paths}
    assert found["vendor/y.js"].where == f"{CONFIG_FILE}:2"
    assert found["CODEOWNERS"].change == "deleted"
    assert found["CODEOWNERS"].where == "built-in rule codeowners"
    # git marks objects that it would have written again as young; nothing else of the repository is touched.
    assert {path: (mode, digest) for path, (mode, _, digest) in fingerprint(repository).items()} == {
        path: (mode, digest) for path, (mode, _, digest) in before.items()
    }


def test_a_diff_that_may_leave_is_fine(repository: Path) -> None:
    judged = judge(repository, diff_of(repository, {"a.py": "two\n", "Makefile": "x"}))
    assert (judged.exit_code, judged.refused, judged.by_text) == (ExitCode.HANDLED, "", False)
    assert judge(repository, b"").exit_code == ExitCode.HANDLED


def test_both_sides_of_a_move_are_judged(repository: Path) -> None:
    diff = b"diff --git a/CODEOWNERS b/notes.txt\nsimilarity index 100%\nrename from CODEOWNERS\nrename to notes.txt\n"
    assert verdicts(judge(repository, diff)) == {"CODEOWNERS": "withheld", "notes.txt": "open"}
    assert verdicts(judge(None, diff)) == {"CODEOWNERS": "withheld", "notes.txt": "open"}


def test_at_38_a_header_that_lies_is_of_no_use(repository: Path) -> None:
    diff = b"diff --git a/a.py b/a.py\n--- a/CODEOWNERS\n+++ b/CODEOWNERS\n@@ -1 +1 @@\n-* @me\n+* @you\n"
    assert verdicts(judge(repository, diff)) == {"CODEOWNERS": "withheld"}


@pytest.mark.parametrize(
    ("diff", "why"),
    [
        (b"diff --git a/m b/m\nnew file mode 160000\nindex 0000000..%s\n--- /dev/null\n+++ b/m\n@@ -0,0 +1 @@\n+Subproject commit %s\n"
         % (b"1" * 40, b"1" * 40), "is a submodule"),
        (b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n",
         "is a link that leaves the repository"),
        (b"diff --git a/aux.c b/aux.c\nnew file mode 100644\n--- /dev/null\n+++ b/aux.c\n@@ -0,0 +1 @@\n+x\n", "Windows device"),
    ],
)  # fmt: skip
def test_at_36_a_tree_that_attacks_is_refused(repository: Path, diff: bytes, why: str) -> None:
    judged = judge(repository, diff)
    assert why in judged.refused
    assert judged.exit_code == ExitCode.CHANGE_REFUSED


@pytest.mark.parametrize(
    ("diff", "why"),
    [
        (b"hello", "can't be applied"),
        (b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-three\n+two\n", "can't be applied"),
        (b"diff --git a/../x b/../x\nnew file mode 100644\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n", "can't be applied"),
        (b"diff --git a/.git/x b/.git/x\nnew file mode 100644\n--- /dev/null\n+++ b/.git/x\n@@ -0,0 +1 @@\n+x\n", "can't be applied"),
        (b"GIT binary patch\nliteral 1073741824\nzcmV\n", "binary file of more than"),
        (b"GIT binary patch\r\ndelta 99999999999999999999\r\n", "binary file of more than"),
        (b"x" * (8 * 1024 * 1024 + 1), "more than 8388608 bytes"),
        (b"diff --git a/x b/x\n" * 5001, "more than 5000 files"),
    ],
)  # fmt: skip
def test_what_is_no_diff_or_too_much_is_told(repository: Path, diff: bytes, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        judge(repository, diff)


def size_of(number: int) -> bytes:
    """As a delta says it."""
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def delta_bomb(repository: Path, result: int) -> bytes:
    """A diff of a few hundred bytes that says its result has `result`: it copies the old content again and again."""
    old = (repository / "data.bin").read_bytes()
    copy = b"\xf0" + len(old).to_bytes(3, "little")  # from 0, as many bytes as the old content has
    delta = size_of(len(old)) + size_of(result) + copy * (result // len(old))
    packed = zlib.compress(delta)
    lines = b"".join(
        bytes([ord("A") + len(part) - 1 if len(part) <= 26 else ord("a") + len(part) - 27])
        + base64.b85encode(part, pad=True)
        + b"\n"
        for part in (packed[at : at + 52] for at in range(0, len(packed), 52))
    )
    known = git(repository, "rev-parse", "HEAD:data.bin").encode()
    head = b"diff --git a/data.bin b/data.bin\nindex %s..%s 100644\nGIT binary patch\ndelta %d\n" % (
        known,
        b"1" * 40,
        len(delta),
    )
    return head + lines + b"\nliteral 0\nHcmV?d00001\n\n"


def test_at_45_a_delta_that_is_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", {"data.bin": os.urandom(1_000_000)})
    with pytest.raises(UsageError, match="over limit"):
        judge(repository, delta_bomb(repository, 3_000_000_000))
    with pytest.raises(UsageError, match=r"binary patch to 'data.bin' creates incorrect result"):
        judge(repository, delta_bomb(repository, 3_000_000))  # which is to say that such a delta is taken for one


def test_at_37_nothing_is_written_outside(repository: Path, tmp_path: Path) -> None:
    diff = b"".join(
        b"diff --git a/%s b/%s\nnew file mode 100644\n--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n" % (name, name, name)
        for name in (b"%s/pwned" % str(tmp_path).encode(), b"../../pwned", b"a/../../pwned")
    )
    with pytest.raises(UsageError):
        judge(repository, diff)
    assert not list(tmp_path.glob("**/pwned"))


def test_without_a_repository_the_text_is_judged_and_that_is_said(repository: Path) -> None:
    judged = judge(None, diff_of(repository, {".github/workflows/x.yml": "on", "a.py": "two\n"}))
    assert verdicts(judged) == {".github/workflows/x.yml": "withheld", "a.py": "open"}
    assert judged.by_text
    assert "the text of the diff alone" in render_judged(judged)
    with pytest.raises(UsageError, match="names no file"):
        judge(None, b"hello")


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet='diff --git a/b\n+-@ ,019x\t"\\', max_size=200).map(str.encode) | st.binary(max_size=200))
def test_any_text_is_judged_or_refused(diff: bytes) -> None:
    with contextlib.suppress(UsageError):
        judged = judge(None, b"--- a/x\n+++ b/x\n" + diff)
        assert judged.by_text


def test_a_diff_comes_from_a_file_or_from_stdin(tmp_path: Path) -> None:
    (tmp_path / "x.diff").write_bytes(b"abc")
    assert read_diff(str(tmp_path / "x.diff"), BytesIO(b"")) == b"abc"
    assert read_diff("-", BytesIO(b"def")) == b"def"
    with pytest.raises(UsageError, match="can't be read"):
        read_diff(str(tmp_path / "y.diff"), BytesIO(b""))


def test_the_table_steers_no_terminal() -> None:
    judged = judge(None, b"--- a/x\x1b[2J\n+++ b/x\x1b[2J\n@@ -1 +1 @@\n-a\n+b\n")
    assert "\x1b" not in render_judged(judged)
