"""The marks around others' words in a task: the host writes them, and whoever shortens a task keeps them whole."""

import re
from typing import Final, NamedTuple

NONCE: Final = re.compile(r"[0-9a-f]{16,64}")
_BEGIN: Final = re.compile(r"^<<<ay (?P<nonce>[0-9a-f]{16,64}) (?P<label>[^\n]*)>>>$", re.MULTILINE)


class Piece(NamedTuple):
    """A block with its marks, or words between blocks, which have no label."""

    text: str
    label: str = ""


def begin_mark(nonce: str, label: str) -> str:
    """Return the line that a block begins with; only who knows the nonce can write it."""
    return f"<<<ay {nonce} {label}>>>"


def end_mark(nonce: str) -> str:
    """Return the line that a block ends with."""
    return f"<<<ay end {nonce}>>>"


def split_blocks(text: str) -> list[Piece]:
    """Return the blocks of a task and the words between them, in their order. The first mark tells the nonce."""
    found = _BEGIN.search(text)
    nonce = found["nonce"] if found else ""
    pieces: list[Piece] = []
    at = 0
    while found:
        end = text.find(end_mark(nonce), found.end())
        if end < 0:
            break
        end += len(end_mark(nonce))
        pieces += [Piece(text[at : found.start()]), Piece(text[found.start() : end], found["label"])]
        at = end
        found = re.compile(rf"^<<<ay {nonce} (?P<label>[^\n]*)>>>$", re.MULTILINE).search(text, at)
    return [piece for piece in (*pieces, Piece(text[at:])) if piece.text.strip()]
