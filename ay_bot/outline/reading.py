"""From a file's bytes to its digest: what each worker does. Hostile files come here; every count is bounded."""

from array import array
from collections import Counter
from time import process_time
from typing import Final

from ay_bot.outline.digest import BINARY, INDEXED, Digest, empty_digest
from ay_bot.outline.generic import find_definitions, find_references
from ay_bot.outline.grammars import load_grammar
from ay_bot.outline.languages import GRAMMARS, language_of
from ay_bot.outline.words import WORD, Vocabulary, exact_number

LARGEST_PARSED: Final = 256 * 1024  # a tree takes a hundred times the bytes of its text
LARGEST_CODE: Final = 4 * 1024 * 1024
LARGEST_TEXT: Final = 512 * 1024
PARSE_SECONDS: Final = 2.0
_CHUNK_BYTES: Final = 3_000
_MOST_CHUNKS: Final = 2_000
_MOST_DEFINITIONS: Final = 5_000
_MOST_REFERENCES: Final = 4_000
_LONGEST_MEAN_LINE: Final = 400  # what is longer was made by a program, for a program
_LONGEST_NAME: Final = 200
_PIECE: Final = 1024 * 1024

Found = tuple[list[tuple[bytes, int]], "Counter[bytes]"]


class Reader:
    """Makes digests, and remembers words from one file to the next."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()

    def read(self, path: str, text: bytes, *, parsed: bool = True) -> Digest:
        """Return the digest of one file; with `parsed` false no grammar sees it."""
        if b"\0" in text[:8_000]:
            return empty_digest(BINARY, len(text))
        text = text[: LARGEST_CODE if language_of(path) else LARGEST_TEXT]
        lines = text.count(b"\n") + 1
        language = language_of(path) if parsed and len(text) < _LONGEST_MEAN_LINE * lines else ""
        definitions, references = find_names(path, text, language)
        facts = array("I", (INDEXED, GRAMMARS.index(language), len(text), lines))
        counted = sorted(references.items())[:_MOST_REFERENCES]
        return Digest(
            (
                facts.tobytes(),
                *self._chunks(text),
                *self._names(definitions),
                array("I", (exact_number(name) for name, _ in definitions)).tobytes(),
                array("I", (line for _, line in definitions)).tobytes(),
                array("I", (exact_number(name) for name, _ in counted)).tobytes(),
                array("H", (min(count, 65_535) for _, count in counted)).tobytes(),
            )
        )

    def _chunks(self, text: bytes) -> tuple[bytes, bytes, bytes]:
        chunks, terms, counts = array("I"), array("I"), array("B")
        numbers = self._vocabulary.numbers
        start = line = 0
        while start < len(text) and len(chunks) < 3 * _MOST_CHUNKS:
            end = _end_of_chunk(text, start)
            total: dict[int, int] = {}
            words = 0
            for word, count in Counter(WORD.findall(text, start, end)).items():
                known = numbers(word)
                words += count * len(known)
                for number in known:
                    total[number] = total.get(number, 0) + count
            chunks.extend((line, words, len(total)))
            terms.extend(total)
            counts.extend(min(count, 255) for count in total.values())
            line += text.count(b"\n", start, end)
            start = end
        return chunks.tobytes(), terms.tobytes(), counts.tobytes()

    def _names(self, definitions: list[tuple[bytes, int]]) -> tuple[bytes, bytes]:
        total: Counter[int] = Counter()
        for name, _ in definitions:
            total.update(self._vocabulary.numbers(name))
        return array("I", total).tobytes(), array("B", (min(count, 255) for count in total.values())).tobytes()


def _end_of_chunk(text: bytes, start: int) -> int:
    end = start + _CHUNK_BYTES
    if end >= len(text):
        return len(text)
    newline = text.rfind(b"\n", start + _CHUNK_BYTES // 2, end)
    return newline + 1 if newline > 0 else end


def find_names(path: str, text: bytes, language: str) -> Found:
    """Return the definitions of a file with their lines, and how often it names what."""
    if language and len(text) <= LARGEST_PARSED:
        definitions, references = _parse(text, language)
    else:
        definitions, references = find_definitions(path, text, code=bool(language)), Counter[bytes]()
        if definitions:
            references = find_references(text)
    kept = sorted(set(definitions), key=lambda found: (found[1], found[0]))[:_MOST_DEFINITIONS]
    return kept, references


def _parse(text: bytes, language: str) -> Found:
    parser, cursor = load_grammar(language)
    end = process_time() + PARSE_SECONDS
    try:
        tree = parser.parse(
            lambda offset, _point: text[offset : offset + _PIECE],
            progress_callback=lambda _offset, _failed: process_time() > end,
        )
    except ValueError:  # it took too long
        parser.reset()
        return [], Counter()
    captures = cursor.captures(tree.root_node)
    named = {
        kind: [(text[n.start_byte : n.end_byte], n.start_point.row) for n in captures.get(kind, ())] for kind in "dr"
    }
    return [found for found in named["d"] if 0 < len(found[0]) <= _LONGEST_NAME], Counter(
        name for name, _ in named["r"] if 0 < len(name) <= _LONGEST_NAME
    )
