"""What to show of a file when a hunk does not stand in it: the regions that come closest, differing lines marked."""

import difflib
import re
from collections import Counter
from collections.abc import Sequence

from ay_bot.agent.edits.folding import bare

LEAST = 0.6
REGIONS = 3
AROUND = 5
MAX_LINES = 60
CANDIDATES = 8
SHOWN = 300  # characters of a line
COMPARED = 400  # words
WORD = re.compile(r"\w+|[^\w\s]")


def describe_nearest(lines: Sequence[str], old: Sequence[str]) -> str:
    """The nearest regions with line numbers; lines that the search text does not have are marked with a star."""
    wanted = [bare(line) for line in old if bare(line)]
    if not wanted or not lines:
        return "."
    found = nearest(lines, old)
    if not found:
        return "; nothing in it comes close. Read the file again."
    have = set(wanted)
    parts = []
    for start, end in found:
        low, high = max(start - AROUND, 0), min(end + AROUND, len(lines), start + MAX_LINES)
        shown = (
            f"{'*' if start <= at < end and bare(lines[at]) not in have else ' '}{at + 1:5} {lines[at][:SHOWN]}"
            for at in range(low, high)
        )
        parts.append("\n".join(shown))
    return ". Nearest (line numbers and a star for differing lines are not part of it):\n" + "\n  ---\n".join(parts)


def nearest(lines: Sequence[str], old: Sequence[str]) -> list[tuple[int, int]]:
    """Up to three regions whose text is similar enough, best first."""
    file = [bare(line) for line in lines]
    wanted = [bare(line) for line in old]
    while wanted and not wanted[0]:
        wanted.pop(0)
    size = len(wanted)
    words = _words(wanted)
    scored: list[tuple[float, int]] = []
    for start in _candidates(file, wanted):
        matcher = difflib.SequenceMatcher(None, words, _words(file[start : start + size]), autojunk=False)
        if (
            matcher.real_quick_ratio() >= LEAST
            and matcher.quick_ratio() >= LEAST
            and (ratio := matcher.ratio()) >= LEAST
        ):
            scored.append((ratio, start))
    chosen: list[tuple[int, int]] = []
    for _, start in sorted(scored, key=lambda item: (-item[0], item[1])):
        if all(start + size <= low or start >= high for low, high in chosen):
            chosen.append((start, min(start + size, len(lines))))
    return chosen[:REGIONS]


def _words(lines: Sequence[str]) -> list[str]:
    # Words, not characters: what comes close is found as well, in a tenth of the time.
    return WORD.findall("\n".join(lines))[:COMPARED]


def _candidates(file: Sequence[str], wanted: Sequence[str]) -> list[int]:
    places: dict[str, list[int]] = {}
    for index, line in enumerate(file):
        if line:
            places.setdefault(line, []).append(index)
    votes: Counter[int] = Counter()
    for number, line in enumerate(wanted):
        for at in places.get(line, ())[:50]:
            votes[max(at - number, 0)] += 1
    if not votes:
        short = [line for line in places if len(line) <= SHOWN][:3_000]
        for number, line in enumerate(wanted[:3]):
            for close in difflib.get_close_matches(line[:SHOWN], short, n=3, cutoff=0.6):
                for at in places[close][:3]:
                    votes[max(at - number, 0)] += 1
    return [start for start, _ in votes.most_common(CANDIDATES)]
