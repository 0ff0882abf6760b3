"""How much lines are alike: one that was mistaken, and those that come for those that go."""

import difflib
import re
from collections.abc import Sequence

from ay_bot.agent.edits.folding import indent_of

NUMBER = re.compile(r"\d+")
SIMILAR = 0.8
LIKE = 0.6  # a line and what replaces it
LONGEST = 1_000  # characters; the comparison takes the square of it


def similar(one: str, other: str, least: float = SIMILAR) -> bool:
    """Whether two lines differ in little."""
    if one == other or max(len(one), len(other)) > LONGEST:
        return one == other
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least and matcher.ratio() >= least


def mistaken(one: str, other: str) -> bool:
    """Whether a line may have been meant for the other: in little else, and with the same numbers."""
    return similar(one, other) and NUMBER.findall(one) == NUMBER.findall(other)


def alike(gone: Sequence[str], come: Sequence[str]) -> bool:
    """Whether each line that comes is much like the one that goes in its place."""
    return len(gone) == len(come) and all(similar(*both, LIKE) for both in zip(gone, come, strict=True))


def follows(line: str, gone: str, come: Sequence[str]) -> bool:
    """Whether it is this one of the lines that come which takes the place of the one that goes, or wraps it."""
    likest = max(come, key=lambda other: (_ratio(gone, other), other == line))
    if not similar(gone.strip(), likest.strip(), LIKE):
        return False
    return line == likest or len(indent_of(likest)) > len(indent_of(gone))


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one[:LONGEST], other[:LONGEST], autojunk=False).ratio()
