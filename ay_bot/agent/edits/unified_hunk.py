"""Where a hunk of a unified diff ends, by its counts where they are right, and what its lines say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ay_bot.agent.edits.filenames import is_fence
from ay_bot.agent.edits.hunk import Hunk, HunkLine

RANGE = re.compile(r"@@+ *-(\d+)(?:,(\d+))? +\+(\d+)(?:,(\d+))? *@@")
BETWEEN = re.compile(
    r"diff --git |index [0-9a-f]{4,}\.\.|(?:new|deleted) file mode |(?:old|new) mode |(?:dis)?similarity index |"
    r"rename (?:from|to) |Binary files |GIT binary patch"
)
MARKS = {" ", "-", "+", "\\"}
SIGNATURE = "-- "  # the end of a mail that git wrote


@dataclass(frozen=True, slots=True)
class DiffHunk:
    """One hunk; `line` is where its header says that it stands, 0 if it does not say."""

    hunk: Hunk
    line: int = 0
    old_newline: bool = True  # whether a newline follows its last old line
    new_newline: bool = True


def is_header(lines: Sequence[str], at: int) -> bool:
    """Whether the two lines that name a file stand here."""
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def read_hunk(lines: Sequence[str], at: int, *, fenced: bool) -> tuple[DiffHunk, int]:
    """Read the hunk at `at`, which may lack its line with @@; and the number of the line after it."""
    line = 0
    end = 0
    if lines[at].startswith("@@"):
        numbers = RANGE.match(lines[at])
        at += 1
        if numbers:
            line = int(numbers[1])
            end = _counted_end(lines, at, int(numbers[2] or 1), int(numbers[4] or 1))
    end = end or _loose_end(lines, at, fenced=fenced)
    return _build(lines[at:end], line), end


def _counted_end(lines: Sequence[str], at: int, old: int, new: int) -> int:
    """Where the hunk ends by its counts; 0 if they are wrong."""
    while at < len(lines) and (old > 0 or new > 0):
        mark = lines[at][:1] or " "
        if mark not in MARKS:
            return 0
        old -= mark in {" ", "-"}
        new -= mark in {" ", "+"}
        at += 1
    while at < len(lines) and lines[at].startswith("\\"):
        at += 1
    return at if not old and not new and _is_over(lines, at) else 0


def _is_over(lines: Sequence[str], at: int) -> bool:
    """Whether nothing of a hunk follows, even after blank lines."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at == len(lines) or _ends(lines, at) or lines[at] == SIGNATURE or lines[at][:1] not in {" ", "+", "-"}


def _loose_end(lines: Sequence[str], at: int, *, fenced: bool) -> int:
    """The next line that can't be part of a hunk; inside a fence, lines may lack their mark."""
    while at < len(lines) and not _ends(lines, at):
        line = lines[at]
        if line[:1] not in MARKS and line.strip() not in {"", "..."} and not fenced:
            break
        at += 1
    return at


def _ends(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    closes = is_fence(line) and line[:1] not in MARKS
    return line.startswith("@@") or BETWEEN.match(line) is not None or is_header(lines, at) or closes


def _build(lines: Sequence[str], line: int) -> DiffHunk:
    found: list[HunkLine] = []
    old_newline = new_newline = True
    for text in lines:
        if text.startswith("\\"):
            kind = found[-1].kind if found else " "
            old_newline, new_newline = old_newline and kind == "+", new_newline and kind == "-"
        elif text.startswith("+"):
            found.append(HunkLine("+", text[1:]))
        elif text.startswith("-"):
            found.append(HunkLine("-", text[1:]))
        else:
            found.append(HunkLine(" ", text.removeprefix(" ")))
    for text in reversed(lines):
        if text or not found:
            break
        found.pop()  # blank lines before what follows belong to nothing
    return DiffHunk(Hunk(tuple(found)), line, old_newline, new_newline)
