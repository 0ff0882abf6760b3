"""`ay-bot edit`: lines in and out, all or nothing, and what a bad line does."""

import io
import json
import time
from typing import get_args

import pytest

from ay_bot.agent.edits.formats import Format, guess_format
from ay_bot.agent.edits.shell_edit import answer_line
from ay_bot.cli import app
from ay_bot.errors import UsageError

PY = "def f():\n    return 1\n"
REPLIES = {
    "search_replace": "a.py\n```\n<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n```\n",
    "apply_patch": "*** Begin Patch\n*** Update File: a.py\n@@ def f():\n-    return 1\n+    return 2\n*** End Patch\n",
    "udiff": "```diff\n--- a.py\n+++ a.py\n@@ @@\n-    return 1\n+    return 2\n```\n",
    "whole": "a.py\n```\ndef f():\n    return 2\n```\n",
    "edit": '{"path": "a.py", "edits": [{"search": "return 1", "replace": "return 2"}]}',
}


def answer(*, parse_only=False, form=None, **request):
    return json.loads(answer_line(json.dumps(request).encode(), form, parse_only=parse_only))


@pytest.mark.parametrize("form", REPLIES)
def test_each_format_is_guessed_and_applied(form):
    assert guess_format(REPLIES[form]) == form
    got = answer(id="x", files={"a.py": PY, "b.py": "b\n"}, reply=REPLIES[form])
    assert (got["id"], got["ok"]) == ("x", True)
    assert got["files"] == {"a.py": PY.replace("1", "2"), "b.py": "b\n"}
    (result,) = got["results"]
    assert (result["path"], result["status"]) == ("a.py", "applied")
    assert result["pass"]


@pytest.mark.parametrize("form", REPLIES)
def test_each_format_is_only_parsed(form):
    got = answer(reply=REPLIES[form], parse_only=True)
    (edit,) = got["edits"]
    assert got["ok"]
    assert edit["path"] == "a.py"
    assert "return 2" in edit.get("replace", edit.get("content"))


def test_all_or_nothing():
    edits = [
        {"path": "a.py", "search": "return 1", "replace": "return 2"},
        {"path": "b.py", "search": "x", "replace": "y"},
        {"path": "new/c.py", "search": "", "replace": "c\n"},
    ]
    got = answer(files={"a.py": PY, "b.py": "b\n"}, edits=edits)
    assert not got["ok"]
    assert got["files"] == {"a.py": PY, "b.py": "b\n"}
    assert [result["status"] for result in got["results"]] == ["held", "refused", "held"]
    got = answer(files={"a.py": PY, "b.py": "x\n"}, edits=edits)
    assert got["files"] == {"a.py": PY.replace("1", "2"), "b.py": "y\n", "new/c.py": "c\n"}


def test_done_before_is_no_failure():
    got = answer(
        files={"a.txt": "a\nnew line\n"}, edits=[{"path": "a.txt", "search": "old line\n", "replace": "new line\n"}]
    )
    assert (got["ok"], got["results"][0]["status"]) == (True, "already")


def test_good_blocks_are_held_beside_a_malformed_one():
    got = answer(files={"a.py": PY}, reply=REPLIES["search_replace"] + "a.py\n```\n<<<<<<< SEARCH\nx\n```\n")
    assert [result["status"] for result in got["results"]] == ["held", "malformed"]
    assert got["files"] == {"a.py": PY}


def test_a_shell_command_is_not_run():
    got = answer(files={"a.py": PY}, reply=REPLIES["search_replace"] + "```bash\nrm -r x\n```\n")
    assert got["ok"]
    assert got["results"][1]["status"] == "ignored"


def test_a_reply_without_edits_is_no_success():
    got = answer(files={"a.py": PY}, reply="All is well.")
    assert (got["ok"], got["files"]) == (False, {"a.py": PY})
    assert answer(reply="All is well.", parse_only=True) == {"id": None, "ok": True, "edits": [], "results": []}


def test_a_new_syntax_error_is_told():
    got = answer(files={"a.py": PY}, edits=[{"path": "a.py", "search": "return 1", "replace": "return ("}])
    assert "no longer valid Python" in got["results"][0]["reason"]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a.py/x", ""])
def test_paths_that_can_not_be_written(path):
    got = answer(files={"a.py": PY}, edits=[{"path": path, "search": "", "replace": "x\n"}])
    assert (got["ok"], got["files"]) == (False, {"a.py": PY})


