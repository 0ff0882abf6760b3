"""Reading patches in Codex's grammar, with the wrappings that models put around them."""

import re
from dataclasses import dataclass, field
from typing import Literal

from ay_bot.agent.edits.hunk import Hunk, HunkLine, Kind

BEGIN, END = "*** Begin Patch", "*** End Patch"
EOF_MARK = "*** End of File"
HEADER = re.compile(r"\s*\*\*\* (Add|Delete|Update) File:\s*(.*?)\s*$")
MOVE = re.compile(r"\s*\*\*\* Move to:\s*(.*?)\s*$")
RANGE = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@ ?(.*)$")

NOISE = re.compile(r"\\ No newline|--- (?:a/|/dev/null)|\+\+\+ (?:b/|/dev/null)|index [0-9a-f]+\.\.|diff --git ")
"""What unified diffs have, and patches in this grammar need not."""


class PatchError(Exception):
    """A patch that can't be read; the text is for the model."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One hunk of an update; `anchors` are lines that stand before it."""

    hunk: Hunk
    anchors: tuple[str, ...] = ()
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """What shall become of one file."""

    action: Literal["Add", "Delete", "Update"]
    path: str
    lines: tuple[str, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    move_to: str = ""


@dataclass(slots=True)
class _Open:
    """An operation that is being read."""

    action: Literal["Add", "Delete", "Update"]
    path: str
    number: int
    move_to: str = ""
    lines: list[str] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    hunk: list[HunkLine] = field(default_factory=list)
    opened: bool = False


def parse_patch(text: str) -> tuple[Operation, ...]:
    """Read a patch. Raises PatchError, which names the line."""
    lines, first = _inner(text)
    operations: list[Operation] = []
    current: _Open | None = None
    for number, line in enumerate(lines, first + 1):
        if header := HEADER.match(line):
            if current:
                operations.append(_close(current))
            current = _begin(header, number)
        elif current is None:
            if line.strip():
                _fail(
                    number,
                    f"{line[:80]!r} is not a header; expected '*** Add File: path', '*** Delete File: path' or "
                    "'*** Update File: path'",
                )
        else:
            _take(current, line, number)
    if current:
        operations.append(_close(current))
    if not operations:
        msg = "the patch has no operation; expected '*** Update File: path' and the like between Begin and End"
        raise PatchError(msg)
    return tuple(operations)


def _inner(text: str) -> tuple[list[str], int]:
    """The lines between Begin and End, and how many lines come before; heredocs, fences and prose are left out."""
    lines = text.replace("\r\n", "\n").split("\n")
    begins = [index for index, line in enumerate(lines) if line.strip() == BEGIN]
    if not begins:
        msg = f"the patch must begin with '{BEGIN}' on a line of its own"
        raise PatchError(msg)
    ends = [index for index, line in enumerate(lines) if line.strip() == END and index > begins[0]]
    if not ends:
        msg = f"the patch must end with '{END}' on a line of its own"
        raise PatchError(msg)
    if len(begins) > 1:
        msg = f"'{BEGIN}' stands {len(begins)} times; send one patch per call"
        raise PatchError(msg)
    return lines[begins[0] + 1 : ends[-1]], begins[0] + 1


def _begin(header: re.Match[str], number: int) -> _Open:
    path = header[2]
    if not path:
        _fail(number, "the path is missing")
    action: Literal["Add", "Delete", "Update"] = (
        "Add" if header[1] == "Add" else "Delete" if header[1] == "Delete" else "Update"
    )
    return _Open(action, path, number)


def _take(current: _Open, line: str, number: int) -> None:
    match current.action:
        case "Add":
            if not line.startswith("+"):
                _fail(number, f"{line[:80]!r}: every line of an added file begins with '+'")
            current.lines.append(line[1:])
        case "Delete":
            if line.strip():
                _fail(number, f"{line[:80]!r}: nothing follows '*** Delete File'")
        case "Update":
            _update(current, line, number)


def _update(current: _Open, line: str, number: int) -> None:
    stripped = line.strip()
    if NOISE.match(line) and (line.startswith("\\") or not current.opened):
        return
    if (move := MOVE.match(line)) and not current.opened:
        current.move_to = move[1]
    elif stripped == EOF_MARK:
        if not current.hunk:
            _fail(number, "the hunk has no lines")
        _close_chunk(current, at_end=True)
    elif line.startswith("@@"):
        _close_chunk(current)
        current.opened = True
        anchor = _anchor(line)
        if anchor.strip():
            current.anchors.append(anchor)
    elif not line:
        current.hunk.append(HunkLine(" ", ""))
    elif line[0] in " -+":
        current.hunk.append(HunkLine(_kind(line[0]), line[1:]))
        current.opened = True
    else:
        _fail(number, f"{line[:80]!r}: lines of a hunk begin with ' ', '-' or '+', and a hunk with '@@'")


def _kind(mark: str) -> Kind:
    return "-" if mark == "-" else "+" if mark == "+" else " "


def _anchor(line: str) -> str:
    if numbered := RANGE.match(line):
        return numbered[1]
    rest = line[2:].removesuffix("@@") if line.count("@@") == 2 else line[2:]
    return rest.removeprefix(" ")


def _close_chunk(current: _Open, *, at_end: bool = False) -> None:
    lines = current.hunk
    while lines and lines[-1] == HunkLine(" ", "") and not at_end:
        lines.pop()  # a blank line before the next mark belongs to nothing
    if lines:
        current.chunks.append(Chunk(Hunk(tuple(lines)), tuple(current.anchors), at_end))
        current.anchors = []
    current.hunk = []


def _close(current: _Open) -> Operation:
    _close_chunk(current)
    if current.action == "Update" and current.anchors:
        _fail(current.number, f"the last hunk of {current.path} has no lines")
    if current.action == "Update" and not any(chunk.hunk.changes for chunk in current.chunks):
        _fail(current.number, f"the update of {current.path} changes nothing")
    return Operation(current.action, current.path, tuple(current.lines), tuple(current.chunks), current.move_to)


def _fail(number: int, why: str) -> None:
    msg = f"line {number} of the patch: {why}"
    raise PatchError(msg)
