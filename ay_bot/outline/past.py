"""What the past says of files: which ones commits with a similar message touched, and which ones change often."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ay_bot.outline.index import Index
from ay_bot.outline.scoring import F8
from ay_bot.outline.store import Store

_NEIGHBOURS: Final = 80
_HALF_LIFE: Final = 400.0

I8 = npt.NDArray[np.int64]


class Past(NamedTuple):
    """The commits before a tree, the newest first; touched files are numbers in the index."""

    terms: npt.NDArray[np.uint32]
    term_commit: I8
    files: I8
    file_commit: I8
    sizes: F8  # by commit: how many files it touched
    words: F8  # by commit: how many terms its message has
    commits: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to learn from."""
        return not len(self.files)


def read_past(store: Store, past: Sequence[str], index: Index) -> Past:
    """Return what the cache knows of these commits, for the files of an index."""
    known = dict(store.commits(past))
    rows = [known.get(commit, (b"", b"")) for commit in past]
    terms = np.frombuffer(b"".join(row[0] for row in rows), np.uint32)
    paths = np.frombuffer(b"".join(row[1] for row in rows), np.uint64)
    words = np.array([len(row[0]) // 4 for row in rows], np.int64)
    sizes = np.array([len(row[1]) // 8 for row in rows], np.int64)
    commits = np.arange(len(rows))
    files = _find_files(index, paths)
    commit_of = np.repeat(commits, sizes)
    return Past(
        terms, np.repeat(commits, words), files[files >= 0], commit_of[files >= 0], sizes.astype(np.float64),
        words.astype(np.float64), len(rows),
    )  # fmt: skip


def _find_files(index: Index, paths: npt.NDArray[np.uint64]) -> I8:
    numbers = np.concatenate([part.segment.path_numbers for part in index.parts])
    places = np.flatnonzero(index.alive)
    numbers = numbers[places]
    order = np.argsort(numbers, kind="stable")
    numbers, places = numbers[order], places[order]
    if not len(numbers):
        return np.full(len(paths), -1, np.int64)
    at = np.minimum(np.searchsorted(numbers, paths), len(numbers) - 1)
    return np.where(numbers[at] == paths, places[at], -1)


def score_similar(past: Past, terms: Mapping[int, float], files: int) -> F8:
    """Return by file how much similar commits of the past touched it."""
    scores = np.zeros(files)
    if past.empty or not terms:
        return scores
    likeness = _likeness(past, terms)
    best = np.argsort(-likeness, kind="stable")[:_NEIGHBOURS]
    chosen = np.zeros(past.commits)
    chosen[best] = likeness[best] ** 2
    weight = chosen[past.file_commit] / np.sqrt(np.maximum(past.sizes[past.file_commit], 1.0))
    return np.bincount(past.files, weight, files).astype(np.float64)


def _likeness(past: Past, terms: Mapping[int, float]) -> F8:
    wanted = np.array(sorted(terms), np.uint32)
    place = np.minimum(np.searchsorted(wanted, past.terms), len(wanted) - 1)
    hit = wanted[place] == past.terms
    commits, place = past.term_commit[hit], place[hit]
    found = np.bincount(place, minlength=len(wanted))
    idf = np.log(1 + (past.commits - found + 0.5) / (found + 0.5))
    weights = np.sqrt(np.array([terms[int(term)] for term in wanted])) * idf
    total = np.bincount(commits, weights[place], past.commits)
    mean = float(past.words.sum()) / max(past.commits, 1)
    return total / (0.4 + 0.6 * np.sqrt(np.maximum(past.words, 1.0) / max(mean, 1.0)))


def score_change(past: Past, files: int) -> F8:
    """Return by file how much it changes, what is recent counting more."""
    if past.empty:
        return np.zeros(files)
    weight = np.exp2(-past.file_commit / _HALF_LIFE) / np.sqrt(np.maximum(past.sizes[past.file_commit], 1.0))
    return np.log1p(np.bincount(past.files, weight, files))
