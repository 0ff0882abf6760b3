"""Where a text holds a known secret, or twelve characters of one, in any form; one pass for all secrets and forms."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING, Final

from ay_bot.host.redact.forms import DROPPED, LEAST_DISTINCT, SHORTEST, Form, fold, forms_of, parts_of
from ay_bot.host.redact.linear import compile_linear

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

_GRAM: Final = SHORTEST
_ASCII: Final = bytes(range(128))
_MOST_REPLACED: Final = 12
_SHORTEST_VERBATIM: Final = 6
_IS_KEPT: Final = bytes(byte not in DROPPED for byte in range(256))
_ESCAPE: Final = rb"\\[nrt]|%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|&#x?[0-9A-Fa-f]{2,4};"
_ESCAPED: Final = rb"(?:" + _ESCAPE + rb")(?:[\w.~/+=-]{0,12}(?:" + _ESCAPE + rb"))+[\w.~/+=-]{0,12}"
_ONE_ESCAPE = re.compile(_ESCAPE)
_WORD_BEFORE = re.compile(rb"[\w.~/+=-]{1,12}\Z")
_MOST_LAYERS = 3
_PIECE: Final = 1 << 20
LONGEST_SPAN: Final = 1 << 16
"""So many bytes may a secret be drawn out over, with gaps in it, that it is sure to be found."""

Span = tuple[int, int, int]
"""From, to, and the number of the value that is there."""


@dataclass(frozen=True)
class _Place:
    """Where a gram stands in a form of a value."""

    value: int
    form: Form
    at: int


class KnownValues:
    """Finds values in text. The automaton holds every fifth gram of each form; a hit is grown as far as it goes."""

    def __init__(self, values: Iterable[str]) -> None:
        places: dict[bytes, list[_Place]] = {}
        verbatim: dict[bytes, int] = {}
        for number, value in enumerate(values):
            for part in parts_of(value):
                raw = part.strip().encode("utf-8", "surrogatepass")
                if len(raw) >= _SHORTEST_VERBATIM:
                    verbatim.setdefault(raw, number)
                for form in forms_of(part.strip()):
                    for gram, at in _grams(form):
                        places.setdefault(gram, []).append(_Place(number, form, at))
        self._places = tuple(places.values())
        self._grams = _automaton(places)
        self._verbatim = tuple(verbatim.items())

    def find(self, data: bytes) -> list[Span]:
        """Return the spans of data that hold a value, in order; those of one value don't overlap."""
        if not self._verbatim:
            return []
        return sorted(_joined(span for start in range(0, len(data), _PIECE) for span in self._find_from(data, start)))

    def _find_from(self, data: bytes, start: int) -> Iterator[Span]:
        """Find in a piece of data, and in as much after it as a secret with gaps may take."""
        piece = data[start : start + _PIECE + LONGEST_SPAN] if len(data) > _PIECE else data
        verbatim = (span for raw, number in self._verbatim for span in _occurrences(piece, raw, number))
        for first, last, number in (*verbatim, *self._find_folded(piece), *self._find_escaped(piece)):
            yield start + first, start + last, number

    def _find_folded(self, data: bytes) -> Iterator[Span]:
        found = list(self._find_in(fold(data if data.isascii() else plain_letters(data))))
        if found:
            places = _places_of_ascii(data) if data.isascii() else _places_of_text(data)
            for start, end, number in found:
                yield places[start][0], places[end - 1][1], number

    def _find_in(self, folded: bytes) -> Iterator[Span]:
        done: dict[bytes, int] = {}
        if self._grams is None:
            return
        for gram, start, end in self._grams.find_matches_as_indexes(folded, overlapping=True):
            for place in self._places[gram]:
                if done.get(place.form.text, 0) >= end:
                    continue
                first, last = _grow(folded, start, end, place)
                if last - first >= place.form.least and len(set(folded[first:last])) >= LEAST_DISTINCT:
                    done[place.form.text] = last
                    yield first, last, place.value

    def _find_escaped(self, data: bytes) -> Iterator[Span]:
        """Find what is escaped in part, which as a whole is none of the forms."""
        if not any(mark in data for mark in (b"%", b"\\", b"&#")):
            return
        runs = list(_escaped_runs(data))
        if not any(True for _ in self._values_in(b" ".join(data[start:end] for start, end in runs))):
            return
        for start, end in runs:
            for number in self._values_in(data[start:end]):
                yield start, end, number

    def _values_in(self, escaped: bytes) -> Iterator[int]:
        for _ in range(_MOST_LAYERS):
            plain = _ONE_ESCAPE.sub(_unescape, escaped)
            if plain == escaped:
                return
            yield from (number for _, _, number in self._find_in(fold(plain)))
            escaped = plain


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans, those of one value that overlap as one."""
    by_value: dict[int, list[tuple[int, int]]] = {}
    for start, end, number in spans:
        by_value.setdefault(number, []).append((start, end))
    for number, found in by_value.items():
        first, last = min(found)
        for start, end in sorted(found):
            if start >= last:
                yield first, last, number
                first = start
            last = max(last, end)
        yield first, last, number


def _escaped_runs(data: bytes) -> Iterator[tuple[int, int]]:
    for run in compile_linear(_ESCAPED).finditer(data):
        before = _WORD_BEFORE.search(data, max(run.start() - 12, 0), run.start())
        yield before.start() if before else run.start(), run.end()


def _automaton(places: dict[bytes, list[_Place]]) -> "BytesAhoCorasick | None":
    if not places:
        return None
    from ahocorasick_rs import BytesAhoCorasick, MatchKind

    return BytesAhoCorasick(list(places), matchkind=MatchKind.Standard)


def _grams(form: Form) -> Iterator[tuple[bytes, int]]:
    """Yield grams so close that every part of `least` characters holds one."""
    step = max(form.least - _GRAM + 1, 1)
    ends = (*range(0, len(form.text) - _GRAM + 1, step), len(form.text) - _GRAM)
    for at in dict.fromkeys(ends):
        gram = form.text[at : at + _GRAM]
        if len(set(gram)) >= LEAST_DISTINCT - 1:
            yield gram, at


def _grow(folded: bytes, start: int, end: int, place: _Place) -> tuple[int, int]:
    form, before, after = place.form.text, place.at, place.at + _GRAM
    while start and before and folded[start - 1] == form[before - 1]:
        start, before = start - 1, before - 1
    while end < len(folded) and after < len(form) and folded[end] == form[after]:
        end, after = end + 1, after + 1
    return start, end


def _occurrences(data: bytes, raw: bytes, number: int) -> Iterator[Span]:
    at = data.find(raw)
    while at >= 0:
        yield at, at + len(raw), number
        at = data.find(raw, at + len(raw))


def plain_letters(data: bytes) -> bytes:
    """Return data with the plain letter for each that only looks different, as far as it folds to one."""
    present = set(data.translate(None, _ASCII).decode("utf-8", "ignore"))
    plain = {character: letters for character in present if (letters := _letters_of(character))}
    if len(plain) > _MOST_REPLACED:
        return unicodedata.normalize("NFKD", data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    for character, letters in plain.items():
        data = data.replace(character.encode(), letters)
    return data


@lru_cache(maxsize=4096)
def _letters_of(character: str) -> bytes:
    return fold(unicodedata.normalize("NFKD", character).encode("utf-8", "surrogateescape"))


def _places_of_ascii(data: bytes) -> list[tuple[int, int]]:
    return [(at, at + 1) for at in compress(range(len(data)), data.translate(_IS_KEPT))]


def _places_of_text(data: bytes) -> list[tuple[int, int]]:
    """Return where in data each character of the folded text comes from."""
    places: list[tuple[int, int]] = []
    at = 0
    for character in data.decode("utf-8", "surrogateescape"):
        end = at + len(character.encode("utf-8", "surrogateescape"))
        places += [(at, end)] * len(_letters_of(character))
        at = end
    return places


def _unescape(found: re.Match[bytes]) -> bytes:
    text = found[0]
    if text.startswith(b"&#"):
        is_hex, digits = text[2:3] == b"x", text.strip(b"&#x;")
        try:
            number = int(digits, 16 if is_hex else 10)
        except ValueError:
            return text
        return bytes([number]) if number < 256 else text
    return b"\n" if text[1:] in {b"n", b"r", b"t"} else bytes([int(text[-2:], 16)])
