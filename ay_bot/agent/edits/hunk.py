"""A hunk: lines that should be there, those of them that go, and those that come."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

LONG = 1_000  # lines; beyond that a shorter diff is not worth the time

Kind = Literal[" ", "-", "+"]


@dataclass(frozen=True, slots=True)
class HunkLine:
    """A line that stays (" "), goes ("-") or comes ("+")."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines in order."""

    lines: tuple[HunkLine, ...]
    end: str = ""  # how new lines shall end; empty: as their neighbours do

    @property
    def old(self) -> list[str]:
        """What should be in the file now."""
        return [line.text for line in self.lines if line.kind != "+"]

    @property
    def new(self) -> list[str]:
        """What should be there afterwards."""
        return [line.text for line in self.lines if line.kind != "-"]

    @property
    def changes(self) -> bool:
        """Whether anything goes or comes."""
        return any(line.kind != " " for line in self.lines)

    def kept(self) -> list[bool]:
        """For each old line, whether it stays."""
        return [line.kind == " " for line in self.lines if line.kind != "+"]


def build_hunk(old: Sequence[str], new: Sequence[str], key: Callable[[str], str] | None = None) -> Hunk:
    """Find which lines stay; with `key`, also those that differ in what `key` drops."""
    one, other = (old, new) if key is None else ([key(line) for line in old], [key(line) for line in new])
    lines: list[HunkLine] = []
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=len(other) > LONG)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            lines += [HunkLine(" ", text) for text in old[i1:i2]]
        else:
            lines += [HunkLine("-", text) for text in old[i1:i2]]
            lines += [HunkLine("+", text) for text in new[j1:j2]]
    return Hunk(tuple(lines))


def interleave(old: Sequence[str], new: Sequence[str], key: Callable[[str], str], same: Callable[[str], str]) -> Hunk:
    """Like `build_hunk` with `key`, but a line that differs under `same` goes, and comes again at its own place."""
    lines: list[HunkLine] = []
    coming = iter(new)
    for line in build_hunk(old, new, key).lines:
        if line.kind == "-":
            lines.append(line)
            continue
        text = next(coming)
        if line.kind == " " and same(text) != same(line.text):
            lines += [HunkLine("-", line.text), HunkLine("+", text)]
        else:
            lines.append(line)
    return Hunk(tuple(lines))


def slide(hunk: Hunk) -> Iterator[Hunk]:
    """The hunk, and every hunk that means the same but has one added block higher or lower among equal lines."""
    yield hunk
    lines = hunk.lines
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].kind == "+":
            end += 1
        if end > start:
            yield from _slid(hunk, start, end)
        start = end + 1


def _slid(hunk: Hunk, start: int, end: int) -> Iterator[Hunk]:
    lines = hunk.lines
    if start and lines[start - 1].kind == "-":
        return
    for step in (1, -1):
        low, high, block = start, end, [line.text for line in lines[start:end]]
        while True:
            at = high if step == 1 else low - 1
            if not 0 <= at < len(lines) or lines[at].kind != " ":
                break
            if lines[at].text != block[0 if step == 1 else -1]:
                break
            block = [*block[1:], block[0]] if step == 1 else [block[-1], *block[:-1]]
            low, high = low + step, high + step
            added = tuple(HunkLine("+", text) for text in block)
            rest = [*lines[:start], *lines[end:]]
            yield Hunk((*rest[:low], *added, *rest[low:]), hunk.end)
