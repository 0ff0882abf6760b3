"""The part of a long file that an edit changed, cut so that it means by itself what it means within the file."""

from collections.abc import Iterator, Sequence
from typing import Final

DEFINES: Final = (b"def ", b"class ", b"async def ")
WITHIN: Final = b"if 1:\n"  # what makes an indented part of Python one that can be parsed

Lines = Sequence[bytes]


def find_parts(before: bytes, after: bytes, *, definitions: bool) -> Iterator[tuple[bytes, bytes]]:
    """Yield what differs of both, the smallest part first; with `definitions`, one of Python's around it."""
    old, new = before.split(b"\n"), after.split(b"\n")
    head, tail = _same(old, new)
    spans = [_around_definition(old, head, len(old) - tail)] if definitions else []
    for start, end in (span for span in (*spans, _at_margin(old, head, len(old) - tail)) if span):
        first = WITHIN if old[start][:1].isspace() else b""
        yield first + b"\n".join(old[start:end]), first + b"\n".join(new[start : end + len(new) - len(old)])


def _same(old: Lines, new: Lines) -> tuple[int, int]:
    """How many lines at the beginning and at the end are the same."""
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    tail = next((at for at in range(most - head) if old[-1 - at] != new[-1 - at]), most - head)
    return head, tail


def _at_margin(lines: Lines, low: int, high: int) -> tuple[int, int]:
    """From a line that begins something at the margin, after a blank one, to the next such."""
    start = next((at for at in range(min(low, len(lines)) - 1, 0, -1) if _begins(lines, at)), 0)
    return start, next((at for at in range(high + 1, len(lines)) if _begins(lines, at)), len(lines))


def _begins(lines: Lines, at: int) -> bool:
    first = lines[at][:1]
    return bool(first) and not first.isspace() and first not in b")]}" and not lines[at - 1].strip()


def _around_definition(lines: Lines, low: int, high: int) -> tuple[int, int] | None:
    """From the nearest definition, however deep, to where something as deep or less so begins after a blank line."""
    for start in range(min(low, len(lines)) - 1, 0, -1):
        bare = lines[start].lstrip()
        if bare.startswith(DEFINES) and not lines[start - 1].strip():
            depth = len(lines[start]) - len(bare)
            return start, next((at for at in range(high + 1, len(lines)) if _ends(lines, at, depth)), len(lines))
    return None


def _ends(lines: Lines, at: int, depth: int) -> bool:
    bare = lines[at].lstrip()
    return bool(bare) and len(lines[at]) - len(bare) <= depth and not lines[at - 1].strip()