def test_bytes_outside_the_change_are_kept():
    text = "\ufeffa\r\n\u00e9\tb  \r\nc"
    got = answer(files={"a.txt": text}, edits=[{"path": "a.txt", "search": "a\n", "replace": "A\n"}])
    assert got["files"]["a.txt"] == text.replace("a", "A", 1)


HOSTILE = ["\n" * 60_000, "{" * 60_000 + '"edits""search"', "<<<<<<< SEARCH\n" * 20_000, "```\n" * 20_001]
HOSTILE += [
    "@@ -1,99999 +1,99999 @@\n" * 20_000,
    "--- a\n+++ b\n@@ @@\n x" + "\n" * 60_000,
    "```diff\n" + " a\n" * 20_000,
]


@pytest.mark.parametrize("reply", HOSTILE)
def test_hostile_replies_take_no_time(reply):
    began = time.perf_counter()
    for form in (None, *get_args(Format)):
        answer(files={"a.py": PY}, reply=reply, form=form)
    assert time.perf_counter() - began < 10


def run(monkeypatch, capsys, text, *flags):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    app(["edit", *flags], standalone_mode=False)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


GOOD = json.dumps({"id": 1, "files": {"a.py": PY}, "reply": REPLIES["udiff"]}).encode()


def test_bad_lines_of_a_batch_are_answered(monkeypatch, capsys):
    bad = [b"{", b"[1]", b'{"id": 2}', b'{"id": 3, "files": 1, "reply": ""}', b"\xff", b"[" * 100_000]
    bad += [b'{"id": 4, "files": {"a": "", "./a": ""}, "reply": ""}', b'{"id": 5, "reply": "\\ud800"}']
    bad += [b'{"id": NaN, "reply": ""}', b'{"id": 1e999, "reply": ""}', b'{"id": {}, "reply": ""}', b"null", b"\0"]
    got = run(monkeypatch, capsys, b"\n".join([GOOD, *bad, b"", GOOD]), "--batch")
    assert [line["id"] for line in got] == [1, None, None, 2, 3, None, None, 4, 5, *[None] * 5, 1]
    assert [line["ok"] for line in got] == [True, *[False] * 13, True]
    assert all(line["results"][0]["reason"] for line in got[1:-1])


def test_one_bad_line_alone_is_wrong_usage(monkeypatch, capsys):
    with pytest.raises(UsageError, match="not JSON"):
        run(monkeypatch, capsys, b"{")
    with pytest.raises(UsageError, match="nothing on standard input") as raised:
        run(monkeypatch, capsys, b"")
    assert "several lines need --batch" in raised.value.hint
    with pytest.raises(UsageError, match="format"):
        run(monkeypatch, capsys, GOOD, "--format", "nonsense")


def test_one_line(monkeypatch, capsys):
    (got,) = run(monkeypatch, capsys, GOOD, "--format", "udiff")
    assert got["ok"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"[]", "it must be an object"),
        (b'{"files": [], "edits": []}', "`files` must be an object"),
        (b'{"files": {"a": 1}, "edits": []}', "`files.a` must be text"),
        (b'{"edits": {"path": "a"}}', "`edits` must be a list"),
        (b'{"edits": [{"path": "a"}]}', "`edits.0.search` is missing"),
        (b'{"edits": [{"search": "a", "replace": "b", "occurrence": -1}]}', "`edits.0.occurrence` must be 0 or more"),
        (b'{"id": [], "edits": []}', "`id` must be text"),
        (b'{"edits": [], "reply": ""}', "either `edits` or `reply`, and not both"),
        (b'{"files": {"": "x"}, "edits": []}', "'' is no path of a file"),
    ],
)
def test_a_line_that_is_no_request_says_why(monkeypatch, capsys, line, says):
    (got,) = run(monkeypatch, capsys, line, "--batch")
    assert says in got["results"][0]["reason"]


def test_half_a_character_is_not_written(monkeypatch, capsys):
    edit = {"path": "a", "search": "x", "replace": "\ud800"}
    (got,) = run(monkeypatch, capsys, json.dumps({"files": {"a": "x"}, "edits": [edit]}).encode())
    assert got["files"] == {"a": "x"}
    assert "half a character" in got["results"][-1]["reason"]
