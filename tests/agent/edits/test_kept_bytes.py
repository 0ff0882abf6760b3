"""What an edit does not change keeps its bytes, in every format: line endings, a missing last newline, a mark at the start."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.edits.shell_edit import answer_line

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
FORMS = ("edits", "search_replace", "apply_patch", "udiff", "whole")


def ask(form, bodies, at, new):
    """A request for line `at` to become the lines `new`, in a format."""
    before, after = bodies[max(at - 2, 0) : at], bodies[at + 1 : at + 3]
    old = [*before, bodies[at], *after]
    come = [*before, *new, *after]
    hunk = "".join(f" {line}\n" for line in before) + f"-{bodies[at]}\n" + "".join(f"+{line}\n" for line in new)
    hunk += "".join(f" {line}\n" for line in after)
    match form:
        case "edits":
            return {"edits": [{"path": "f", "search": text(old), "replace": text(come)}]}
        case "search_replace":
            return {"reply": f"f\n<<<<<<< SEARCH\n{text(old)}=======\n{text(come)}>>>>>>> REPLACE\n"}
        case "apply_patch":
            return {"reply": f"*** Begin Patch\n*** Update File: f\n@@\n{hunk}*** End Patch\n"}
        case "udiff":
            return {"reply": f"--- a/f\n+++ b/f\n@@ -{max(at - 1, 1)},{len(old)} +1,{len(come)} @@\n{hunk}"}
    return {"reply": f"f\n````\n{text([*bodies[:at], *new, *bodies[at + 1 :]])}````\n"}


def text(lines):
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("form", FORMS)
@given(ends=st.lists(ENDS, min_size=5, max_size=9), final=st.booleans(), bom=st.booleans(), data=st.data())
def test_only_the_line_that_is_meant_changes(form, ends, final, bom, data):
    bodies = [f"line number {number}" for number in range(len(ends))]
    ends = [*ends[:-1], ends[-1] if final else ""]
    at = data.draw(st.integers(0, len(bodies) - 1))
    new = [f"a new one, {number}" for number in range(data.draw(st.integers(1, 3)))]
    lines = [body + end for body, end in zip(bodies, ends, strict=True)]
    start = "\ufeff" if bom else ""
    request = {"files": {"f": start + "".join(lines)}, **ask(form, bodies, at, new)}
    got = json.loads(answer_line(json.dumps(request).encode(), None if form == "edits" else form, parse_only=False))
    assert got["ok"], got
    end = ends[0] if form == "apply_patch" else ends[at] or (ends[0] if len(new) > 1 else "")
    expected = [*lines[:at], *(line + end for line in new), *lines[at + 1 :]]
    if at == len(lines) - 1 and not final:
        expected[-1] = new[-1]
    written = got["files"]["f"].removeprefix(start)
    assert got["files"]["f"].startswith(start)
    assert written.startswith("".join(lines[:at]))
    assert written.endswith("".join(lines[at + 1 :]))
    if final or at < len(lines) - 1:
        assert written == "".join(expected)
