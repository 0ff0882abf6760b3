"""What holds of an edit in whichever of the five formats it comes: bytes that stay, all or nothing, syntax errors."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.commands import run_command
from ay_bot.agent.edits.memory import stage_texts
from ay_bot.agent.edits.parts import find_parts
from ay_bot.agent.edits.syntax import new_syntax_errors, syntax_error
from ay_bot.agent.tools.edit_text import EDIT_TEXT
from ay_bot.agent.tools.registry import TOOLS
from ay_bot.agent.tools.workbench import Workbench

FORMATS = ["edit", "apply_patch", "search_replace", "udiff", "whole", "the edit tool", "the apply_patch tool"]
KEEP, OLD, NEW = "keep_it = 1", "old = 2", "new = 3"


@pytest.fixture
def bench(tmp_path):
    root, scratch = tmp_path / "work", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    return Workbench(root=root, scratch=scratch, run=run_command)


def change(bench, form, *files, old=OLD, new=NEW, keep=KEEP):
    """Replace a line of files that have two."""
    if form == "the edit tool":
        (path,) = files
        return TOOLS["edit"].run({"path": path, "edits": [{"search": old, "replace": new}]}, bench)
    text = {
        "edit": lambda: json.dumps({"edits": [{"path": path, "search": old, "replace": new} for path in files]}),
        "apply_patch": lambda: "*** Begin Patch\n" + "".join(f"*** Update File: {path}\n@@\n {keep}\n-{old}\n+{new}\n" for path in files) + "*** End Patch\n",
        "search_replace": lambda: "".join(f"{path}\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n\n" for path in files),
        "udiff": lambda: "".join(f"```diff\n--- {path}\n+++ {path}\n@@ @@\n {keep}\n-{old}\n+{new}\n```\n" for path in files),
        "whole": lambda: "".join(f"{path}\n```\n{keep}\n{new}\n```\n" for path in files),
    }  # fmt: skip
    if form == "the apply_patch tool":
        return TOOLS["apply_patch"].run({"patch": text["apply_patch"]()}, bench)
    return EDIT_TEXT.run({"form": form, "text": text[form]()}, bench)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"keep_it = 1\nold = 2\n", b"keep_it = 1\nnew = 3\n"),
        (b"keep_it = 1\r\nold = 2\r\n", b"keep_it = 1\r\nnew = 3\r\n"),
        (b"keep_it = 1\r\nold = 2\n", b"keep_it = 1\r\nnew = 3\n"),
        (b"\xef\xbb\xbfkeep_it = 1\nold = 2\n", b"\xef\xbb\xbfkeep_it = 1\nnew = 3\n"),
        (b"keep_it = 1\nold = 2", b"keep_it = 1\nnew = 3"),
        (b"keep_it = 1   \nold = 2\n", b"keep_it = 1   \nnew = 3\n"),
    ],
    ids=["plain", "CRLF", "mixed endings", "byte order mark", "no last newline", "trailing space"],
)
def test_bytes_outside_the_change_are_kept(bench, form, before, after):
    path = bench.root / "a.py"
    path.write_bytes(before)
    path.chmod(0o755)
    done = change(bench, form, "a.py")
    assert done.ok, done.text
    if form == "whole" and b"   " in before:  # it gives every line
        after = after.replace(b"   ", b"")
    if "patch" in form and b"\r\nold = 2\n" in before:  # Codex gives what is new the ending of the first line
        after = after.replace(b"new = 3\n", b"new = 3\r\n")
    assert path.read_bytes() == after
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_file_that_a_patch_adds_again_keeps_its_bytes_too(bench):
    path = bench.root / "a.py"
    path.write_bytes(b"\xef\xbb\xbfkeep_it = 1\r\nold = 2\r\n")
    path.chmod(0o755)
    patch = "*** Begin Patch\n*** Add File: a.py\n+keep_it = 1\n+new = 3\n*** End Patch\n"
    assert TOOLS["apply_patch"].run({"patch": patch}, bench).ok
    assert path.read_bytes() == b"\xef\xbb\xbfkeep_it = 1\r\nnew = 3\r\n"
    assert path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_not_utf8_is_kept_or_refused(bench, form):
    path = bench.root / "a.txt"
    path.write_bytes(b"caf\xe9 = 1\r\nold = 2\r\n")
    assert change(bench, form, "a.txt", keep="caf\u00e9 = 1").ok
    assert path.read_bytes() == b"caf\xe9 = 1\r\nnew = 3\r\n"
    refused = change(bench, form, "a.txt", old=NEW, new="\u4e2d", keep="caf\u00e9 = 1")
    assert "not UTF-8" in refused.text
    assert path.read_bytes() == b"caf\xe9 = 1\r\nnew = 3\r\n"


@pytest.mark.parametrize("form", FORMATS[:5])
def test_all_or_nothing(bench, form):
    (bench.root / "a.py").write_text(f"{KEEP}\n{OLD}\n")
    (bench.root / "b.py").write_bytes(b"\0" if form == "whole" else b"nothing of it\n")
    refused = change(bench, form, "a.py", "b.py")
    assert not refused.ok
    assert "b.py" in refused.text
    assert (bench.root / "a.py").read_text() == f"{KEEP}\n{OLD}\n"


@pytest.mark.parametrize("form", FORMATS)
def test_a_new_syntax_error_is_told_in_the_same_result(bench, form):
    (bench.root / "a.py").write_text(f"{KEEP}\n{OLD}\n")
    done = change(bench, form, "a.py", new="new = (3")
    assert done.ok
    assert "warning: a.py is no longer valid Python: line 2: " in done.text
    assert "1 syntax error" in done.outcome
    assert "warning" not in change(bench, form, "a.py", old="new = (3", new="new = (4").text, "it is not new"


GOOD_AND_BAD = {
    ".py": ("x = 1\n", "x = (\n", 1),
    ".json": ('{"a": 1}\n', '{"a": 1\n', 2),
    ".toml": ("a = 1\n", "a = \n", 1),
    ".sh": ("if true; then echo a; fi\n", "if true; then\n  echo a\n", 3),
    ".js": ("const a = (b) => b + 1;\n", "const a = (b => {\n", 1),
    ".ts": ("const a: number = 1;\n", "const a: number = ;\n", 1),
    ".tsx": ("const a = <p>x</p>;\n", "const a = <p>x</b;\n", 1),
    ".go": ("package a\n\nfunc f() int { return 1 }\n", "package a\n\nfunc f() int { return 1\n", 4),
    ".rs": ("fn f() -> i32 { 1 }\n", "fn f() -> i32 { 1\n", 1),
    ".java": ("class A { int f() { return 1; } }\n", "class A { int f() { return 1; }\n", 1),
    ".c": ("int f(void) { return 1; }\n", "int f(void) { return 1;\n", 1),
    ".cpp": ("class A { int f(); };\n", "class A { int f();\n", 1),
    ".cs": ("class A { int F() { return 1; } }\n", "class A { int F() { return 1; }\n", 1),
    ".kt": ("class A {\n    fun f(): Int = g(1)\n}\n", "class A {\n    fun f(): Int = g(1\n}\n", 2),
    ".kts": ("val a = listOf(1)\n", "val a = listOf(1\n", 1),
    ".scala": ("object A { def f(b: Int): Int = { b + 1 } }\n", "object A { def f(b: Int: Int = { b + 1 } }\n", 1),
    ".rb": ("def f\n  1\nend\n", "def f\n  1\n", 1),
    ".php": ("<?php\nfunction f() { return 1; }\n", "<?php\nfunction f() { return 1;\n", 2),
}


@pytest.mark.parametrize("suffix", GOOD_AND_BAD)
def test_languages_that_are_looked_at(suffix):
    good, bad, line = GOOD_AND_BAD[suffix]
    assert syntax_error(suffix, good.encode()) == ""
    assert f"line {line}" in syntax_error(suffix, bad.encode())


LONG = "".join(f"def f{n}(a):\n    b = a + {n}\n\n    return b\n\n\n" for n in range(3_000))
CLASS = "class A:\n" + "".join(
    f"    @staticmethod\n    def f{n}(a):\n        b = a + {n}\n\n        return b\n\n" for n in range(3_000)
)
JS = "".join(f"function f{n}(a) {{\n  const b = a + {n};\n\n  return b;\n}}\n\n" for n in range(3_000))


def told_of(name, before, after):
    stage = stage_texts({name: before})
    stage.write(Path(name), name, after.encode())
    return new_syntax_errors(stage)


@pytest.mark.parametrize(
    ("name", "text", "old", "new", "sound"),
    [
        ("a.py", LONG, "b = a + 1500\n", "b = a + 1\n\nc = 2\n", False),
        ("a.py", LONG, "b = a + 1500\n", "b = a + (1500\n", False),
        ("a.py", LONG, "b = a + 1500\n", "b = a * 1500\n    c = [\n        1]\n", True),
        ("a.py", LONG, "    return b\n\n\ndef f2(a):\n", '    return """b\n\n\ndef f2(a):\n', False),
        ("a.py", LONG, "def f0(a):\n", "def f0(a:\n", False),
        ("a.py", LONG, "def f2999(a):\n", "def f2999(a)\n", False),
        ("a.py", CLASS, "b = a + 1500\n", "b = a + 1\n\n     c = 2\n", False),
        ("a.py", CLASS, "b = a + 1500\n", "b = a + 1\n\n        c = 2\n", True),
        ("a.py", CLASS, "b = a + 1500\n", "b = a + 1\n\nc = 2\n", False),
        (
            "a.py",
            CLASS,
            "    @staticmethod\n    def f9(a):\n",
            "    @staticmethod\n    f9 = 1\n\n    def f9(a):\n",
            False,
        ),
        ("a.py", LONG, "def f7(a):\n    b = a + 7\n\n    return b\n\n\n", "", True),
        ("a.js", JS, "const b = a + 1500;", "const b = (a + 1500;", False),
        ("a.js", JS, "const b = a + 1500;", "const c = a;\n\n  const b = c;", True),
        ("a.js", JS, "  return b;\n}\n\nfunction f9(", "  return b;\n\nfunction f9(", False),
    ],
)
def test_of_a_long_file_the_change_decides(name, text, old, new, sound):
    after = text.replace(old, new, 1)
    assert after != text
    assert (told_of(name, text, after) == {}) == sound == (syntax_error(name[1:], after.encode()) == "")


