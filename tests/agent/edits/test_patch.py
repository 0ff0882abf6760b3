"""Reading patches: the grammar, the wrappings around it, and errors that name the line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.edits.patch import PatchError, parse_patch

PATCH = "*** Begin Patch\n*** Update File: a.py\n@@ def f():\n-old\n+new\n*** End Patch"


@pytest.mark.parametrize(
    "text",
    [
        PATCH,
        f"apply_patch <<'EOF'\n{PATCH}\nEOF",
        f"```\n{PATCH}\n```",
        f"Here it is:\n\n{PATCH}\n\nThat should do.",
        PATCH.replace("\n", "\r\n"),
        PATCH.replace("@@ def f():", "@@ -1,3 +1,3 @@ def f():"),
        PATCH.replace("@@ def f():", "@@ def f(): @@"),
    ],
)
def test_wrappings(text):
    (operation,) = parse_patch(text)
    assert (operation.action, operation.path) == ("Update", "a.py")
    (chunk,) = operation.chunks
    assert [anchor.strip() for anchor in chunk.anchors] == ["def f():"]
    assert (chunk.hunk.old, chunk.hunk.new) == (["old"], ["new"])


def test_all_operations():
    operations = parse_patch(
        "*** Begin Patch\n*** Add File: n\n+x\n+\n*** Delete File: d\n*** Update File: u\n*** Move to: v\n@@\n a\n-b\n"
        "*** End of File\n*** End Patch"
    )
    assert [(operation.action, operation.path) for operation in operations] == [
        ("Add", "n"),
        ("Delete", "d"),
        ("Update", "u"),
    ]
    assert operations[0].lines == ("x", "")
    assert operations[2].move_to == "v"
    assert operations[2].chunks[0].at_end


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must begin"),
        ("*** Begin Patch\n", "must end"),
        ("*** Begin Patch\n*** End Patch", "no operation"),
        ("*** Begin Patch\n*** Update File: a\n*** End Patch", "line 2"),
        ("*** Begin Patch\n*** Update File: a\n@@\n-x\nbad\n*** End Patch", "line 5"),
        ("*** Begin Patch\n*** Add File: a\nbad\n*** End Patch", "line 3"),
        ("*** Begin Patch\nbad\n*** End Patch", "line 2"),
        (f"{PATCH}\n{PATCH}", "one patch per call"),
    ],
)
def test_errors_name_the_place(text, says):
    with pytest.raises(PatchError, match=says):
        parse_patch(text)


PIECES = st.sampled_from(
    [
        "*** Begin Patch",
        "*** End Patch",
        "*** Update File: a",
        "*** Add File: b",
        "*** Move to: c",
        "@@",
        "@@ x",
        " a",
        "-b",
        "+c",
        "",
        "*** End of File",
    ]
)


@given(st.lists(PIECES | st.text(max_size=10), max_size=12))
def test_nothing_crashes(lines):
    with contextlib.suppress(PatchError):
        assert parse_patch("\n".join(lines))
