"""Words of source text: identifiers split into parts, parts reduced to a stem, stems to numbers."""

import re
from typing import Final
from zlib import crc32

WORD: Final = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\dA-Za-z_]+")
_LONGEST: Final = 64
_MOST_REMEMBERED: Final = 25_000
_DOUBLED: Final = frozenset("bdgmnprt")


def number_of(term: str) -> int:
    """Return the number that stands for a term. Two terms may share one: the order of files gets a little worse."""
    return crc32(term.encode("utf-8", "replace"))


def exact_number(name: bytes) -> int:
    """Return the number that stands for a name as it is written."""
    return crc32(name)


def split(word: str) -> list[str]:
    """Return the parts of an identifier in lower case: `parseHTTPHeader2` has parse, http, header and 2."""
    return [part.lower() for part in _PART.findall(word)]


def stem(part: str) -> str:
    """Return what inflected forms of an English word have in common; identifiers get through it unharmed."""
    size = len(part)
    if size < 4 or not part.isascii():
        return part
    if part.endswith("ies") and size > 4:
        part = f"{part[:-3]}y"
    elif part.endswith("s") and part[-2] not in "siu":
        part = part[:-1]
    elif part.endswith("ing") and size > 5:
        part = _undouble(part[:-3])
    elif part.endswith("ed") and size > 4:
        part = _undouble(part[:-2])
    return part[:-1] if part.endswith("e") and len(part) > 3 else part


def _undouble(part: str) -> str:
    return part[:-1] if len(part) > 3 and part[-1] == part[-2] and part[-1] in _DOUBLED else part


def terms_of(word: str) -> list[str]:
    """Return the terms of one word: the stems of its parts, and the whole of it if it has several."""
    parts = split(word[:_LONGEST])
    terms = [stem(part) for part in parts if len(part) > 1 or not part.isascii()]
    if len(parts) > 1:
        terms.append("".join(parts))
    return terms


class Vocabulary:
    """Remembers the terms of the words that were seen, up to a bound."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, ...]] = {}

    def numbers(self, word: bytes) -> tuple[int, ...]:
        """Return the numbers of a word's terms."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = tuple(number_of(term) for term in terms_of(word[: 4 * _LONGEST].decode("utf-8", "replace")))
            self._known[word] = known
        return known
