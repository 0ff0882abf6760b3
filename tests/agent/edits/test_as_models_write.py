"""Replies as models write them: what a person would understand is made, and what is no file's text is never written."""

import json

import pytest

from ay_bot.agent.edits.shell_edit import answer_line

PATH = "src/app.py"
TEXT = "import os\n\n\ndef add(a, b):\n    total = a + b\n    return total\n\n\ndef sub(a, b):\n    return a - b\n"
OLD, NEW = "    total = a + b\n    return total\n", "    return a + b\n"
WANTED = TEXT.replace(OLD, NEW)
BLOCK = f"<<<<<<< SEARCH\n{OLD}=======\n{NEW}>>>>>>> REPLACE\n"
FENCED = f"```python\n{BLOCK}```\n"
PATCH = (
    f"*** Begin Patch\n*** Update File: {PATH}\n@@ def add(a, b):\n-    total = a + b\n-    return total\n"
    "+    return a + b\n*** End Patch\n"
)
DIFF = f"--- a/{PATH}\n+++ b/{PATH}\n@@ -4,3 +4,2 @@\n def add(a, b):\n-    total = a + b\n-    return total\n+    return a + b\n"
CALL = {"path": PATH, "edits": [{"search": OLD, "replace": NEW}]}


def made(reply, form=None):
    """The file afterwards; None if the reply is refused."""
    line = json.dumps({"files": {PATH: TEXT, "README.md": "# Title\n"}, "reply": reply}).encode()
    got = json.loads(answer_line(line, form, parse_only=False))
    assert got["files"].pop("README.md") == "# Title\n"
    assert set(got["files"]) == {PATH}
    return got["files"][PATH] if got["ok"] else None


@pytest.mark.parametrize(
    "name",
    [
        f"File: {PATH}",
        f"**File: `{PATH}`**",
        f"{PATH} (updated)",
        f"In `{PATH}`, change:",
        f"[{PATH}]({PATH})",
        f"{PATH}\n",
        f"{PATH}\n\n",
        f"a/{PATH}",
        "src\\app.py",
    ],
)
def test_names_above_a_block(name):
    assert made(f"{name}\n{FENCED}") == WANTED


@pytest.mark.parametrize("fence", [f"```python {PATH}", f"```python:{PATH}", f'```python title="{PATH}"'])
def test_names_beside_a_fence(fence):
    assert made(f"{fence}\n{BLOCK}```\n") == WANTED


@pytest.mark.parametrize(
    ("head", "end"),
    [
        ("------- SEARCH", "+++++++ REPLACE"),
        ("<<<<<<< SEARCH:", ">>>>>>> REPLACE"),
        ("<<<<<<< search", ">>>>>>> replace"),
        ("<<<<<<< ORIGINAL", ">>>>>>> UPDATED"),
        (f"<<<<<<< SEARCH {PATH}", ">>>>>>> REPLACE"),
    ],
)
def test_other_marks(head, end):
    reply = f"{PATH}\n{head}\n{OLD}=======\n{NEW}{end}\n"
    assert made(reply, "search_replace") == WANTED


def test_a_far_name_is_not_taken_from_above_another_block():
    second = "<<<<<<< SEARCH\n    return a - b\n=======\n    return b - a\n>>>>>>> REPLACE\n"
    assert made(f"{PATH}\n{FENCED}\nAnd:\n\n```python\n{second}```\n") == WANTED.replace("a - b", "b - a")


@pytest.mark.parametrize(
    "path", [f"`{PATH}`", f'"{PATH}"', f"{PATH}:", f"./{PATH}", "src\\app.py"]
)  # not a/src/app.py: Codex takes that as it is
def test_names_in_a_patch(path):
    assert made(PATCH.replace(PATH, path)) == WANTED


@pytest.mark.parametrize(
    "patch",
    [
        PATCH.replace("@@ def", f"--- a/{PATH}\n+++ b/{PATH}\n@@ def"),
        PATCH.replace("*** End", "\\ No newline at end of file\n*** End"),
        f"*** Begin Patch\n{DIFF}*** End Patch\n",
    ],
)
def test_patches_that_are_half_a_diff(patch):
    assert made(patch, "apply_patch") == WANTED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"`{PATH}`", f"`{PATH}`"),
        (f"old/{PATH}", f"new/{PATH}"),
        (f"/{PATH}", f"/{PATH}"),
        (f"a/{PATH} (original)", f"b/{PATH} (modified)"),
        ("a/app.py", "b/app.py"),
    ],
)
def test_names_in_a_diff(old, new):
    assert made(DIFF.replace(f"a/{PATH}", old).replace(f"b/{PATH}", new)) == WANTED


@pytest.mark.parametrize("line", [f"--- a/{PATH}\n", f"+++ b/{PATH}\n"])
def test_half_a_header(line):
    assert made(DIFF.replace(line, "")) == WANTED


@pytest.mark.parametrize("form", ["search_replace", "apply_patch", "udiff", "whole"])
@pytest.mark.parametrize("reply", [f"{PATH}\n{FENCED}", PATCH, f"```diff\n{DIFF}```\n"])
def test_another_format_than_the_one_that_was_asked_for(reply, form):
    assert made(reply, form) == WANTED


