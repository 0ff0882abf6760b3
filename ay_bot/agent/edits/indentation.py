"""How the indentation of what a model wrote maps to the file's, and the same map for the lines that it adds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ay_bot.agent.edits.folding import indent_of

UNITS = ("\t", "    ", "  ", "        ")


@dataclass(frozen=True, slots=True)
class Reindent:
    """A map of indentations: `change` gives the file's for the model's, or None where it can't be said."""

    name: str
    change: Callable[[str], str | None]
    first_only: bool = False
    blank_too: bool = False

    def lines(self, new: Sequence[tuple[int, str]]) -> list[str] | None:
        """Re-indent new lines, given with their place among the hunk's new lines; None if one can't be."""
        changed = []
        for place, line in new:
            if (not line.strip() and not self.blank_too) or (self.first_only and place > 0):
                changed.append(line)
                continue
            old = indent_of(line)
            indent = self.change(old)
            if indent is None:
                return None
            changed.append(indent + line[len(old) :])
        return changed


SAME = Reindent("same", lambda indent: indent)


def infer(pairs: Sequence[tuple[str, str]], units: Iterable[str] = UNITS) -> Reindent | None:
    """Find the one map under which every (model's, file's) pair agrees."""
    if all(model == file for model, file in pairs):
        return SAME
    return _shifted(pairs) or _first(pairs) or _converted(pairs, tuple(units))


def _shifted(pairs: Sequence[tuple[str, str]]) -> Reindent | None:
    model, file = pairs[0]
    if file.endswith(model):
        prefix = file[: len(file) - len(model)]
        if all(file == prefix + model for model, file in pairs):
            return Reindent("indented", lambda indent: prefix + indent)
    if model.endswith(file):
        extra = model[: len(model) - len(file)]
        if all(model == extra + file for model, file in pairs):
            return Reindent("outdented", lambda indent: indent[len(extra) :] if indent.startswith(extra) else None)
    return None


def _first(pairs: Sequence[tuple[str, str]]) -> Reindent | None:
    model, file = pairs[0]
    if len(pairs) > 1 and not model and all(one == other for one, other in pairs[1:]):
        return first_line(file)
    return None


def first_line(own: str) -> Reindent:
    """Only the first line was written without its indentation, which is `own`."""
    return Reindent("first line", lambda indent: indent or own, first_only=True)


def _converted(pairs: Sequence[tuple[str, str]], units: tuple[str, ...]) -> Reindent | None:
    found: list[tuple[int, Reindent]] = []
    for own in units:
        for theirs in UNITS:
            if own == theirs:
                continue
            offsets = {_offset(model, theirs, file, own) for model, file in pairs}
            if len(offsets) == 1 and (offset := offsets.pop()) is not None:
                found.append((abs(offset), _conversion(theirs, own, offset)))
    return min(found, key=lambda item: item[0])[1] if found else None


def _offset(model: str, theirs: str, file: str, own: str) -> int | None:
    one, other = _levels(model, theirs), _levels(file, own)
    if one is None or other is None or one[1] != other[1]:
        return None
    return other[0] - one[0]


def _conversion(theirs: str, own: str, offset: int) -> Reindent:
    def change(indent: str) -> str | None:
        levels = _levels(indent, theirs)
        if levels is None or levels[0] + offset < 0:
            return None
        return own * (levels[0] + offset) + levels[1]

    return Reindent("other unit", change, blank_too=True)


def _levels(indent: str, unit: str) -> tuple[int, str] | None:
    count = 0
    while indent.startswith(unit):
        indent = indent[len(unit) :]
        count += 1
    return None if "\t" in indent else (count, indent)


def units_of(lines: Iterable[str]) -> tuple[str, ...]:
    """The units of indentation, the file's own first."""
    tabs = spaces = 0
    widths = dict.fromkeys((2, 4, 8), 0)
    before = 0
    for line in lines:
        indent = indent_of(line)
        if not line.strip():
            continue
        if indent.startswith("\t"):
            tabs += 1
        elif indent:
            spaces += 1
        step = len(indent) - before
        if step in widths and "\t" not in indent:
            widths[step] += 1
        before = len(indent)
    own = "\t" if tabs > spaces else " " * max(widths, key=lambda width: widths[width])
    return (own, *(unit for unit in UNITS if unit != own))
