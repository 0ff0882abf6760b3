"""Filling the cache: which files of a tree were not read yet, and having them read."""

from array import array
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ay_bot.outline.pool import WORKERS, Pool, Text
from ay_bot.outline.store import Store
from ay_bot.outline.tree_source import Commit, Entry, Source
from ay_bot.outline.words import WORD, Vocabulary

LARGEST: Final = 4 * 1024 * 1024
_ROWS_AT_ONCE: Final = 400
_MOST_PATHS: Final = 100
_LONGEST_MESSAGE: Final = 8_000

Tell = Callable[[int, int], None]
"""Told how many files were read, of how many."""


class Filled(NamedTuple):
    """What had to be done to fill the cache."""

    files: int
    read: int
    deaths: int


def fill(
    source: Source, store: Store, entries: list[Entry], tell: Tell | None = None, workers: int = WORKERS
) -> Filled:
    """Have every file of a tree read that the cache doesn't know."""
    missing = store.missing({entry.blob for entry in entries})
    if not missing:
        return Filled(len(entries), 0, 0)
    paths = {entry.blob: entry.path for entry in reversed(entries) if entry.blob in missing}
    wanted = list(dict.fromkeys(entry.blob for entry in entries if entry.blob in missing))
    done = 0
    with Pool(min(workers, 1 + len(wanted) // 20)) as pool:
        waiting = []
        for answers in pool.read(_texts(source, wanted, paths)):
            waiting += answers
            done += len(answers)
            if len(waiting) >= _ROWS_AT_ONCE:
                store.add(waiting)
                waiting = []
                if tell:
                    tell(done, len(wanted))
        store.add(waiting)
        if tell:
            tell(done, len(wanted))
        return Filled(len(entries), len(wanted), pool.deaths)


def _texts(source: Source, wanted: list[str], paths: dict[str, str]) -> Iterator[Text]:
    for blob, text in source.blobs(wanted, LARGEST):
        yield blob, paths[blob], text or b""


def fill_past(source: Source, store: Store, past: list[str]) -> int:
    """Have every commit of the past read that the cache doesn't know, and return how many that were."""
    missing = store.missing_commits(past)
    vocabulary = Vocabulary()
    waiting = []
    for commit in source.commits([known for known in past if known in missing]):
        waiting.append((commit.commit, *numbers_of(commit, vocabulary)))
        if len(waiting) >= _ROWS_AT_ONCE:
            store.add_commits(waiting)
            waiting = []
    store.add_commits(waiting)
    return len(missing)


def numbers_of(commit: Commit, vocabulary: Vocabulary) -> "tuple[array[int], array[int]]":
    """Return the terms of a commit's message, each once, and the numbers of its paths."""
    message = commit.message[:_LONGEST_MESSAGE].encode("utf-8", "replace")
    terms = {number: None for word in WORD.findall(message) for number in vocabulary.numbers(word)}
    paths = commit.paths if len(commit.paths) <= _MOST_PATHS else ()
    return array("I", terms), array("Q", (path_number(path) for path in paths))


def path_number(path: str) -> int:
    """Return the number that stands for a path in the past of a repository."""
    from hashlib import blake2b

    return int.from_bytes(blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")
