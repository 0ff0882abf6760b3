"""The terms of a path: the file's own name counts more than the directories above it."""

from typing import Final

from ay_bot.outline.words import number_of, terms_of

_NAME_COUNTS: Final = 3
_WORDS: Final = str.maketrans(dict.fromkeys("/.-+@ ,()[]{}#!$%&'=~^", " "))


def path_terms(path: str) -> dict[int, int]:
    """Return the numbers of a path's terms, with their weights."""
    directory, _, name = path.rpartition("/")
    total: dict[int, int] = {}
    for text, weight in ((directory, 1), (name.rpartition(".")[0] or name, _NAME_COUNTS), (name.rpartition(".")[2], 1)):
        for word in text.translate(_WORDS).split():
            for term in terms_of(word):
                number = number_of(term)
                total[number] = min(total.get(number, 0) + weight, 255)
    return total
