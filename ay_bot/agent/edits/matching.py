"""Where in a file a hunk's old lines stand: passes from exact to blank lines ignored, each needing one place only."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ay_bot.agent.edits.folding import bare, exact, folded, indent_of, trimmed
from ay_bot.agent.edits.indentation import SAME, Reindent, infer, units_of

Key = Callable[[str], str]
Alignment = tuple[int | None, ...]
"""For each old line the number (from 0) of the file's line that it stands for; None where there is none."""


@dataclass(frozen=True, slots=True)
class Match:
    """A place, and how loosely it was found."""

    alignment: Alignment
    reindent: Reindent = SAME
    how: str = "exact"

    @property
    def start(self) -> int:
        """The first line of the place."""
        return min(index for index in self.alignment if index is not None)

    @property
    def end(self) -> int:
        """The line after the last of the place."""
        return max(index for index in self.alignment if index is not None) + 1


@dataclass(slots=True)
class Source:
    """A file's lines, and what the passes make of them, each computed once."""

    lines: list[str]
    _keys: dict[Key, list[str]] = field(default_factory=dict)
    _solid: list[int] | None = None
    _units: tuple[str, ...] = ()

    def keys(self, key: Key) -> list[str]:
        """Every line under `key`."""
        if key is exact:
            return self.lines
        if key not in self._keys:
            self._keys[key] = [key(line) for line in self.lines]
        return self._keys[key]

    @property
    def solid(self) -> list[int]:
        """The numbers of the lines that are not blank."""
        if self._solid is None:
            self._solid = [index for index, line in enumerate(self.keys(bare)) if line]
        return self._solid

    @property
    def units(self) -> tuple[str, ...]:
        """Units of indentation, the file's own first."""
        if not self._units:
            self._units = units_of(self.lines)
        return self._units


def find(source: Source, old: Sequence[str], low: int, high: int) -> list[Match]:
    """All places of the first pass that has any, within lines `low` to `high`."""
    if not old:
        return []
    # Blank lines before indentation: what stands with its own indentation is likelier meant than what needs another.
    passes: tuple[Callable[[], Iterator[Match]], ...] = (
        lambda: _windows(source, old, exact, "exact", low, high),
        lambda: _windows(source, old, trimmed, "trailing space ignored", low, high),
        lambda: _windows(source, old, folded, "typography ignored", low, high),
        lambda: _solid(source, old, folded, low, high),
        lambda: _indented(source, old, low, high),
        lambda: _solid(source, old, bare, low, high),
    )
    for attempt in passes:
        if found := list(attempt()):
            return found
    return []


def _windows(source: Source, old: Sequence[str], key: Key, how: str, low: int, high: int) -> Iterator[Match]:
    if key is not exact and not any(line.strip() for line in old):
        return
    wanted = [key(line) for line in old]
    for start in _places(source.keys(key), wanted, low, high):
        yield Match(tuple(range(start, start + len(old))), how=how)


def _indented(source: Source, old: Sequence[str], low: int, high: int) -> Iterator[Match]:
    wanted = [bare(line) for line in old]
    if not any(wanted):
        return
    for start in _places(source.keys(bare), wanted, low, high):
        alignment = tuple(range(start, start + len(old)))
        if reindent := infer_map(source, old, alignment):
            yield Match(alignment, reindent, "indentation adapted")


def _solid(source: Source, old: Sequence[str], key: Key, low: int, high: int) -> Iterator[Match]:
    numbers = [index for index, line in enumerate(old) if line.strip()]
    if not numbers:
        return
    within = [index for index in source.solid if low <= index < high]
    keys = source.keys(key)
    present = [keys[index] for index in within]
    for start in _places(present, [key(old[index]) for index in numbers], 0, len(present)):
        alignment = align_blank(source, old, dict(zip(numbers, within[start : start + len(numbers)], strict=True)))
        if reindent := infer_map(source, old, alignment):
            yield Match(alignment, reindent, "blank lines ignored")


def _places(lines: Sequence[str], wanted: Sequence[str], low: int, high: int) -> Iterator[int]:
    wanted = list(wanted)
    start = low
    while start + len(wanted) <= high:
        try:
            start = lines.index(wanted[0], start, high - len(wanted) + 1)
        except ValueError:
            return
        if lines[start : start + len(wanted)] == wanted:
            yield start
        start += 1


def infer_map(source: Source, old: Sequence[str], alignment: Alignment) -> Reindent | None:
    """The map of indentations under which the solid lines of an alignment agree."""
    pairs = [
        (indent_of(old[index]), indent_of(source.lines[at]))
        for index, at in enumerate(alignment)
        if at is not None and old[index].strip()
    ]
    return infer(pairs, source.units)


def align_blank(source: Source, old: Sequence[str], solid: dict[int, int]) -> Alignment:
    """Give the blank old lines between solid ones the blank lines of the file there, as far as there are any."""
    alignment: list[int | None] = [solid.get(index) for index in range(len(old))]
    _take_blank(source, alignment, range(len(old)), 1)
    _take_blank(source, alignment, range(len(old) - 1, min(solid), -1), -1)
    return tuple(alignment)


def _take_blank(source: Source, alignment: list[int | None], indexes: Iterable[int], step: int) -> None:
    """Give each blank line the one beside the place of the line before it, in this direction."""
    last: int | None = None
    used = set(alignment)
    for index in indexes:
        at = alignment[index]
        if at is None and last is not None and 0 <= last + step < len(source.lines):
            beside = last + step
            if not source.lines[beside].strip() and beside not in used:
                at = alignment[index] = beside
        last = at if at is not None else last
