"""Making a text of others fit: what is left out, where, and that it says so.

Of a thread the request and what opened it stay, then the newest of the maintainers' comments, then the newest of all.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from ay_bot.agent import prompt
from ay_bot.protocol.blocks import Piece, split_blocks

Count = Callable[[str], int]

LEAST_SHOWN: Final = 100  # tokens of a block that is worth being begun
_REQUEST: Final = re.compile(r"requester the request\b|\S+ (?:title|body) of ")
_COMMENT: Final = re.compile(r"\S+ (?:comment|remark|review) \d|file lines of the next remark\b")
_TRUSTED: Final = ("maintainer ", "requester ")


def cut(text: str, limit: int, count: Count, whole: str = "") -> str:
    """Return the beginning of a text that has at most so many tokens, with a mark where it ends."""
    kept, shown = len(text), text
    while kept and (size := count(shown)) > limit:
        kept = min(int(kept * limit / size * 0.98), kept - 100)
        shown = prompt.build_cut(text[: max(kept, 0)], len(text), whole)
    return shown if kept > 0 else ""


def shorten_task(text: str, limit: int, count: Count, whole: str = "") -> str:
    """Return a task that has at most so many tokens; of one without blocks its beginning.

    `whole` says where all of it lies.
    """
    if count(text) <= limit:
        return text
    pieces = _join_remarks(split_blocks(text))
    if len(pieces) < 2:
        return cut(text, limit, count, whole)
    shown = _choose(pieces, limit - LEAST_SHOWN, count)
    return cut(_put_together(pieces, shown, whole), limit, count, whole)


def _join_remarks(pieces: Sequence[Piece]) -> list[Piece]:
    """Put the lines that a remark is about and the remark into one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].label.startswith("file lines of the next remark"):
            joined.append(Piece(f"{joined.pop().text}\n{piece.text}", piece.label))
        else:
            joined.append(piece)
    return joined


def _choose(pieces: Sequence[Piece], limit: int, count: Count) -> dict[int, str]:
    """Return what is shown, by place: half at most for request and opening, as much again for plan and diff."""
    sizes = [count(piece.text) + 2 for piece in pieces]
    comments = [at for at, piece in enumerate(pieces) if _COMMENT.match(piece.label)]
    words = [at for at, piece in enumerate(pieces) if not piece.label]
    first = [at for at, piece in enumerate(pieces) if _REQUEST.match(piece.label)]
    others = [at for at in range(len(pieces)) if at not in {*comments, *words, *first}]
    newest = sorted(comments, key=lambda at: (not pieces[at].label.startswith(_TRUSTED), -at))
    shown = {at: pieces[at].text for at in words}
    left = limit - sum(sizes[at] for at in words)

    def show(at: int, room: int) -> None:
        """Show a piece, or its beginning, or no more of it than before."""
        nonlocal left
        before = count(shown[at]) + 2 if at in shown else 0
        text = pieces[at].text if sizes[at] <= room + before else _begin(pieces[at], room + before, count)
        if text:
            shown[at] = text
            left += before - count(text) - 2

    for group in (first, others):
        room = max(left - sum(sizes[at] for at in newest), left // 2)
        end = left - room
        for at in group:
            show(at, left - end)
    for at in newest:  # whole, but for the first if it is too long
        if sizes[at] <= left or not any(one in shown for one in newest):
            show(at, left)
    for at in (*first, *others):
        show(at, left)
    return shown


def _begin(piece: Piece, room: int, count: Count) -> str:
    """Return the beginning of a block between its marks; nothing where too little would be left."""
    if room < LEAST_SHOWN:
        return ""
    begin, _, rest = piece.text.partition("\n")
    body, _, end = rest.rpartition("\n")
    kept = cut(body, room - count(f"{begin}\n\n{end}") - 2, count)
    return f"{begin}\n{kept}\n{end}" if kept else ""


def _put_together(pieces: Sequence[Piece], shown: dict[int, str], whole: str) -> str:
    parts: list[str] = []
    for there, places in groupby(range(len(pieces)), key=lambda at: at in shown):
        run = list(places)
        if there:
            parts += [shown[at].strip() for at in run]
        else:
            parts.append(prompt.build_gap(len(run), sum(len(pieces[at].text) for at in run), whole))
    return "\n\n".join(parts)
