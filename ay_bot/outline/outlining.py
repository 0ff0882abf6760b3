"""The outline of a repository, as others use it: `Outline` opens a cache, and answers for any commit."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ay_bot.errors import UsageError
from ay_bot.outline.building import Filled, Tell, fill, fill_past
from ay_bot.outline.counting import Counter
from ay_bot.outline.pool import WORKERS
from ay_bot.outline.store import Store
from ay_bot.outline.tree_source import Entry, Source
from ay_bot.protocol.memory import give_back_memory

if TYPE_CHECKING:
    from ay_bot.outline.index import Index
    from ay_bot.outline.mapping import Definitions
    from ay_bot.outline.ranking import Ranked, Ranking

_MOST_SHOWN: Final = 400
_LARGEST_SHOWN: Final = 1024 * 1024


class Told(NamedTuple):
    """What was done to have an index."""

    tree: str
    filled: Filled
    commits: int


class Outline:
    """A cache of outlines. `place` names the repository in it; two repositories may share blobs."""

    def __init__(self, store: Store, place: str = "default", workers: int = WORKERS, tell: Tell | None = None) -> None:
        self._store = store
        self._place = place
        self._workers = workers
        self._tell = tell
        self._ready: dict[tuple[str, str], Ranking] = {}

    def index(self, source: Source) -> Told:
        """Read whatever of a commit and of its past was not read yet."""
        filled = self._fill(source, source.entries())
        return Told(source.tree, filled, fill_past(source, self._store, list(source.past())))

    def ranking(self, source: Source) -> "Ranking":
        """Return what ranks the files of a commit, reading what was not read yet."""
        past = list(source.past())
        key = (source.tree, past[0] if past else "")
        if key not in self._ready:
            with _keeping(self._store.directory):
                index = self._open(source)
            fill_past(source, self._store, past)

            from ay_bot.outline.past import read_past
            from ay_bot.outline.ranking import Ranking

            self._ready = {key: Ranking(index, read_past(self._store, past, index))}
        return self._ready[key]

    def _open(self, source: Source) -> "Index":
        first = not any(self._store.segments(self._place).glob("*"))
        if first:  # the most is held while workers read: what computes is loaded after they have ended
            self._fill(source, source.entries())

        from ay_bot.outline.index import load_index, open_index

        return load_index(self._store, self._place, source) or open_index(
            source, self._store, self._place, lambda new: None if first else self._fill(source, new)
        )

    def _fill(self, source: Source, entries: list[Entry]) -> Filled:
        return fill(source, self._store, entries, self._tell, self._workers)

    def rank(self, source: Source, query: str, top: int) -> "list[Ranked]":
        """Return the files of a commit that fit a task best."""
        return self.ranking(source).rank(query, top)

    def names_files(self, source: Source, query: str) -> bool:
        """Say whether a task names files of a commit itself."""
        from ay_bot.outline.query import parse_query

        return bool(self.ranking(source).pinned(parse_query(query)))

    def map(
        self, source: Source, query: str, tokens: int, count: Counter, without: Collection[str] = frozenset()
    ) -> str:
        """Return a map of a commit for a task, or for none, that has at most so many tokens.

        Files of the paths `without` are left out.
        """
        from ay_bot.outline.mapping import draw_map, lay_out
        from ay_bot.outline.query import parse_query

        ranking = self.ranking(source)
        most = min(_MOST_SHOWN, 10 + tokens // 8)
        asked = most + len(without)
        found = ranking.rank(query, asked) if query.strip() else ranking.rank_without_task(asked)
        ranked = [file for file in found if file.path not in without][:most]
        texts = {blob: text for blob, text in source.blobs([file.blob for file in ranked], _LARGEST_SHOWN) if text}
        wanted = parse_query(query).terms if query.strip() else {}
        give_back_memory()  # the vocabularies of whoever counts come on top
        return draw_map(lay_out(ranked, _definitions(ranking, ranked), texts, wanted), tokens, count)


def _definitions(ranking: "Ranking", ranked: "list[Ranked]") -> "dict[str, Definitions]":
    import numpy as np

    from ay_bot.outline.mapping import Definitions

    wanted = {file.path for file in ranked}
    found = {}
    for part in ranking.index.parts:
        segment = part.segment
        bounds = np.searchsorted(segment.definition_file, np.arange(len(segment.entries) + 1))
        for place, entry in enumerate(segment.entries):
            if entry.path in wanted and part.alive[place]:
                span = slice(int(bounds[place]), int(bounds[place + 1]))
                found[entry.path] = Definitions(
                    segment.definition_line[span].tolist(), segment.definitions[span].tolist()
                )
    return found


@contextmanager
def open_outline(
    cache: Path, place: str = "default", workers: int = WORKERS, tell: Tell | None = None
) -> Iterator[Outline]:
    """Open the cache in a directory; `tell` hears how many files were read."""
    with _keeping(cache):
        store = Store(cache)
    with store:
        yield Outline(store, place, workers, tell)


@contextmanager
def _keeping(cache: Path) -> Iterator[None]:
    """Say what is wrong with the place of a cache that can't be written: it is read-only, or full."""
    try:
        yield
    except (OSError, sqlite3.DatabaseError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"the cache can't be kept in {cache}: {reason}"
        raise UsageError(message, hint="make room there, or give another place with --cache") from None