@given(st.lists(st.sampled_from([b"a", b" b", b"", b"}", b"def c", b" def d"]), max_size=12), st.data())
def test_a_part_that_changed_is_put_back_to_the_whole(lines, data):
    change = data.draw(st.lists(st.sampled_from([b"x", b" y", b""]), max_size=3))
    at = data.draw(st.integers(0, len(lines)))
    until = data.draw(st.integers(at, len(lines)))
    before, after = b"\n".join(lines), b"\n".join([*lines[:at], *change, *lines[until:]])
    for definitions in (True, False):
        for old, new in find_parts(before, after, definitions=definitions):
            assert old.startswith(b"if 1:\n") == new.startswith(b"if 1:\n")
            part, put = old.removeprefix(b"if 1:\n"), new.removeprefix(b"if 1:\n")
            places = [n for n in range(len(before) + 1) if before.startswith(part, n)]
            assert any(before[:n] + put + before[n + len(part) :] == after for n in places)


def test_what_nobody_can_tell_is_not_told():
    assert syntax_error(".txt", b"(((") == ""
    assert syntax_error("", b"(((") == ""
    assert syntax_error(".py", b"(" * 2_000_000) == ""
    assert syntax_error(".json", b"[" * 100_000) != ""
    assert syntax_error(".js", b"\xff\xfe(") != ""


def test_an_edit_of_ten_thousand_lines_takes_no_time(bench):
    """The measure is `benchmarks/editing.py`; this holds that nobody makes it ten times as slow."""
    path = bench.root / "a.py"
    taken = []
    for number in range(100, 109):
        path.write_text(LONG[: 60_000 * 4])
        started = time.thread_time()
        assert change(bench, "the edit tool", "a.py", old=f"b = a + {number}\n", new=f"b = a * {number}\n").ok
        taken.append(time.thread_time() - started)
    assert sorted(taken)[4] < 0.1
