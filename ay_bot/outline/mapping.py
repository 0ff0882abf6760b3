"""A map of a tree: the lines that define things, of the files that matter most, within a number of tokens.

What the map shows is read from the repository, never from the cache, and cleaned of what a terminal or a model could
take for something else than text.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ay_bot.outline.counting import Counter
from ay_bot.outline.ranking import Ranked
from ay_bot.outline.words import number_of, terms_of

_FIRST: Final = 10
_FIRST_LINES: Final = 12
_OUTLINE_LINES: Final = 40
_LONGEST_LINE: Final = 100
_STRANGE: Final = re.compile(
    r"[^\t\x20-\x7e\u00a1-\u1fff\u2e80-\ud7ff\uf900-\ufdff]"
    r"|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164]"  # letters by their place, seen by nobody
)


class Definitions(NamedTuple):
    """Where a file defines what: lines counted from 0, and the exact names' numbers."""

    lines: Sequence[int]
    names: Sequence[int]


class Block(NamedTuple):
    """A file's part of the map."""

    path: str
    lines: tuple[tuple[int, str], ...]

    def render(self) -> str:
        """Return the block as text."""
        shown = "".join(f"{number + 1:5}│{line}\n" for number, line in self.lines)
        return f"{_clean(self.path)}{':' if shown else ''}\n{shown}"


def draw_map(blocks: Iterator[Block], tokens: int, count: Counter) -> str:
    """Return as much of the map as the budget allows: never a token more."""
    parts: list[str] = []
    left = tokens
    for block in blocks:
        text = _fit(block, left, count)
        if text:
            parts.append(text)
            left -= count(text)
        if left < 8:
            break
    while parts and count("".join(parts)) > tokens:  # pieces may be one token less than their sum, or more
        parts.pop()
    return "".join(parts)


def _fit(block: Block, left: int, count: Counter) -> str:
    """Return a block, shortened until it fits."""
    shown = len(block.lines)
    while True:
        text = Block(block.path, block.lines[:shown]).render()
        if count(text) <= left:
            return text
        if not shown:
            return ""
        shown //= 2


def lay_out(
    ranked: Sequence[Ranked],
    definitions: Mapping[str, Definitions],
    texts: Mapping[str, bytes],
    wanted: Collection[int],
) -> Iterator[Block]:
    """Yield first what the best files have to do with the task, then outlines of them and of others."""
    first = ranked[:_FIRST] if wanted else ()
    shown: dict[str, frozenset[int]] = {}
    for file in first:
        chosen = _matching(texts.get(file.blob, b""), definitions.get(file.path), wanted)
        shown[file.path] = frozenset(chosen)
        yield Block(file.path, _lines(texts.get(file.blob, b""), chosen))
    for file in ranked:
        found = definitions.get(file.path)
        numbers = [line for line in dict.fromkeys(found.lines if found else ()) if line not in shown.get(file.path, ())]
        if numbers or file.path not in shown:
            yield Block(file.path, _lines(texts.get(file.blob, b""), numbers[:_OUTLINE_LINES]))


def _matching(text: bytes, found: Definitions | None, wanted: Collection[int]) -> list[int]:
    if found is None:
        return []
    lines = text.split(b"\n")
    scored = []
    for line in dict.fromkeys(found.lines):
        if line < len(lines):
            words = re.findall(r"[A-Za-z0-9_]+", lines[line][:400].decode("utf-8", "replace"))
            hits = {number for word in words for number in map(number_of, terms_of(word))} & set(wanted)
            scored.append((-len(hits), line))
    hit = [line for score, line in sorted(scored) if score][:_FIRST_LINES]
    return sorted(hit or [line for _, line in sorted(scored)[:3]])


def _lines(text: bytes, numbers: Sequence[int]) -> tuple[tuple[int, str], ...]:
    lines = text.split(b"\n")
    return tuple(
        (number, _clean(lines[number][: 4 * _LONGEST_LINE].decode("utf-8", "replace"))[:_LONGEST_LINE].rstrip())
        for number in numbers
        if number < len(lines)
    )


def _clean(text: str) -> str:
    return _STRANGE.sub("\ufffd", text.rstrip("\r\n")).expandtabs(4)
