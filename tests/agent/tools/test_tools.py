"""The tools on real files and with real commands."""

import os
import shutil
import sys

import pytest

from ay_bot.agent.commands import run_command
from ay_bot.agent.tools.registry import TOOLS
from ay_bot.agent.tools.run_tests import count_tests
from ay_bot.agent.tools.workbench import Workbench


@pytest.fixture
def bench(tmp_path):
    root, scratch = tmp_path / "work", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    return Workbench(root=root, scratch=scratch, run=run_command, output_limit=4_000)


def use(bench, tool, **arguments):
    return TOOLS[tool].run(arguments, bench)


# ----------------------------------------------------------------- read


def test_read_by_pages(bench):
    (bench.root / "long").write_text("".join(f"line {n}\n" for n in range(1, 1001)))
    first = use(bench, "read", path="long")
    head, _, rest = first.text.partition("\n")
    assert head.startswith("[lines 1-")
    assert "of 1000; go on with start=" in head
    assert len(first.text) < 4_100
    following = int(head.rpartition("=")[2].rstrip("]"))
    assert use(bench, "read", path="long", start=following).text.splitlines()[1] == f"line {following}"
    assert rest.splitlines()[-1] == f"line {following - 1}"
    assert (
        use(bench, "read", path="long", start=5, end=6).text
        == "[lines 5-6 of 1000; go on with start=7]\nline 5\nline 6"
    )


def test_read_what_is_odd(bench):
    (bench.root / "empty").write_text("")
    (bench.root / "binary").write_bytes(b"\x00\x01")
    (bench.root / "latin").write_bytes(b"caf\xe9\r\n")
    (bench.root / "minified").write_text("x" * 9_000)
    os.mkfifo(bench.root / "pipe")
    assert use(bench, "read", path="empty").text == "(empty file)"
    assert "binary" in use(bench, "read", path="binary").text
    assert use(bench, "read", path="latin").text == "café"
    assert "9,000 characters" in use(bench, "read", path="minified").text
    assert "neither" in use(bench, "read", path="pipe").text
    assert not use(bench, "read", path="empty", start=3).failure
    assert "has 1 line" in use(bench, "read", path="latin", start=3).text


def test_read_suggests_the_path(bench):
    (bench.root / "src/deep").mkdir(parents=True)
    (bench.root / "src/deep/model.py").write_text("x\n")
    result = use(bench, "read", path="model.py")
    assert not result.ok
    assert "src/deep/model.py" in result.text


def test_list_a_directory(bench):
    (bench.root / "src").mkdir()
    (bench.root / ".git").mkdir()
    (bench.root / "node_modules").mkdir()
    (bench.root / "src/a.py").write_text("")
    (bench.root / "z").write_text("")
    assert use(bench, "read", path=".").text.splitlines() == ["node_modules/ (not listed)", "src/a.py", "z"]
    for n in range(300):
        (bench.root / "src" / f"f{n:03}").write_text("")
    assert "cut at 200" in use(bench, "read", path=str(bench.root)).text


def test_links_do_not_lead_out(bench, tmp_path):
    (tmp_path / "secret").write_text("s")
    (bench.root / "out").symlink_to(tmp_path / "secret")
    (bench.root / "up").symlink_to(tmp_path)
    assert "outside" in use(bench, "read", path="out").text
    for path in ("out", "up/new", "../new", "/etc/new", ".git/config", "sub/.GIT/config"):
        result = use(bench, "edit", path=path, edits=[{"search": "", "replace": "x"}])
        assert not result.ok, path
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "secret").read_text() == "s"


# ----------------------------------------------------------------- search


@pytest.fixture(params=["ripgrep", "python"])
def searcher(request, monkeypatch):
    if request.param == "python":
        monkeypatch.setattr(shutil, "which", lambda *_: None)
    elif not shutil.which("rg"):
        pytest.skip("ripgrep is not installed")


