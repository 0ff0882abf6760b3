"""Who uses whose definitions: a graph of files, and personalised PageRank over it."""

from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ay_bot.outline.index import Index
from ay_bot.outline.scoring import F8

_MOST_DEFINERS: Final = 6
_DAMPING: Final = 0.85
I8 = npt.NDArray[np.int64]


class Graph(NamedTuple):
    """Edges from files to the files that define what they use; the weights of a file's edges add up to one."""

    start: I8
    end: I8
    weight: F8
    files: int


def build_graph(index: Index) -> Graph:
    """Return the graph of an index. Names that many files define say nothing of where they lead."""
    names, files = _definitions(index)
    starts = np.append(0, np.flatnonzero(names[1:] != names[:-1]) + 1) if len(names) else np.zeros(0, np.int64)
    firsts, counts = names[starts], np.diff(np.append(starts, len(names)))
    edges = [_edges(part_names, part_files, part_counts, (firsts, starts, counts, files))
             for part_names, part_files, part_counts in _references(index)]  # fmt: skip
    size = len(index.entries)
    start = np.concatenate([edge[0] for edge in edges])
    end = np.concatenate([edge[1] for edge in edges])
    weight = np.concatenate([edge[2] for edge in edges])
    total = np.bincount(start, weight, size)
    return Graph(start, end, weight / total[start], size)


def join_edges(graph: Graph) -> Graph:
    """Return the same graph with one edge where there were several between two files."""
    key, weight, size = graph.start * graph.files + graph.end, graph.weight, graph.files
    order = np.argsort(key, kind="stable")
    key, weight = key[order], weight[order]
    at = np.append(0, np.flatnonzero(key[1:] != key[:-1]) + 1) if len(key) else np.zeros(0, np.int64)
    weight = np.add.reduceat(weight, at).astype(np.float64) if len(key) else weight
    return Graph(key[at] // max(size, 1), key[at] % max(size, 1), weight, size)


def open_graph(index: Index) -> Graph:
    """Return the graph of an index, from the cache or into it if a segment of its own is there for the tree."""
    directory = index.parts[0].segment.directory if len(index.parts) == 1 and index.parts[0].whole else None
    if directory is None:
        return build_graph(index)
    with suppress(OSError, ValueError):
        graph = _read_graph(directory, len(index.entries))
        if _is_sound(graph):
            return graph
    graph = join_edges(build_graph(index))
    with suppress(OSError):
        graph.start.astype(np.uint32).tofile(directory / "graph_start")
        graph.end.astype(np.uint32).tofile(directory / "graph_end")
        graph.weight.tofile(directory / "graph_weight")
    return graph


def _read_graph(directory: Path, size: int) -> Graph:
    start = np.fromfile(directory / "graph_start", np.uint32).astype(np.int64)
    end = np.fromfile(directory / "graph_end", np.uint32).astype(np.int64)
    return Graph(start, end, np.fromfile(directory / "graph_weight", np.float64), size)


def _is_sound(graph: Graph) -> bool:
    if not len(graph.start) == len(graph.end) == len(graph.weight):
        return False
    ends = max(int(graph.start.max(initial=0)), int(graph.end.max(initial=0)))
    return (not len(graph.start) or ends < graph.files) and bool(np.all(np.isfinite(graph.weight)))


def _definitions(index: Index) -> tuple[npt.NDArray[np.uint32], I8]:
    names, files = [], []
    for part in index.parts:
        keep = part.alive[part.segment.definition_file]
        names.append(part.segment.definitions[keep])
        files.append(part.segment.definition_file[keep].astype(np.int64) + part.first)
    key = np.sort(np.concatenate(names).astype(np.int64) << 32 | np.concatenate(files))
    key = key[np.append(True, key[1:] != key[:-1])] if len(key) else key
    return (key >> 32).astype(np.uint32), key & 0xFFFFFFFF


def _references(index: Index) -> list[tuple[npt.NDArray[np.uint32], I8, F8]]:
    found = []
    for part in index.parts:
        segment = part.segment
        keep = part.alive[segment.reference_file]
        found.append(
            (
                segment.references[keep],
                segment.reference_file[keep].astype(np.int64) + part.first,
                np.sqrt(segment.reference_counts[keep].astype(np.float64)),
            )
        )
    return found


def _edges(
    names: npt.NDArray[np.uint32], users: I8, weights: F8, defined: tuple[npt.NDArray[np.uint32], I8, I8, I8]
) -> tuple[I8, I8, F8]:
    firsts, starts, counts, files = defined
    if not len(firsts) or not len(names):
        return users[:0], users[:0], weights[:0]
    place = np.minimum(np.searchsorted(firsts, names), len(firsts) - 1)
    good = (firsts[place] == names) & (counts[place] <= _MOST_DEFINERS)
    place, users, weights = place[good], users[good], weights[good]
    many = counts[place]
    users, weights = np.repeat(users, many), np.repeat(weights / many, many)
    within = np.arange(len(users)) - np.repeat(np.cumsum(many) - many, many)
    ends = files[np.repeat(starts[place], many) + within]
    other = ends != users
    return users[other], ends[other], weights[other]


def rank_pages(graph: Graph, seeds: F8, rounds: int, damping: float = _DAMPING) -> F8:
    """Return PageRank by power iteration, with the seeds as the places where the surfer starts again."""
    total = float(seeds.sum())
    if not total:
        return seeds
    seeds = seeds / total
    rank = seeds
    for _ in range(rounds):
        flow = np.bincount(graph.end, rank[graph.start] * graph.weight, graph.files)
        rank = flow.astype(np.float64) * damping
        rank += seeds * (1.0 - float(rank.sum()))
    return rank
