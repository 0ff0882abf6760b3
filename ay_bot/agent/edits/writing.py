"""Writing a hunk over the place where it stands: only lines that go or come change, all others keep their bytes."""

from collections.abc import Iterator
from itertools import chain, groupby, pairwise, zip_longest

from ay_bot.agent.edits.folding import indent_of
from ay_bot.agent.edits.hunk import Hunk, HunkLine
from ay_bot.agent.edits.likeness import alike
from ay_bot.agent.edits.matching import Alignment, Match
from ay_bot.agent.edits.text import Line


def rewrite(lines: list[Line], hunk: Hunk, match: Match) -> list[Line] | None:
    """The file's lines afterwards; None if a new line's indentation can't be said."""
    gone, come = _plan(lines, _paired(hunk, match.alignment), match)
    written: list[Line] = []
    done = 0
    for index in sorted(gone | come.keys()):
        written += lines[done:index]
        done = index
        if index in come:
            texts = match.reindent.lines(come[index])
            if texts is None:
                return None
            ends = hunk.end or _ends(lines, gone, index)
            written += [Line(text, ends) for text in texts]
        if index in gone:
            done = index + 1
    return close([*written, *lines[done:]], lines)


def _paired(hunk: Hunk, alignment: Alignment) -> Hunk:
    """The hunk, with each line that comes beside the one that it replaces, as far as that can be said."""
    return Hunk(tuple(_pairs(hunk, alignment)), hunk.end)


def _pairs(hunk: Hunk, alignment: Alignment) -> Iterator[HunkLine]:
    old = 0
    for changed, group in groupby(hunk.lines, key=lambda line: line.kind != " "):
        block = list(group)
        gone = [line for line in block if line.kind == "-"]
        come = [line for line in block if line.kind == "+"]
        places = alignment[old : old + len(gone)]
        old += len(gone) if changed else len(block)
        in_a_row = all(one is not None and other == one + 1 for one, other in pairwise(places))
        if changed and (in_a_row or alike([line.text for line in gone], [line.text for line in come])):
            block = [line for line in chain.from_iterable(zip_longest(gone, come)) if line]
        yield from block


def close(written: list[Line], lines: list[Line]) -> list[Line]:
    """Give every line an end, and the last one what the file's last had."""
    usual = usual_end(lines)
    closed = [line if line.end else Line(line.body, usual) for line in written]
    if closed and lines and not lines[-1].end:
        closed[-1] = Line(closed[-1].body, "")
    return closed


def usual_end(lines: list[Line]) -> str:
    """How the lines of a file end, by its first."""
    return lines[0].end if lines and lines[0].end else "\n"


def _plan(lines: list[Line], hunk: Hunk, match: Match) -> tuple[set[int], dict[int, list[tuple[int, str]]]]:
    gone: set[int] = set()
    come: dict[int, list[tuple[int, str]]] = {}
    old = new = 0
    before: int | None = None
    gone_before = False
    for number, line in enumerate(hunk.lines):
        if line.kind == "+":
            come.setdefault(_position(lines, hunk, match, before, old, number), []).append((new, line.text))
            new += 1
            gone_before = False
            continue
        at = match.alignment[old]
        old += 1
        new += line.kind == " "
        if at is None:
            continue
        if line.kind == "-":
            if gone_before and before is not None and _only_goes(hunk, number):
                gone.update(index for index in range(before + 1, at) if not lines[index].body.strip())
            gone.add(at)
        before, gone_before = at, line.kind == "-"
    return gone, come


def _only_goes(hunk: Hunk, number: int) -> bool:
    """Whether nothing comes for the lines that go here: then the blank ones between them go as well."""
    return next((line.kind for line in hunk.lines[number:] if line.kind != "-"), " ") == " "


def _position(lines: list[Line], hunk: Hunk, match: Match, before: int | None, old: int, number: int) -> int:
    """Where a new line goes, given the file's line before it and the number of the next old line."""
    after = next((at for at in match.alignment[old:] if at is not None), None)
    if before is None:
        return after if after is not None else 0
    first, last = _run(hunk, number)
    if hunk.lines[first - 1].kind == "-" and match.alignment[old - 1] == before:
        return before  # in the place, and with the line ending, of what it replaces
    if after is None or after == before + 1:
        return before + 1
    # The file has lines here that the hunk does not.
    blank = all(not lines[index].body.strip() for index in range(before + 1, after))
    return after if blank and _goes_below(hunk, first, last) else before + 1


def _run(hunk: Hunk, number: int) -> tuple[int, int]:
    """The first and last of the lines that come together with this one."""
    first = last = number
    while first and hunk.lines[first - 1].kind == "+":
        first -= 1
    while last + 1 < len(hunk.lines) and hunk.lines[last + 1].kind == "+":
        last += 1
    return first, last


def _goes_below(hunk: Hunk, first: int, last: int) -> bool:
    """Whether new lines go below blank ones that the hunk does not have: these go with the side that brings none."""
    come = [line.text for line in hunk.lines[first : last + 1]]
    if not come[0].strip() or not come[-1].strip():
        return not come[-1].strip()
    above = next((line.text for line in reversed(hunk.lines[:first]) if line.kind != "-"), "")
    below = next((line.text for line in hunk.lines[last + 1 :] if line.kind != "-"), "")
    return _likeness(come[-1], below) > _likeness(come[0], above)


def _likeness(line: str, other: str) -> tuple[bool, bool]:
    """How much two neighbours belong together: as deep as each other, and begun alike."""
    return indent_of(line) == indent_of(other), line.split()[:1] == other.split()[:1]


def _ends(lines: list[Line], gone: set[int], index: int) -> str:
    for near in (index, index - 1) if index in gone else (index - 1, index):
        if 0 <= near < len(lines) and lines[near].end:
            return lines[near].end
    return usual_end(lines)