@pytest.mark.usefixtures("searcher")
def test_search(bench):
    (bench.root / "src").mkdir()
    (bench.root / ".git").mkdir()
    (bench.root / ".git/x").write_text("needle")
    (bench.root / "src/a b.py").write_text("one\nneedle (1)\n")
    (bench.root / "-c").write_text("needle 2\n")
    assert use(bench, "search", pattern=r"needle \(?\d").text.splitlines() == [
        "-c:1:needle 2",
        "src/a b.py:2:needle (1)",
    ]
    assert use(bench, "search", pattern="needle", path="src").text == "src/a b.py:2:needle (1)"
    assert use(bench, "search", pattern="needle", path="-c").text == "-c:1:needle 2"
    assert use(bench, "search", pattern="no such thing").text == "no matches"
    assert use(bench, "search", pattern="-needle").text == "no matches"
    assert not use(bench, "search", pattern="(").ok
    assert "does not exist" in use(bench, "search", pattern="x", path="nowhere").text
    (bench.root / "many").write_text("needle\n" * 500)
    (bench.root / "wide").write_text("needle" + "x" * 5_000 + "\n")
    result = use(bench, "search", pattern="needle")
    assert len(result.text) < 4_300
    assert "at most 30 lines of each file" in result.text
    assert "cut at 100 lines" not in result.text


# ----------------------------------------------------------------- edit and apply_patch


def test_edit_is_all_or_nothing(bench):
    path = bench.root / "a.py"
    path.write_text("x = 1\ny = 2\n")
    bad = use(
        bench, "edit", path="a.py", edits=[{"search": "x = 1", "replace": "x = 3"}, {"search": "z = 9", "replace": "q"}]
    )
    assert not bad.ok
    assert "nothing was written; 1 of 2" in bad.text
    assert path.read_text() == "x = 1\ny = 2\n"
    good = use(
        bench,
        "edit",
        path=str(path),
        edits=[{"search": "x = 1", "replace": "x = 3"}, {"search": "y = 2", "replace": "y = 4"}],
    )
    assert good.ok
    assert path.read_text() == "x = 3\ny = 4\n"


def test_edit_keeps_mode_and_creates_files(bench):
    path = bench.root / "run.sh"
    path.write_text("echo 1\n")
    path.chmod(0o750)
    use(bench, "edit", path="run.sh", edits=[{"search": "echo 1", "replace": "echo 2"}])
    assert path.stat().st_mode & 0o777 == 0o750
    assert use(bench, "edit", path="new/dir/file", edits=[{"search": "", "replace": "hello\n"}]).ok
    assert (bench.root / "new/dir/file").read_text() == "hello\n"
    assert "does not exist" in use(bench, "edit", path="other", edits=[{"search": "x", "replace": "y"}]).text
    assert [name for name in os.listdir(bench.root) if name.startswith(".edit-")] == []


def test_edit_understands_other_spellings(bench):
    (bench.root / "a").write_text("one\n")
    assert use(bench, "edit", file_path="a", edits={"old_string": "one", "new_string": "two"}).ok
    assert use(bench, "edit", path="a", edits='[{"search": "two", "replace": "three"}]').ok
    assert (bench.root / "a").read_text() == "three\n"


def test_a_new_syntax_error_is_told_at_once(bench):
    (bench.root / "a.py").write_text("x = 1\n")
    result = use(bench, "edit", path="a.py", edits=[{"search": "x = 1", "replace": "x = ("}])
    assert result.ok
    assert "no longer valid Python: line 1" in result.text
    result = use(bench, "edit", path="a.py", edits=[{"search": "x = (", "replace": "x = (("}])
    assert "valid Python" not in result.text


def test_after_two_failures_the_file_is_shown(bench):
    (bench.root / "a").write_text("alpha\nbeta\n")
    attempt = {"path": "a", "edits": [{"search": "gamma", "replace": "x"}]}
    assert "alpha" not in use(bench, "edit", **attempt).text
    assert "a is now:\nalpha\nbeta" in use(bench, "edit", **attempt).text