@pytest.mark.parametrize(
    "reply",
    [
        f"Sure:\n{json.dumps(CALL)}\nDone {{so}}.\n",
        f"Use {{x}}: {json.dumps(CALL)}",
        json.dumps(CALL).replace("\\n", "\n"),
        json.dumps({"name": "edit", "arguments": CALL}),
        json.dumps({"name": "edit", "arguments": json.dumps(CALL)}),
        json.dumps({"path": PATH, "search": OLD, "replace": NEW}),
        json.dumps({"file_path": PATH, "old_string": OLD, "new_string": NEW}),
        json.dumps({"path": PATH, "edits": CALL["edits"][0]}),
        json.dumps({"path": PATH, "edits": json.dumps(CALL["edits"])}),
        json.dumps({**CALL, "path": f"`{PATH}`"}),
    ],
)
def test_calls_in_a_reply(reply):
    assert made(reply, "edit") == WANTED


def test_every_call_in_a_reply_is_made_or_none():
    other = {"path": PATH, "edits": [{"search": "a - b", "replace": "b - a"}]}
    assert made(f"{json.dumps(CALL)}\n{json.dumps(other)}", "edit") == WANTED.replace("a - b", "b - a")
    missing = {"path": PATH, "edits": [{"search": "not there", "replace": "x"}]}
    assert made(f"{json.dumps(CALL)}\n{json.dumps(missing)}", "edit") is None


@pytest.mark.parametrize(
    "name", [f"Here is the updated `{PATH}`:", f'"{PATH}"', f"{PATH}\n\n", f"[{PATH}]({PATH})", f"1. {PATH}"]
)
def test_names_of_whole_files(name):
    assert made(f"{name}\n```python\n{WANTED}```\n", "whole") == WANTED


@pytest.mark.parametrize(
    "line",
    [
        "# ... existing code ...",
        "# (rest of the file remains unchanged)",
        "# existing code here",
        "# [previous code unchanged]",
        "...",
    ],
)
def test_a_whole_file_with_lines_left_out_is_refused(line):
    assert made(f"{PATH}\n```python\nimport os\n\n{line}\n\ndef sub(a, b):\n    return b - a\n```\n", "whole") is None


def test_a_snippet_beside_prose_is_no_whole_file():
    assert made(f"In `{PATH}` the function `add` is:\n```python\n{NEW}```\n", "whole") is None


def test_what_stands_for_lines_is_not_written():
    search = "def add(a, b):\n    total = a + b\n    return total\n"
    lazy = "def add(a, b):\n    # ... existing code ...\n    return 0\n"
    reply = f"{PATH}\n<<<<<<< SEARCH\n{{}}=======\n{lazy}>>>>>>> REPLACE\n"
    assert made(reply.format(search)) is None
    assert made(reply.format(lazy.replace("0", "total"))) == TEXT.replace("return total", "return 0")
    added = "-def add(a, b):\n+def add(a, b, c):\n+    # ... existing code ...\n"
    assert made(f"--- {PATH}\n+++ {PATH}\n@@\n{added}") is None


def test_a_comment_about_the_rest_is_written():
    for comment in ("# the rest of the code relies on it", "# remaining: two", "# existing users keep their names"):
        reply = f"{PATH}\n<<<<<<< SEARCH\n    return a - b\n=======\n    {comment}\n    return a - b\n>>>>>>> REPLACE\n"
        assert made(reply) == TEXT.replace("    return a - b", f"    {comment}\n    return a - b")


def test_marks_that_the_format_has_not_are_no_file():
    escaped = FENCED.replace("<", "&lt;").replace(">", "&gt;")
    assert made(f"{PATH}\n{escaped}", "whole") is None


@pytest.mark.parametrize("mark", ["{}\t", "{:6}\t", "{:4} | ", "{}:", "*{:5} "])
def test_line_numbers_that_were_copied(mark):
    old = "".join(f"{mark.format(number)}{line}\n" for number, line in enumerate(OLD.splitlines(), 5))
    for new in (NEW, f"{mark.format(5)}{NEW}"):
        assert made(f"{PATH}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n") == WANTED


def test_numbers_that_are_no_count_stay():
    search = "5     total = a + b\n7     return total\n"
    assert made(f"{PATH}\n<<<<<<< SEARCH\n{search}=======\n{NEW}>>>>>>> REPLACE\n") is None


@pytest.mark.parametrize("mark", [">>>>>>> REPLACE", "*** Update File: README.md", "@@ -1,2 +1,3 @@ def f():"])
def test_half_an_edit_in_another_format_is_no_whole_file(mark):
    assert made(f"{PATH}\n```python\n{WANTED}{mark}\n```\n", "whole") is None
    texts = {"files": {"a.md": f"# How\n\n{mark}\n"}, "reply": f"a.md\n```\n# How to\n\n{mark}\n```\n"}
    got = json.loads(answer_line(json.dumps(texts).encode(), "whole", parse_only=False))
    assert got["files"] == {"a.md": f"# How to\n\n{mark}\n"}


def test_a_diff_moves_a_file_only_if_it_says_so():
    assert made(DIFF.replace(f"b/{PATH}", "b/src/app.y")) == WANTED
    moved = f"diff --git a/{PATH} b/b.py\nrename from {PATH}\nrename to b.py\n"
    line = json.dumps({"files": {PATH: TEXT}, "reply": moved + DIFF.replace(f"b/{PATH}", "b/b.py")}).encode()
    assert json.loads(answer_line(line, None, parse_only=False))["files"] == {PATH: None, "b.py": WANTED}
