"""BM25 of every file for a query: by its text, by its best piece, by the names that it defines, by its path."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ay_bot.outline.index import Index, Part
from ay_bot.outline.segment import U4, Postings

F8 = npt.NDArray[np.float64]

K1: Final = 1.2
B: Final = 0.75
B_OF_TEXTS: Final = 0.4  # long files are touched more often than short ones


class Lengths(NamedTuple):
    """How long each file and each piece is, against the mean; worked out once for an index."""

    words: F8  # of each file, as they are
    files: F8
    chunks: list[F8]  # by part
    names: F8
    paths: F8


def measure(index: Index) -> Lengths:
    """Return the lengths of an index's files."""
    files, names, paths = (np.zeros(len(index.entries)) for _ in range(3))
    chunks = []
    for part in index.parts:
        segment, end = part.segment, part.first + len(part.alive)
        words = segment.chunk_words.astype(np.float64)
        size = len(part.alive)
        files[part.first : end] = np.bincount(segment.chunk_file, words, size)[:size]
        names[part.first : end] = np.bincount(segment.names.at, segment.names.counts, size)[:size]
        paths[part.first : end] = np.bincount(segment.paths.at, segment.paths.counts, size)[:size]
        chunks.append(words)
    total = sum(
        float(words[part.alive[part.segment.chunk_file]].sum()) for part, words in zip(index.parts, chunks, strict=True)
    )
    count = sum(int(part.alive[part.segment.chunk_file].sum()) for part in index.parts)
    mean = total / max(count, 1)
    return Lengths(
        files,
        _norm(files, _mean(files, index), B_OF_TEXTS),
        [K1 * (1 - B + B * words / max(mean, 1.0)) for words in chunks],
        _norm(names, _mean(names, index)),
        _norm(paths, _mean(paths, index)),
    )


def _mean(lengths: F8, index: Index) -> float:
    return float(lengths[index.alive].sum()) / max(index.count, 1)


def _norm(lengths: F8, mean: float, b: float = B) -> F8:
    return K1 * (1 - b + b * lengths / max(mean, 1.0))


class Scores(NamedTuple):
    """By file: BM25 of its text, its best piece, its names, its path."""

    text: F8
    piece: F8
    names: F8
    path: F8


def score(index: Index, lengths: Lengths, terms: Mapping[int, float]) -> Scores:
    """Return the scores of every file for weighted terms."""
    text, piece, names, path = (np.zeros(len(index.entries)) for _ in range(4))
    pieces = [np.zeros(len(part.segment.chunk_file)) for part in index.parts]
    for term in sorted(terms):
        weight = terms[term]
        _score_body(index, lengths, (term, weight), text, pieces)
        _score_field(index, (term, weight), "names", lengths.names, names)
        _score_field(index, (term, weight), "paths", lengths.paths, path)
    for part, found in zip(index.parts, pieces, strict=True):
        _take_best(part, found, piece)
    dead = ~index.alive
    for scores in (text, piece, names, path):
        scores[dead] = 0.0
    return Scores(text, piece, names, path)


def _idf(index: Index, found: int) -> float:
    return float(np.log(1 + (index.count - found + 0.5) / (found + 0.5)))


def _score_body(index: Index, lengths: Lengths, query: tuple[int, float], text: F8, pieces: list[F8]) -> None:
    term, weight = query
    hits = [(part, *part.segment.body.find(term)) for part in index.parts]
    by_file = [_by_file(part, at, counts) for part, at, counts in hits]
    found = sum(len(files) for files, _ in by_file)
    if not found:
        return
    idf = weight * _idf(index, found)
    for (part, at, counts), (files, total), chunks, piece in zip(hits, by_file, lengths.chunks, pieces, strict=True):
        if not len(files):
            continue
        places = files + part.first
        text[places] += idf * total * (K1 + 1) / (total + lengths.files[places])
        many = counts.astype(np.float64)
        piece[at] += idf * many * (K1 + 1) / (many + chunks[at])


def _by_file(part: Part, at: U4, counts: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], F8]:
    files = part.segment.chunk_file[at].astype(np.int64)
    if not len(files):
        return files, np.zeros(0)
    starts = np.append(0, np.flatnonzero(files[1:] != files[:-1]) + 1)
    total = np.add.reduceat(counts, starts, dtype=np.float64)
    files = files[starts]
    alive = part.alive[files]
    return files[alive], total[alive]


def _score_field(index: Index, query: tuple[int, float], field: str, lengths: F8, scores: F8) -> None:
    term, weight = query
    hits = []
    for part in index.parts:
        postings: Postings = getattr(part.segment, field)
        at, counts = postings.find(term)
        alive = part.alive[at]
        hits.append((at[alive].astype(np.int64) + part.first, counts[alive].astype(np.float64)))
    found = sum(len(places) for places, _ in hits)
    if found:
        idf = weight * _idf(index, found)
        for places, many in hits:
            scores[places] += idf * many * (K1 + 1) / (many + lengths[places])


def _take_best(part: Part, pieces: F8, best: F8) -> None:
    files = part.segment.chunk_file
    if len(files):
        starts = np.append(0, np.flatnonzero(files[1:] != files[:-1]) + 1)
        best[files[starts].astype(np.int64) + part.first] = np.maximum.reduceat(pieces, starts)