def test_a_file_that_is_not_utf8_keeps_its_bytes(bench):
    path = bench.root / "latin"
    path.write_bytes(b"caf\xe9\r\nold\r\n")
    assert use(bench, "edit", path="latin", edits=[{"search": "old", "replace": "new"}]).ok
    assert path.read_bytes() == b"caf\xe9\r\nnew\r\n"
    refused = use(bench, "edit", path="latin", edits=[{"search": "new", "replace": "\u4e2d"}])
    assert not refused.ok
    assert path.read_bytes() == b"caf\xe9\r\nnew\r\n"


def test_apply_patch_over_several_files(bench):
    (bench.root / "a").write_text("1\n2\n3\n")
    (bench.root / "b").write_text("b\n")
    patch = "*** Begin Patch\n*** Update File: a\n@@\n 1\n-2\n+two\n 3\n*** Add File: c/d\n+new\n*** Delete File: b\n*** End Patch"
    assert use(bench, "apply_patch", patch=patch).ok
    assert (bench.root / "a").read_text() == "1\ntwo\n3\n"
    assert (bench.root / "c/d").read_text() == "new\n"
    assert not (bench.root / "b").exists()
    again = use(bench, "apply_patch", patch=patch)
    assert "b does not exist" in again.text
    assert "line 2 of the patch" in use(bench, "apply_patch", input="*** Begin Patch\nx\n*** End Patch").text
    outside = "*** Begin Patch\n*** Add File: ../x\n+x\n*** End Patch"
    assert "outside" in use(bench, "apply_patch", patch=outside).text


# ----------------------------------------------------------------- shell and run_tests


def test_shell(bench):
    assert use(bench, "shell", command="echo hello; pwd").text == f"hello\n{bench.root}"
    assert use(bench, "shell", command="true").text == "[exit code 0, no output]"
    failed = use(bench, "shell", command="echo no >&2; exit 3")
    assert failed.text == "no\n[exit code 3]"
    assert not failed.ok
    assert not failed.failure


def test_shell_time_limit(bench):
    result = use(bench, "shell", command="echo begun; sleep 30", timeout=0.3)
    assert "begun" in result.text
    assert "time limit of 0.3 s" in result.text


def test_long_output_is_on_disk(bench):
    result = use(bench, "shell", command="seq 1 20000")
    assert len(result.text) < 4_300
    assert result.text.startswith("1\n2\n")
    log = result.text.rpartition(": ")[2].rstrip("]")
    page = use(bench, "read", path=log, start=10_000, end=10_001)
    assert "10000\n10001" in page.text
    assert not use(bench, "edit", path=log, edits=[{"search": "10000", "replace": "x"}]).ok


def test_run_tests(bench):
    (bench.root / "test_it.py").write_text("def test_good(): pass\ndef test_bad(): assert 1 == 2\n")
    bench.test_command = f"{sys.executable} -m pytest -q -p no:cacheprovider"
    failing = use(bench, "run_tests")
    assert not failing.ok
    first, second = failing.text.splitlines()[:2]
    assert first == "tests FAILED, exit code 1: 1 failed, 1 passed"
    assert "FAILURES" in second
    assert "assert 1 == 2" in failing.text
    (bench.root / "test_it.py").write_text("def test_good(): pass\n")
    assert use(bench, "run_tests").text == "tests passed: 1 passed"
    bench.test_command = ""
    assert "no test command" in use(bench, "run_tests").text


NOISE = "".join(f"test_{n} ... ok, and many words about it\n" for n in range(600))


