"""Which files of a tree go whole into a context: those that are asked for, the likeliest first, while they fit."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from ay_bot.errors import UsageError
from ay_bot.outline.counting import Counter
from ay_bot.outline.tree_source import Entry, Source
from ay_bot.protocol.layers import FILE_FRAME, FRAME_BYTES

_LARGEST: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 200
_MOST_MISSES: Final = 20  # files that were too large: what is left would go to ever less likely ones


class Picked(NamedTuple):
    """A file, and how many tokens it takes with its frame."""

    path: str
    tokens: int
    bytes: int


def choose_entries(entries: Iterable[Entry], patterns: Sequence[str]) -> list[Entry]:
    """Return the files that patterns name, as those of .gitignore do, or all for `.`. Raises UsageError.

    A file whose name is no text can't be told of, and is never one of them.
    """
    from pathspec import GitIgnoreSpec

    named = (entry for entry in entries if _is_text(entry.path))
    if "." in patterns:
        return list(named)
    try:
        spec = GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise UsageError(f"what to load is no pattern as in .gitignore: {error}", hint="give paths, or `.`") from None
    return [entry for entry in named if spec.match_file(entry.path)]


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def pick(source: Source, ordered: Iterable[Entry], tokens: int, count: Counter) -> Iterator[Picked]:
    """Yield the files that fit into a number of tokens, taken in order; one that doesn't fit makes way for the next."""
    left, misses = tokens, 0
    waiting = iter(ordered)
    while left > FILE_FRAME and misses < _MOST_MISSES and (batch := list(islice(waiting, _AT_ONCE))):
        texts = dict(source.blobs(sorted({entry.blob for entry in batch}), min(_LARGEST, 16 * left)))
        for entry in batch:
            text = texts.get(entry.blob)
            size = _measure(entry.path, text, count)
            if size is None or size > left:
                misses += 1
                continue
            misses = 0
            left -= size
            yield Picked(entry.path, size, len(entry.path) + len(text or b"") + FRAME_BYTES)


def _measure(path: str, text: bytes | None, count: Counter) -> int | None:
    if text is None or b"\0" in text:
        return None
    try:
        return count(f"{path}\n{text.decode()}") + FILE_FRAME
    except UnicodeDecodeError:
        return None
