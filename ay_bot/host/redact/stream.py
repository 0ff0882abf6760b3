"""Redaction of a stream of any length in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ay_bot.host.redact.known import LONGEST_SPAN
from ay_bot.host.redact.redactor import Finding, Redactor, joined, replace

_PIECE: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 13


class Piece(NamedTuple):
    """A part of a stream: as it was, what was found in it, and as it may be shown."""

    original: bytes
    found: tuple[Finding, ...]
    redacted: bytes


def redact_stream(read: Callable[[int], bytes], redactor: Redactor) -> Iterator[Piece]:
    """Yield a stream in pieces. What a piece ends with is held back until it is known how it goes on."""
    held = b""
    while True:
        arrived = read(_PIECE)
        data = held + arrived
        found = redactor.find(data)
        cut = _cut(data, found) if arrived else len(data)
        inside = tuple(each for each in found if each.end <= cut)
        yield Piece(data[:cut], inside, replace(data[:cut], inside))
        held = data[cut:]
        if not arrived:
            return


def _cut(data: bytes, found: Sequence[Finding]) -> int:
    """Return up to where data can be let go: a line's end, if one is near, and never within a finding."""
    cut = max(len(data) - LONGEST_SPAN, 0)
    line = data.rfind(b"\n", max(cut - _LONGEST_LINE, 0), cut)
    cut = line + 1 if line >= 0 else cut
    for start, end in joined(found):
        if start < cut < end:
            return start or end
    return cut
