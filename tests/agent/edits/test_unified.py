"""Unified diffs: those that programs write apply to the byte, those that models write as far as they are clear."""

import difflib
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ay_bot.agent.edits.shell_edit import answer_line
from ay_bot.agent.edits.unified import parse_diff

TEXT = "one\ntwo\nthree\nfour\nfive\n"
DIFF = "--- a/f.txt\n+++ b/f.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"


def applied(reply, files=None):
    files = {"f.txt": TEXT} if files is None else files
    line = json.dumps({"files": files, "reply": reply}).encode()
    return json.loads(answer_line(line, "udiff", parse_only=False))


@pytest.mark.parametrize(
    "reply",
    [
        DIFF,
        f"Here:\n\n```diff\n{DIFF}```\n\nDone.\n- really\n",
        f"Here:\n\n{DIFF}\nDone.\n",
        DIFF.replace("@@ -1,3 +1,3 @@", "@@ ... @@"),
        DIFF.replace("@@ -1,3 +1,3 @@", "@@"),
        DIFF.replace("@@ -1,3 +1,3 @@", "@@ -7,30 +9,1 @@ def f():"),
        DIFF.replace("@@ -1,3 +1,3 @@\n", ""),
        DIFF.replace("a/", "").replace("b/", ""),
        DIFF.replace("a/f.txt", "f.txt\t2024-01-01").replace("b/f.txt", "f.txt\t2024-01-02"),
        DIFF.replace("\n", "\r\n"),
        f"```diff\n{DIFF.replace(' one', 'one').replace(' three', 'three')}```\n",
        f"diff --git a/f.txt b/f.txt\nindex 1234567..89abcde 100644\n{DIFF}-- \n2.39.0\n",
        DIFF.removeprefix("--- a/f.txt\n+++ b/f.txt\n"),
        DIFF.replace("a/f.txt", "f.txt.orig").replace("b/f.txt", "f.txt"),
    ],
)
def test_ways_of_writing(reply):
    answer = applied(reply)
    assert answer["ok"], answer
    assert answer["files"] == {"f.txt": TEXT.replace("two", "TWO")}


def test_new_deleted_and_moved_files():
    reply = (
        "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+hello\n"
        "diff --git a/gone.txt b/gone.txt\n--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n"
        "diff --git a/f.txt b/g.txt\nsimilarity index 90%\nrename from f.txt\nrename to g.txt\n"
        "--- a/f.txt\n+++ b/g.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n"
    )
    answer = applied(reply, {"f.txt": TEXT, "gone.txt": "bye\n"})
    assert answer["ok"], answer
    assert answer["files"] == {
        "f.txt": None,
        "gone.txt": None,
        "g.txt": TEXT.replace("two", "TWO"),
        "new.txt": "hello\n",
    }


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (DIFF.replace("-two", "-tow"), "does not stand"),
        ("--- a/f.txt\n+++ b/f.txt\n@@ @@\n+x\n", "can't be placed"),
        ("--- a/f.txt\n+++ /dev/null\n@@ @@\n-one\n", "more lines"),
        ("--- /dev/null\n+++ b/f.txt\n@@ @@\n+x\n", "exists"),
        ("--- a/f.txt\n+++ b/f.txt\n@@ @@\n one\n", "changes nothing"),
        ("diff --git a/f.txt b/f.txt\nBinary files a/f.txt and b/f.txt differ\n", "binary"),
        ("--- a/none.txt\n+++ b/none.txt\n@@ @@\n-x\n+y\n", "does not exist"),
        ("--- a/../up.txt\n+++ b/../up.txt\n@@ @@\n+y\n", "not a path within"),
    ],
)
def test_refusals(reply, says):
    answer = applied(reply)
    assert not answer["ok"]
    assert answer["files"] == {"f.txt": TEXT}
    assert any(says in result["reason"] for result in answer["results"]), answer


def test_one_bad_hunk_holds_the_others():
    answer = applied(DIFF + "@@ @@\n-nothing like it\n+x\n")
    assert [result["status"] for result in answer["results"]] == ["held", "refused"]
    assert answer["files"] == {"f.txt": TEXT}


def test_the_line_of_the_header_decides_between_equal_places():
    files = {"f.txt": "a\nx\nb\nx\nc\n"}
    assert applied("--- f.txt\n+++ f.txt\n@@ -4 +4 @@\n-x\n+y\n", files)["files"]["f.txt"] == "a\nx\nb\ny\nc\n"
    assert not applied("--- f.txt\n+++ f.txt\n@@ -3 +3 @@\n-x\n+y\n", files)["ok"]


def test_lines_that_look_like_headers():
    files = {"q.sql": "select 1;\n-- old\nselect 2;\n"}
    reply = "--- a/q.sql\n+++ b/q.sql\n@@ -1,3 +1,3 @@\n select 1;\n--- old\n+++ new\n select 2;\n"
    assert applied(reply, files)["files"]["q.sql"] == "select 1;\n++ new\nselect 2;\n"


def test_the_last_newline_comes_and_goes_if_the_diff_says_so():
    gone = "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n\\ No newline at end of file\n"
    assert applied(gone, {"f": "a\nb\n"})["files"]["f"] == "a\nB"
    come = "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n"
    assert applied(come, {"f": "a\nb"})["files"]["f"] == "a\nB\n"


def test_quoted_names():
    (diff,) = parse_diff('--- "a/caf\\303\\251.txt"\n+++ "b/caf\\303\\251.txt"\n@@ -1 +1 @@\n-a\n+b\n')
    assert diff.path == "caf\u00e9.txt"


LINE = st.sampled_from(
    ["a", "b", "  c", "- d", "+ e", "-- f", "@@ g", "\\ h", "", "```", "--- x", "+++ y", "diff --git"]
)
END = st.sampled_from(["\n", "\r\n"])


@given(old=st.lists(LINE, max_size=12), new=st.lists(LINE, max_size=12), end=END, fenced=st.booleans())
def test_diffs_by_a_program_apply_to_the_byte(old, new, end, fenced):
    assume(old != new and old and new)
    diff = "".join(
        difflib.unified_diff([f"{line}\n" for line in old], [f"{line}\n" for line in new], "a/f.txt", "b/f.txt", n=20)
    )
    reply = f"```diff\n{diff}```\n" if fenced else diff
    answer = applied(reply, {"f.txt": "".join(line + end for line in old)})
    assert answer["files"]["f.txt"] == "".join(line + end for line in new), answer


@given(st.lists(LINE | st.sampled_from(["--- a/f.txt", "+++ b/f.txt", "@@ -1,2 +1,2 @@"]), max_size=14))
def test_nothing_crashes(lines):
    answer = applied("\n".join(lines))
    assert answer["ok"] or answer["files"] == {"f.txt": TEXT}
