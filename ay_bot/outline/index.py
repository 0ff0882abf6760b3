"""An index of one tree: a segment kept from some earlier tree, less what is gone, and one of what has come since."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ay_bot.outline.segment import Builder, Segment, load_segment
from ay_bot.outline.store import Store
from ay_bot.outline.tree_source import Entry, Source

_KEPT: Final = 6
_MOST_NEW: Final = 0.05
_LEFT_BEHIND: Final = 3_600.0
_FEW: Final = 200

Fill = Callable[[list[Entry]], object]
Flags = npt.NDArray[np.bool_]


class Part(NamedTuple):
    """A segment within an index."""

    segment: Segment
    alive: Flags  # by file of the segment: whether it is in this tree
    first: int  # the number in the index of the segment's first file

    @property
    def whole(self) -> bool:
        """Whether every file is in this tree."""
        return bool(self.alive.all())


class Index:
    """All files of one tree. A file's number is its place in `entries`; numbers of files that are gone are unused."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.entries = [entry for part in parts for entry in part.segment.entries]
        self.alive: Flags = np.concatenate([part.alive for part in parts])
        self.count = int(self.alive.sum())

    def segments(self) -> Iterator[Part]:
        """Yield the parts."""
        yield from self.parts


def open_index(source: Source, store: Store, place: str, fill: Fill) -> Index:
    """Return the index of a tree; `fill` is asked to have files read that no kept segment has.

    `place` names the repository within the cache.
    """
    home = store.segments(place)
    entries = source.entries()
    wanted = set(entries)
    kept = [(segment, wanted.intersection(segment.entries)) for segment in _load_kept(home)]
    best, common = max(kept, key=lambda found: len(found[1]), default=(None, set[Entry]()))
    if (
        best is None
        or len(wanted) - len(common) > _FEW + _MOST_NEW * len(wanted)
        or 2 * len(common) < len(best.entries)
    ):
        fill(entries)
        segment = _build(home, source.tree, entries, store)
        _forget(home)
        return Index([Part(segment, np.ones(len(segment.entries), np.bool_), 0)])
    return _grow(best, sorted(wanted - common), common, lambda fresh: _read(home, source.tree, fresh, store, fill))


def _grow(best: Segment, fresh: list[Entry], common: set[Entry], read: Callable[[list[Entry]], Segment]) -> Index:
    alive = np.fromiter((entry in common for entry in best.entries), np.bool_, len(best.entries))
    parts = [Part(best, alive, 0)]
    if fresh:
        segment = read(fresh)
        parts.append(Part(segment, np.ones(len(segment.entries), np.bool_), len(alive)))
    return Index(parts)


def _read(home: Path, tree: str, fresh: list[Entry], store: Store, fill: Fill) -> Segment:
    fill(fresh)
    with tempfile.TemporaryDirectory(prefix="changes-", dir=home) as place:
        segment = _build(Path(place), tree, fresh, store)
    segment.directory = None  # it is read on from files that have no name any more
    return segment


def _build(home: Path, tree: str, entries: list[Entry], store: Store) -> Segment:
    with Builder(home / tree, tree) as builder:
        return load_segment(builder.build(entries, store.digests({entry.blob for entry in entries})))


def _load_kept(home: Path) -> list[Segment]:
    found = (directory for directory in sorted(home.glob("*")) if not _is_unfinished(directory))
    return [segment for directory in found if (segment := _load(directory)) is not None]


def _load(directory: Path) -> Segment | None:
    if not directory.is_dir():
        return None
    try:
        return load_segment(directory)
    except (OSError, ValueError, KeyError, IndexError, RecursionError):
        shutil.rmtree(directory, ignore_errors=True)
        return None


def _forget(home: Path) -> None:
    """Remove all but the newest segments, and what processes that died have left behind."""
    aged = sorted(((_changed(directory), directory) for directory in home.glob("*")), reverse=True)
    finished = [directory for _, directory in aged if not _is_unfinished(directory)]
    dead = [directory for age, directory in aged if _is_unfinished(directory) and age < time.time() - _LEFT_BEHIND]
    for directory in finished[_KEPT:] + dead:
        shutil.rmtree(directory, ignore_errors=True)


def _changed(directory: Path) -> float:
    try:
        return directory.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_unfinished(directory: Path) -> bool:
    return directory.name.startswith(("changes-", "segment-"))


def load_index(store: Store, place: str, source: Source) -> Index | None:
    """Return the index of a tree that has a segment of its own: no other file needs to be opened.

    A segment that names other files than the tree has is thrown away: its words would get into maps.
    """
    directory = store.segments(place) / source.tree
    segment = _load(directory)
    if segment is None:
        return None
    entries = source.entries()
    if segment.tree != source.tree or len(entries) != len(segment.entries) or set(entries) != set(segment.entries):
        shutil.rmtree(directory, ignore_errors=True)
        return None
    return Index([Part(segment, np.ones(len(segment.entries), np.bool_), 0)])
