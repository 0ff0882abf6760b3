"""The order of a tree's files for a task: a weighted sum of what text, names, paths, graph and past say of each."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from ay_bot.outline.graph import Graph, open_graph, rank_pages
from ay_bot.outline.index import Index
from ay_bot.outline.past import Past, score_change, score_similar
from ay_bot.outline.places import Places, is_code, is_foreign, is_header, is_test
from ay_bot.outline.query import Query, parse_query
from ay_bot.outline.scoring import F8, measure, score
from ay_bot.outline.words import exact_number

# Fitted to commits whose files are known, and tried on others; docs/context.md says on which.
_WEIGHTS: Final = {
    "text": 0.7,
    "piece": 1.8,
    "names": 0.5,
    "path": 0.85,
    "similar": 0.9,
    "change": 0.6,
    "exact": 0.45,
    "prefix": 1.0,
    "directory": 0.6,
    "pages": 0.3,
    "partner": 0.25,
}
_TEST: Final = -0.9
_CODE: Final = 1.3
_FOREIGN: Final = -0.9
_HEADER: Final = -0.6
_SIZE: Final = 0.2  # for e times the words: long files are touched more often
_PINNED: Final = 100.0
_SEEDS: Final = 30
_ROUNDS: Final = 6
_DAMPING: Final = 0.7
_FEW_DEFINERS: Final = 5
_DECIMALS: Final = 9


class Ranked(NamedTuple):
    """A file, and how well it fits."""

    path: str
    blob: str
    score: float
    pinned: bool


class Ranking:
    """Ranks the files of one tree, for any number of tasks."""

    def __init__(self, index: Index, past: Past) -> None:
        self.index = index
        self._past = past
        self._lengths = measure(index)
        self._paths = [entry.path for entry in index.entries]
        self._slashed = [f"/{path}" for path in self._paths]
        self._usual = np.array([_usual(path) for path in self._paths])
        self._touched = self._usual + _SIZE * np.log1p(self._lengths.words)
        self._change = _scaled(score_change(past, len(self._paths)))

    @cached_property
    def graph(self) -> Graph:
        """Who uses whose definitions."""
        return open_graph(self.index)

    @cached_property
    def _places(self) -> Places:
        return Places(self._paths, self.index.alive.tolist())

    def rank(self, text: str, top: int) -> list[Ranked]:
        """Return the files that fit a task best, the best first."""
        query = parse_query(text)
        scores = self.scores(query)
        pinned = self.pinned(query)
        for place, file in enumerate(pinned):
            scores[file] += _PINNED - place
        return self._take(scores, top, frozenset(pinned))

    def rank_without_task(self, top: int) -> list[Ranked]:
        """Return the files that others use most."""
        size = len(self._paths)
        pages = rank_pages(self.graph, self.index.alive.astype(np.float64), 20)
        scores = _scaled(pages) + 0.5 * self._change + 0.12 * self._usual
        assert len(scores) == size  # noqa: S101
        return self._take(scores, top, frozenset())

    def _take(self, scores: F8, top: int, pinned: frozenset[int]) -> list[Ranked]:
        alive = np.flatnonzero(self.index.alive)
        rounded = np.round(scores[alive], _DECIMALS)
        if len(rounded) > 4 * top:  # only what may be among the first is put in order by path
            bar = np.partition(rounded, len(rounded) - top)[len(rounded) - top]
            alive, rounded = alive[rounded >= bar], rounded[rounded >= bar]
        found = sorted(zip((-rounded).tolist(), (self._paths[file] for file in alive), alive.tolist(), strict=True))
        entries = self.index.entries
        return [Ranked(path, entries[file].blob, -value, file in pinned) for value, path, file in found[:top]]

    def scores(self, query: Query) -> F8:
        """Return how well each file fits, without what is pinned."""
        size = len(self._paths)
        by_word = score(self.index, self._lengths, query.terms)
        prefix = score(self.index, self._lengths, parse_query(" ".join(query.prefix)).terms).path
        features = {
            "text": by_word.text,
            "piece": by_word.piece,
            "names": by_word.names,
            "path": by_word.path,
            "similar": score_similar(self._past, query.terms, size),
            "prefix": prefix,
            "exact": self._exact(query.names),
            "directory": self._directories(query.prefix),
        }
        total = sum((_WEIGHTS[name] * _scaled(found) for name, found in features.items()), np.zeros(size))
        total += _WEIGHTS["pages"] * _scaled(self._pages(total))
        total += _WEIGHTS["change"] * self._change + self._touched
        total += _WEIGHTS["partner"] * _scaled(self._partners(total))
        total[~self.index.alive] = 0.0
        return total

    def _pages(self, scores: F8) -> F8:
        seeds = np.zeros(len(scores))
        best = np.argsort(-np.round(scores, _DECIMALS), kind="stable")[:_SEEDS]
        seeds[best] = np.maximum(scores[best], 0.0)
        return rank_pages(self.graph, seeds, _ROUNDS, _DAMPING)

    def _partners(self, scores: F8) -> F8:
        """Return for files that have a test among the best how good that one is."""
        total = np.zeros(len(scores))
        for file in np.argsort(-np.round(scores, _DECIMALS), kind="stable")[:_SEEDS].tolist():
            if is_test(self._paths[file]):
                for partner in self._places.partners(self._paths[file]):
                    total[partner] = max(total[partner], scores[file])
        return total

    def _exact(self, names: Sequence[str]) -> F8:
        total = np.zeros(len(self._paths))
        wanted = np.array(sorted({exact_number(name.encode()) for name in names}), np.uint32)
        for part in self.index.parts:
            segment = part.segment
            hit = np.isin(segment.definitions, wanted)
            key = np.unique(segment.definitions[hit].astype(np.int64) << 32 | segment.definition_file[hit])
            names_found, files = key >> 32, key & 0xFFFFFFFF
            _, inverse, counts = np.unique(names_found, return_inverse=True, return_counts=True)
            few = counts[inverse] <= _FEW_DEFINERS
            np.add.at(total, files[few] + part.first, 1.0 / counts[inverse][few])
        return total

    def _directories(self, prefix: Sequence[str]) -> F8:
        total = np.zeros(len(self._paths))
        for word in {word.strip("/") for word in prefix}:
            if len(word) > 1:
                inside, named = f"/{word}/", f"/{word}."
                total += np.array([inside in path or named in path for path in self._slashed], np.float64)
        return np.minimum(total, 1.0)

    def pinned(self, query: Query) -> list[int]:
        """Return the files that a task names, in the order in which it does."""
        found = [file for named in query.paths for file in self._places.find(named)]
        return list(dict.fromkeys(found))[:20]


def _usual(path: str) -> float:
    return _TEST * is_test(path) + _CODE * is_code(path) + _FOREIGN * is_foreign(path) + _HEADER * is_header(path)


def _scaled(scores: F8) -> F8:
    most = float(scores.max(initial=0.0))
    return scores / most if most > 0 else scores