@pytest.mark.parametrize(
    ("failures", "tail"),
    [
        (
            "=================== FAILURES ===================\n___ test_bad ___\nE assert 1 == 2\n",
            "1 failed, 600 passed in 2s",
        ),
        ("ERROR: test_bad (x.T)\nTraceback\nKeyError: 1\n", "Ran 601 tests in 1s\n\nFAILED (errors=1)"),
        ("failures:\n\n---- tests::bad stdout ----\nleft: 1\n", "test result: FAILED. 600 passed; 1 failed"),
        ("  ● sums adds\n\n    expect(1).toBe(2)\n", "Tests:       1 failed, 600 passed, 601 total"),
        ("    --- FAIL: TestBad/one (0.00s)\n        x_test.go:3: got 1\n", "FAIL\nexit status 1"),
        ("  1 failing\n\n  1) sums adds:\n     AssertionError\n", "npm ERR! Test failed."),
        ("Failures:\n\n  1) Sums adds\n     expected 2\n", "601 examples, 1 failure"),
        (
            "There was 1 failure:\n\n1) SumsTest::testBad\nFailed asserting\n",
            "Tests: 601, Assertions: 601, Failures: 1.",
        ),
        ("not ok 3 - adds\n  ---\n  error: 1 == 2\n", "# fail 1"),
        ("[ERROR] Tests run: 1, Failures: 1 <<< FAILURE! - in SumsTest\nexpected: 2\n", "[INFO] BUILD FAILURE"),
        ("SumsTest > adds FAILED\n    AssertionFailedError at SumsTest.java:3\n", "BUILD FAILED in 2s"),
        ("error[E0425]: cannot find value `x`\n --> src/lib.rs:2:5\n", "error: could not compile"),
        ("src/a.c:3:5: error: expected ';'\n", "make: *** [all] Error 1"),
    ],
)
def test_what_failed_comes_first_and_then_the_end(bench, failures, tail):
    (bench.root / "output").write_text(f"{NOISE}{failures}{tail}\n", encoding="utf-8")
    bench.test_command = "cat output; exit 1"
    bench.output_limit = 30_000
    told = use(bench, "run_tests").text
    head, _, rest = told.partition("\n")
    assert head.startswith("tests FAILED, exit code 1")
    assert rest.lstrip().startswith(failures.strip().splitlines()[0].strip())
    assert "... ok" not in rest
    assert tail.splitlines()[-1] in rest
    assert "[whole output: " in rest


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("==== 3 failed, 12 passed, 1 skipped in 2.1s ====", "3 failed, 12 passed, 1 skipped"),
        ("2 passed in 0.01s", "2 passed"),
        ("Ran 5 tests in 0.1s\n\nFAILED (failures=1)", "Ran 5 tests in 0.1s; FAILED (failures=1)"),
        ("Ran 5 tests in 0.1s\n\nOK", "Ran 5 tests in 0.1s; OK"),
        ("Tests:       1 failed, 5 passed, 6 total", "Tests:       1 failed, 5 passed, 6 total"),
        ("test result: FAILED. 3 passed; 1 failed; 0 ignored", "test result: FAILED. 3 passed; 1 failed"),
        ("  12 passing (3s)\n  1 failing", "12 passing (3s)"),
        ("5 examples, 1 failure", "5 examples, 1 failure"),
        ("Tests: 3, Assertions: 3, Failures: 1.", "Tests: 3, Assertions: 3, Failures: 1."),
        ("[ERROR] Tests run: 3, Failures: 1, Errors: 0", "Tests run: 3, Failures: 1, Errors: 0"),
        ("      Tests  1 failed | 5 passed (6)", "Tests  1 failed | 5 passed (6)"),
        ("nothing to see", ""),
    ],
)
def test_counts(output, counts):
    assert count_tests(output) == counts


def test_which_of_several_is_told_and_taken(bench):
    (bench.root / "a").write_text("x = 1\ny\nx = 1\n")
    refused = use(bench, "edit", path="a", edits=[{"search": "x = 1", "replace": "x = 2"}])
    assert '"occurrence": 1 for the first' in refused.text
    assert use(bench, "edit", path="a", edits=[{"search": "x = 1", "replace": "x = 2", "occurrence": 2}]).ok
    assert (bench.root / "a").read_text() == "x = 1\ny\nx = 2\n"
