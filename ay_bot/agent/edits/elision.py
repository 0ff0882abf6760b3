"""Hunks in which `...` stands for lines that were left out, on both sides."""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from ay_bot.agent.edits.folding import indent_of
from ay_bot.agent.edits.hunk import Hunk, build_hunk
from ay_bot.agent.edits.matching import Match, Source, find

MOST_PIECES = 30
CLOSING = re.compile(r"\s*[)\]}]+[;,]?\s*$")
COMMENT = r"\s*(?:#|//|--|/\*|<!--|;|%)\s*"
DOTS = re.compile(rf"(?:{COMMENT}|\s*)(?:\.\.\.|\u2026)[^\w]*$")
LAZY = re.compile(
    rf"{COMMENT}(?:\.\.\.|\u2026).*\b(?:rest|existing|unchanged|remain\w*|same|previous|other)\b"
    rf"|{COMMENT}(?:rest of|\(?existing|remaining) .*(?:\.\.\.|\u2026|unchanged|same)"
    rf"|{COMMENT}[(\[]?(?:the )?(?:rest of|existing|remaining|previous)(?: of)?(?: the| your)?"
    r"(?: (?:code|file|function|method|class|content|implementation|lines|methods|functions|imports))+"
    r"(?: (?:here|remains?|stays?|is|are|goes|the|same|as|before|unchanged))*\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between two elisions."""

    hunk: Hunk
    matches: tuple[Match, ...]


def find_lazy(new: Iterable[str], present: Container[str]) -> str:
    """The first new line that only stands for lines which were left out, and is in no file; empty if there is none."""
    return next((line.strip() for line in new if LAZY.match(line) and line not in present), "")


def split_pieces(old: Sequence[str], new: Sequence[str]) -> list[tuple[list[str], list[str]]] | None:
    """Pair what stands between the dots; None where there are none, or not the same on both sides."""
    one, other = _split(old), _split(new)
    if not 2 <= len(one) <= MOST_PIECES or len(one) != len(other):
        return None
    pairs = list(zip(one, other, strict=True))
    return None if any(not left and right for left, right in pairs) else [pair for pair in pairs if pair[0]]


def find_elided(source: Source, old: Sequence[str], new: Sequence[str]) -> list[tuple[Hunk, Match]]:
    """Every piece that changes something with its one place; empty where a place is missing or not the only one."""
    pairs = split_pieces(old, new)
    if not pairs:
        return []
    pieces = [Piece(build_hunk(left, right), tuple(find(source, left, 0, len(source.lines)))) for left, right in pairs]
    found: list[tuple[Hunk, Match]] = []
    for piece, matches in zip(pieces, _feasible(pieces), strict=True):
        if not matches:
            return []
        if piece.hunk.changes:
            if len(matches) > 1:
                return []
            found.append((piece.hunk, matches[0]))
    return found


def agree(found: Sequence[tuple[Hunk, Match]]) -> bool:
    """Whether all places need the same change of indentation, as far as they need one."""
    return len({match.reindent.name for _, match in found}) == 1


def _split(lines: Sequence[str]) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for line in lines:
        if DOTS.match(line) or LAZY.match(line):
            pieces.append([])
        else:
            pieces[-1].append(line)
    return pieces


def _feasible(pieces: list[Piece]) -> list[list[Match]]:
    """For each piece the places that are part of some order-keeping choice for all."""
    forward: list[list[Match]] = []
    earliest = 0
    for piece in pieces:
        fits = [match for match in piece.matches if match.start >= earliest]
        forward.append(fits)
        if not fits:
            return [[] for _ in pieces]
        earliest = min(match.end for match in fits)
    latest: int | None = None
    for index in range(len(pieces) - 1, -1, -1):
        if latest is not None:
            forward[index] = [match for match in forward[index] if match.end <= latest]
        if index and _closes(pieces[index - 1], pieces[index]):
            forward[index] = _nearest(forward[index - 1], forward[index])
        if not forward[index]:
            return [[] for _ in pieces]
        latest = max(match.start for match in forward[index])
    return forward


def _closes(before: Piece, piece: Piece) -> bool:
    """Whether a piece begins with the bracket that closes what the piece before it opens."""
    opened, closing = before.hunk.old[-1], piece.hunk.old[0]
    return CLOSING.match(closing) is not None and indent_of(closing) == indent_of(opened)


def _nearest(before: list[Match], matches: list[Match]) -> list[Match]:
    """The first of the places, if the piece before has only one."""
    return sorted(matches, key=lambda match: match.start)[:1] if len(before) == 1 else matches
