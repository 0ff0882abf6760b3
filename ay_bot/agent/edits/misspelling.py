"""Places that a hunk fits but for one letter of one word, in a line which the hunk does not change."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

LEAST_WORD = 3  # letters; shorter words differ from each other in one letter anyway
LEAST_LINE = 8  # characters, of a line that stands alone


def find_misspelt(file: Sequence[str], wanted: Sequence[str], may_differ: Sequence[bool]) -> list[int]:
    """Where in `file` all wanted lines stand, one of them misspelt: a word that nothing in the file has.

    Two places are enough to say that it is unclear which.
    """
    found: list[int] = []
    stands: dict[str, bool] = {"": True}
    for start in _starts(file, wanted):
        differing = list(islice((number for number, line in enumerate(wanted) if line != file[start + number]), 2))
        if len(differing) == 1 and may_differ[differing[0]]:
            wrong, right = wanted[differing[0]], file[start + differing[0]]
            word = misspelt_word(wrong, right) if len(wanted) > 1 or len(right) >= LEAST_LINE else ""
            if word not in stands:
                stands[word] = _stands(word, file)
            if not stands[word]:
                found.append(start)
        if len(found) > 1:
            break
    return found


def _starts(file: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    """Where the first two lines, or the only one, may stand."""
    length = len(wanted[0])
    for start in range(len(file) - len(wanted) + 1):
        if len(wanted) == 1:
            if abs(len(file[start]) - length) <= 1:
                yield start
        elif file[start] == wanted[0] or file[start + 1] == wanted[1]:
            yield start


def misspelt_word(line: str, other: str) -> str:
    """The word of `line` that misses a letter of the word of `other`, has one more, or two exchanged; or nothing.

    One letter instead of another, and one that makes a plural, make another word.
    """
    head = _common(line, other)
    rest = min(len(line), len(other)) - head
    tail = min(_common(line[::-1], other[::-1]), rest)
    mine, theirs = line[head : len(line) - tail], other[head : len(other) - tail]
    exchanged = len(mine) == 2 and mine == theirs[::-1]
    if not (mine + theirs).isalpha() or not (exchanged or len(mine + theirs) == 1):
        return ""
    start, end = _word_at(line, head)
    longer = max(end - start, end - start + len(theirs) - len(mine))
    plural = (mine + theirs).lower() == "s" and end == head + len(mine)
    return line[start:end] if longer >= LEAST_WORD and not plural else ""


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _word_at(line: str, at: int) -> tuple[int, int]:
    before, after = re.search(r"\w*$", line[:at]), re.match(r"\w*", line[at:])
    return at - len(before[0] if before else ""), at + len(after[0] if after else "")


def _stands(word: str, file: Sequence[str]) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", "\n".join(file)) is not None
