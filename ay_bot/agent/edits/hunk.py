"""A hunk: lines that should be there, those of them that go, and those that come."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

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
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [HunkLine(" ", text) for text in old[i1:i2]]
        else:
            lines += [HunkLine("-", text) for text in old[i1:i2]]
            lines += [HunkLine("+", text) for text in new[j1:j2]]
    return Hunk(tuple(lines))
