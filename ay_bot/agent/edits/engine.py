"""The one engine behind every way of asking for an edit: it finds the place, or says why there is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ay_bot.agent.edits.elision import agree, find_elided, find_lazy
from ay_bot.agent.edits.folding import bare, exact, folded, indent_of
from ay_bot.agent.edits.fuzzy import find_fuzzy, unclear
from ay_bot.agent.edits.hunk import Hunk, build_hunk, interleave
from ay_bot.agent.edits.indentation import SAME, first_line
from ay_bot.agent.edits.likeness import similar
from ay_bot.agent.edits.matching import Match, Source, find
from ay_bot.agent.edits.nearest import describe_nearest
from ay_bot.agent.edits.text import Line
from ay_bot.agent.edits.writing import rewrite

NEAR = 10
OPENERS = (":", "{", "(", "[")  # what follows such a line is deeper
LEAST_TELLING = 8  # characters; shorter lines stand everywhere


@dataclass(frozen=True, slots=True)
class Applied:
    """The file's lines afterwards, and where (from 1) they changed; nothing changed if it was `already` so."""

    lines: list[Line]
    first: int
    last: int
    how: str
    already: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a hunk can't be applied, for the model; `ambiguous` if it stands more than once."""

    why: str
    ambiguous: bool = False


def apply_hunk(
    lines: list[Line], hunk: Hunk, *, low: int = 0, high: int | None = None, first: bool = False
) -> Applied | Refused:
    """Apply `hunk` within lines `low` to `high`; with `first`, the first of several places is meant."""
    source = Source([line.body for line in lines])
    top = len(lines) if high is None else high
    old = hunk.old
    if lazy := find_lazy((line.text for line in hunk.lines if line.kind == "+"), source.lines):
        return Refused(f"{lazy!r} stands for lines that are left out: put it into the search text too, or write them")
    matches = find(source, old, low, top)
    if len(matches) > 1 and not first:
        return _ambiguous(matches)
    if matches:
        match = matches[0]
        meant = _loosened(hunk, match)
        if match.how == "blank lines ignored" and unclear(source, meant, match):
            return Refused(
                f"it fits line {match.start + 1}, but not where something comes" + describe_nearest(source.lines, old)
            )
        return _write(lines, meant, match, source)
    if (elided := find_elided(source, old, hunk.new)) and agree(elided):
        return _write_pieces(lines, elided)
    return _already(source, lines, hunk, low, top) or _fuzzy(source, lines, hunk, low, top)


def _fuzzy(source: Source, lines: list[Line], hunk: Hunk, low: int, high: int) -> Applied | Refused:
    found = find_fuzzy(source, hunk, low, high)
    if found is None:
        return Refused("the search text does not stand in the file" + describe_nearest(source.lines, hunk.old))
    meant, match = found
    if standing := _stands_near(source, meant, match):
        return (
            _done_before(lines, match)
            if standing == 1
            else Refused(
                f"it only fits line {match.start + 1} loosely, and most of what it adds already stands near there"
            )
        )
    return _write(lines, meant, match, source)


def _loosened(hunk: Hunk, match: Match) -> Hunk:
    """What the match overlooked must not count as a change that the model asked for."""
    if match.how == "exact":
        return hunk
    if match.how == "blank lines ignored":
        return replace(interleave(hunk.old, hunk.new, bare, folded), end=hunk.end)
    return replace(build_hunk(hunk.old, hunk.new, folded), end=hunk.end)


def _write(lines: list[Line], hunk: Hunk, match: Match, source: Source) -> Applied | Refused:
    written = rewrite(lines, hunk, _first_only(match, hunk, source))
    if written is None:
        return Refused(
            f"it stands at line {match.start + 1} indented otherwise, which can't be carried over to the new lines"
            + describe_nearest(source.lines, hunk.old)
        )
    return Applied(written, match.start + 1, match.end + len(written) - len(lines), match.how)


def _write_pieces(lines: list[Line], pieces: Sequence[tuple[Hunk, Match]]) -> Applied | Refused:
    """Write what stands between elisions, from the end on: what comes belongs to its own piece's lines alone."""
    written = lines
    for hunk, match in reversed(pieces):
        changed = rewrite(written, _loosened(hunk, match), match)
        if changed is None:
            return Refused(f"it stands at line {match.start + 1} indented otherwise, which can't be carried over")
        written = changed
    end = pieces[-1][1].end + len(written) - len(lines)
    return Applied(written, pieces[0][1].start + 1, end, "elided lines")


def _first_only(match: Match, hunk: Hunk, source: Source) -> Match:
    """A single line without its indentation says nothing of the others: they count as written if deep enough."""
    old = hunk.old
    solid = [index for index, line in enumerate(old) if line.strip()]
    if match.reindent.name != "indented" or len(solid) != 1 or indent_of(old[solid[0]]):
        return match
    at = match.alignment[solid[0]]
    following = [indent_of(line) for line in hunk.new[1:] if line.strip()]
    if at is None or not following:
        return match
    indent = indent_of(source.lines[at])
    opens = hunk.new[0].rstrip().endswith(OPENERS)
    if not all(other.startswith(indent) for other in following) or (opens and following[0] == indent):
        return match
    return Match(match.alignment, first_line(indent), match.how)


def _ambiguous(matches: list[Match]) -> Refused:
    places = ", ".join(str(match.start + 1) for match in matches[:10])
    return Refused(
        f"the search text stands {len(matches)} times, at lines {places}; make it unique with more lines",
        ambiguous=True,
    )


def _already(source: Source, lines: list[Line], hunk: Hunk, low: int, high: int) -> Applied | None:
    """The new text stands there whole, and the old does not: it was done before."""
    new = hunk.new
    come = [line.text for line in hunk.lines if line.kind == "+"]
    if not any(line.strip() for line in come):
        return None
    found = find(source, new, low, high)
    return _done_before(lines, found[0]) if found else None


def _stands_near(source: Source, hunk: Hunk, match: Match) -> float:
    """How much of what the hunk adds already stands about there; 0 if less than half, 1 if all of it in a row."""
    old = {bare(line) for line in hunk.old}
    come = [bare(line.text) for line in hunk.lines if line.kind == "+" and bare(line.text)]
    near = source.keys(bare)[max(match.start - NEAR, 0) : match.end + NEAR + len(come)]
    near = [line for line in near if line]
    if not any(len(line) >= LEAST_TELLING for line in come) or _still_stands(hunk, match):
        return 0
    if any(near[at : at + len(come)] == come for at in range(len(near) - len(come) + 1)):
        return 1
    telling = [line for line in come if len(line) >= LEAST_TELLING and line not in old]
    others = [line for line in near if line not in old]
    if not telling or _name(telling[0]) not in map(_name, others):
        return 0
    standing = sum(any(similar(line, other) for other in others) for line in telling)
    return 0.5 if standing / len(telling) >= 0.5 else 0


def _still_stands(hunk: Hunk, match: Match) -> bool:
    """Whether something that goes, and does not come again, stands there: then it was not done before."""
    key = exact if match.reindent is SAME else bare
    gone, come = ({key(line.text) for line in hunk.lines if line.kind == kind} for kind in "-+")
    return any(line.strip() for line in gone - come)


def _name(line: str) -> str:
    """What a line defines, roughly: all before the first sign of a value, of arguments or of a body."""
    return re.split(r"[=(:{]", line, maxsplit=1)[0].rstrip()


def _done_before(lines: list[Line], match: Match) -> Applied:
    return Applied(lines, match.start + 1, match.end, match.how, already=True)
