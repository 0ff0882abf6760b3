"""The last pass: places that differ from a hunk in a few lines which the hunk does not change."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ay_bot.agent.edits.folding import bare
from ay_bot.agent.edits.hunk import Hunk, slide
from ay_bot.agent.edits.likeness import alike, follows, mistaken, similar
from ay_bot.agent.edits.matching import Match, Source, align_blank, infer_map
from ay_bot.agent.edits.misspelling import find_misspelt

LEAST_EXACT = 2
VERY_SIMILAR = 0.9  # beside an added line
SHARE = 0.15
MOST_EXTRA = 2
LEAD = 2  # by how many exact lines the best place must win


@dataclass(frozen=True, slots=True)
class _Candidate:
    solid: dict[int, int]
    exact: int
    cost: int


def find_fuzzy(source: Source, hunk: Hunk, low: int, high: int) -> tuple[Hunk, Match] | None:
    """The one place that is clearly meant, if there is one, and the hunk as it is to be read there."""
    old = hunk.old
    numbers = [index for index, line in enumerate(old) if bare(line)]
    if not numbers:
        return None
    within = [index for index in source.solid if low <= index < high]
    keys = source.keys(bare)
    file = [keys[index] for index in within]
    wanted = [bare(old[index]) for index in numbers]
    kept = hunk.kept()
    found = _place(file, wanted, [kept[index] for index in numbers])
    if found is None:
        return None
    return _checked(source, hunk, {numbers[mine]: within[theirs] for mine, theirs in found.items()})


def _place(file: Sequence[str], wanted: Sequence[str], may_differ: Sequence[bool]) -> dict[int, int] | None:
    """For each wanted line its place, if it is clear which is meant."""
    if misspelt := find_misspelt(file, wanted, may_differ):
        return {number: misspelt[0] + number for number in range(len(wanted))} if len(misspelt) == 1 else None
    if len(wanted) < LEAST_EXACT:
        return None
    aligned = (_align(file, wanted, may_differ, start) for start in _starts(file, wanted))
    best = _best([candidate for candidate in aligned if candidate], file, wanted)
    if best is None or best.exact < LEAST_EXACT or best.cost > len(wanted) - LEAST_EXACT + 1:
        return None
    return best.solid


def _checked(source: Source, hunk: Hunk, solid: dict[int, int]) -> tuple[Hunk, Match] | None:
    alignment = align_blank(source, hunk.old, solid)
    reindent = infer_map(source, hunk.old, alignment)
    if reindent is None:
        return None
    match = Match(alignment, reindent, "a few differing context lines")
    return next(((variant, match) for variant in slide(hunk) if not unclear(source, variant, match)), None)


def _starts(file: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where the first line would stand by the votes of all, most votes first."""
    places: dict[str, list[int]] = {}
    for index, line in enumerate(file):
        places.setdefault(line, []).append(index)
    votes: Counter[int] = Counter()
    for number, line in enumerate(wanted):
        for at in places.get(line, ())[:50]:
            for extra in range(MOST_EXTRA + 1):
                if at - number - extra >= 0:
                    votes[at - number - extra] += 1
    return [start for start, count in votes.most_common(12) if count >= LEAST_EXACT]


def _align(file: Sequence[str], wanted: Sequence[str], may_differ: Sequence[bool], start: int) -> _Candidate | None:
    """Align every wanted line with a line of the file from `start` on, skipping few; the cheapest way."""
    span = file[start : start + len(wanted) + MOST_EXTRA]
    most_differing = max(1, int(len(wanted) * SHARE))
    states: dict[int, _Candidate] = {-1: _Candidate({}, 0, 0)}  # by the last line of the span that is used
    for number, line in enumerate(wanted):
        following: dict[int, _Candidate] = {}
        for last, state in states.items():
            for at in range(last + 1, min(last + 2 + MOST_EXTRA, len(span), number + MOST_EXTRA + 1)):
                skipped = 0 if number == 0 and at == 0 else at - last - 1
                if number == 0 and at > 0:
                    continue
                same = span[at] == line
                if not same and not (may_differ[number] and mistaken(line, span[at])):
                    continue
                cost = state.cost + skipped + (0 if same else 2)
                if at not in following or cost < following[at].cost:
                    following[at] = _Candidate({**state.solid, number: start + at}, state.exact + same, cost)
        states = following
    good = [state for state in states.values() if len(wanted) - state.exact <= most_differing]
    return min(good, key=lambda state: state.cost) if good else None


def _best(candidates: list[_Candidate], file: Sequence[str], wanted: Sequence[str]) -> _Candidate | None:
    if not candidates:
        return None
    best = min(candidates, key=lambda candidate: (candidate.cost, -candidate.exact))
    first = min(best.solid.values())
    rivals = (other for other in _starts(file, wanted) if abs(other - first) > MOST_EXTRA)
    if any(_present(file, wanted, other) > best.exact - LEAD for other in rivals):
        return None
    return best


def _present(file: Sequence[str], wanted: Sequence[str], start: int) -> int:
    """How many of the wanted lines stand about where they would, if the first stood at `start`."""
    return sum(line in file[start + number : start + number + MOST_EXTRA + 1] for number, line in enumerate(wanted))


def unclear(source: Source, hunk: Hunk, match: Match) -> bool:
    """Whether it is unclear where something comes or what goes, beside lines that differ or only one of both has."""
    old = 0
    for changed, group in groupby(hunk.lines, key=lambda line: line.kind != " "):
        lines = list(group)
        gone = [line.text for line in lines if line.kind == "-"]
        come = [line.text for line in lines if line.kind == "+"]
        if changed and _unclear_block(source, hunk, match, old, gone, come):
            return True
        old += len(lines) - len(come) if changed else len(lines)
    return False


def _unclear_block(
    source: Source, hunk: Hunk, match: Match, start: int, gone: Sequence[str], come: Sequence[str]
) -> bool:
    """The same for what goes and comes in one place, where old line `start` is the first to go."""
    end = start + len(gone)
    before = next((at for at in reversed(match.alignment[:start]) if at is not None), None)
    after = next((at for at in match.alignment[end:] if at is not None), None)
    own = [at for at in match.alignment[start:end] if at is not None]
    if not own:
        if before is not None and after is None and None in match.alignment[match.alignment.index(before) :]:
            after = before + 2  # the hunk ends with a blank line: then the file has one there, or another line
        return _gap(source, before, after) or (start > 0 and _differs(source, hunk.old, match, start - 1))
    if come and any(_gap(source, one, other) for one, other in pairwise(own)) and not alike(gone, come):
        return True
    if len(come) < max(len(gone), 2):
        return False
    above = _gap(source, before, own[0]) and not follows(come[0], gone[0], come)
    return above or (_gap(source, own[-1], after) and not follows(come[-1], gone[-1], come))


def _gap(source: Source, one: int | None, other: int | None) -> bool:
    """Whether the file has lines between two of its lines that the hunk does not have."""
    return one is not None and other is not None and any(line.strip() for line in source.lines[one + 1 : other])


def _differs(source: Source, old: Sequence[str], match: Match, place: int) -> bool:
    while place > 0 and not old[place].strip():
        place -= 1
    at = match.alignment[place]
    return at is not None and not similar(source.keys(bare)[at], bare(old[place]), VERY_SIMILAR)
