"""A segment: the digests of many files turned round, from terms to the files that have them, as arrays in files."""

import json
import mmap
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from ay_bot.outline.building import path_number
from ay_bot.outline.digest import CHUNK, COLUMNS, FACTS, VERSION
from ay_bot.outline.path_words import path_terms
from ay_bot.outline.store import Row
from ay_bot.outline.tree_source import Entry

U1 = npt.NDArray[np.uint8]
U2 = npt.NDArray[np.uint16]
U4 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint64]

_ARRAYS: Final = {
    "body_terms": np.uint32, "body_offsets": np.uint64, "body_at": np.uint32, "body_counts": np.uint8,
    "name_terms": np.uint32, "name_offsets": np.uint64, "name_at": np.uint32, "name_counts": np.uint8,
    "path_terms": np.uint32, "path_offsets": np.uint64, "path_at": np.uint32, "path_counts": np.uint8,
    "chunk_file": np.uint32, "chunk_words": np.uint32, "chunk_line": np.uint32, "facts": np.uint32,
    "definitions": np.uint32, "definition_file": np.uint32, "definition_line": np.uint32,
    "references": np.uint32, "reference_file": np.uint32, "reference_counts": np.uint16, "path_numbers": np.uint64,
}  # fmt: skip
_PARTS: Final = 8
_META: Final = "meta.json"
_ROWS_AT_ONCE: Final = 500


class Postings(NamedTuple):
    """Where terms occur. `at` holds what a term was found in (ascending), from offsets[i] to offsets[i + 1]."""

    terms: U4
    offsets: U8
    at: U4
    counts: U1

    def find(self, term: int) -> tuple[U4, U1]:
        """Return where a term occurs, and how often."""
        index = int(np.searchsorted(self.terms, np.uint32(term)))
        if index >= len(self.terms) or int(self.terms[index]) != term:
            return self.at[:0], self.counts[:0]
        start, end = int(self.offsets[index]), int(self.offsets[index + 1])
        return self.at[start:end], self.counts[start:end]


class Segment:
    """The turned-round digests of some files. A file is known by its place in `entries`."""

    def __init__(self, tree: str, entries: list[Entry], arrays: "dict[str, npt.NDArray[np.generic]]") -> None:
        self.directory: Path | None = None  # where it is kept, if it is
        self.tree = tree
        self.entries = entries
        self.body = _postings(arrays, "body")
        self.names = _postings(arrays, "name")
        self.paths = _postings(arrays, "path")
        self.chunk_file: U4 = arrays["chunk_file"]  # type: ignore[assignment]
        self.chunk_words: U4 = arrays["chunk_words"]  # type: ignore[assignment]
        self.chunk_line: U4 = arrays["chunk_line"]  # type: ignore[assignment]
        self.facts: U4 = arrays["facts"].reshape(-1, FACTS)  # type: ignore[assignment]
        self.definitions: U4 = arrays["definitions"]  # type: ignore[assignment]
        self.definition_file: U4 = arrays["definition_file"]  # type: ignore[assignment]
        self.definition_line: U4 = arrays["definition_line"]  # type: ignore[assignment]
        self.references: U4 = arrays["references"]  # type: ignore[assignment]
        self.reference_file: U4 = arrays["reference_file"]  # type: ignore[assignment]
        self.reference_counts: U2 = arrays["reference_counts"]  # type: ignore[assignment]
        self.path_numbers: U8 = arrays["path_numbers"]  # type: ignore[assignment]
        self._check()

    def _check(self) -> None:
        """Raise ValueError for arrays that don't fit together: the cache is not to be trusted."""
        files, chunks = len(self.entries), len(self.chunk_file)
        fits = (
            len(self.facts) == files == len(self.path_numbers)
            and chunks == len(self.chunk_words) == len(self.chunk_line)
            and _are_below(self.chunk_file, files)
            and bool(np.all(self.chunk_file[1:] >= self.chunk_file[:-1]))
            and len(self.definitions) == len(self.definition_file) == len(self.definition_line)
            and _are_below(self.definition_file, files)
            and len(self.references) == len(self.reference_file) == len(self.reference_counts)
            and _are_below(self.reference_file, files)
            and _is_sound(self.body, chunks)
            and _is_sound(self.names, files)
            and _is_sound(self.paths, files)
        )
        if not fits:
            raise ValueError("the arrays of the segment don't fit together")


def _postings(arrays: "dict[str, npt.NDArray[np.generic]]", name: str) -> Postings:
    return Postings(*(arrays[f"{name}_{part}"] for part in Postings._fields))  # type: ignore[arg-type]


def _are_below(numbers: U4, bound: int) -> bool:
    return not len(numbers) or int(numbers.max()) < bound


def _is_sound(postings: Postings, bound: int) -> bool:
    offsets = postings.offsets
    if len(offsets) != len(postings.terms) + 1 or len(postings.at) != len(postings.counts):
        return False
    ordered = (
        int(offsets[0]) == 0 and int(offsets[-1]) == len(postings.at) and bool(np.all(offsets[1:] >= offsets[:-1]))
    )
    return ordered and _are_below(postings.at, bound)


def load_segment(directory: Path) -> Segment:
    """Open a segment that was written before. Raises ValueError or OSError for anything that is none."""
    meta = json.loads((directory / _META).read_bytes())
    if not isinstance(meta, dict) or meta.get("version") != VERSION or not isinstance(meta.get("tree"), str):
        raise ValueError("the segment is of another version")
    listing = (directory / "entries").read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1]
    entries = [Entry(path, blob) for path, blob in zip(listing[::2], listing[1::2], strict=True)]
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, kind in _ARRAYS.items():
        arrays[name] = _map(directory / name, np.dtype(kind))
    segment = Segment(meta["tree"], entries, arrays)
    segment.directory = directory
    return segment


def _map(path: Path, kind: "np.dtype[np.generic]") -> "npt.NDArray[np.generic]":
    with path.open("rb") as file:
        if not path.stat().st_size:
            return np.empty(0, kind)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), kind)


class Builder:
    """Writes a segment into a directory, holding a bounded part of it at a time. Use it as a context manager."""

    def __init__(self, directory: Path, tree: str) -> None:
        self._target = directory
        directory.parent.mkdir(parents=True, exist_ok=True)
        self._work = Path(tempfile.mkdtemp(prefix="segment-", dir=directory.parent))
        self._tree = tree
        self._chunks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._work, ignore_errors=True)

    def build(self, entries: Sequence[Entry], rows: Iterable[Row]) -> Path:
        """Write the segment of these files, and return where it is. The rows come in the order of their blobs' ids."""
        ordered = sorted(entries, key=lambda entry: (entry.blob, entry.path))
        self._add_files(ordered, rows)
        self._merge("body")
        self._merge("name")
        self._merge("path")
        for name in _ARRAYS:
            (self._work / name).touch()
        listing = "".join(f"{entry.path}\0{entry.blob}\0" for entry in ordered)
        (self._work / "entries").write_bytes(listing.encode("utf-8", "surrogateescape"))
        (self._work / _META).write_text(json.dumps({"version": VERSION, "tree": self._tree}))
        with suppress(OSError):  # another process was quicker; it wrote the same
            self._work.rename(self._target)
        return self._target

    def _add_files(self, ordered: list[Entry], rows: Iterable[Row]) -> None:
        places: dict[str, list[int]] = {}
        for place, entry in enumerate(ordered):
            places.setdefault(entry.blob, []).append(place)
        seen = np.zeros(len(ordered), np.bool_)
        facts = np.zeros((len(ordered), FACTS), np.uint32)
        waiting: list[tuple[int, tuple[bytes, ...]]] = []
        for blob, columns in rows:
            for place in places.get(blob, ()):
                waiting.append((place, columns))
                facts[place] = np.frombuffer(columns[0], np.uint32)
                seen[place] = True
            if len(waiting) >= _ROWS_AT_ONCE:
                self._add_rows(waiting)
                waiting = []
        self._add_rows(waiting)
        self._append("facts", facts)
        self._append("path_numbers", np.array([path_number(entry.path) for entry in ordered], np.uint64))
        terms = [path_terms(entry.path) for entry in ordered]
        flat = np.array([number for found in terms for number in found], np.uint32)
        counts = np.array([count for found in terms for count in found.values()], np.uint8)
        self._spool("path", flat, np.repeat(np.arange(len(ordered), dtype=np.uint32), [len(t) for t in terms]), counts)

    def _add_rows(self, rows: list[tuple[int, tuple[bytes, ...]]]) -> None:
        if not rows:
            return
        columns = [b"".join(row[1][index] for row in rows) for index in range(len(COLUMNS))]
        lengths = [[len(row[1][index]) for row in rows] for index in range(len(COLUMNS))]
        files = np.array([place for place, _ in rows], np.uint32)
        chunks = np.frombuffer(columns[1], np.uint32).reshape(-1, CHUNK)
        self._append("chunk_line", chunks[:, 0])
        self._append("chunk_words", chunks[:, 1])
        self._append("chunk_file", np.repeat(files, [size // (4 * CHUNK) for size in lengths[1]]))
        numbers = np.arange(self._chunks, self._chunks + len(chunks), dtype=np.uint32)
        self._chunks += len(chunks)
        self._spool(
            "body",
            np.frombuffer(columns[2], np.uint32),
            np.repeat(numbers, chunks[:, 2]),
            np.frombuffer(columns[3], np.uint8),
        )
        self._spool(
            "name",
            np.frombuffer(columns[4], np.uint32),
            np.repeat(files, lengths[5]),
            np.frombuffer(columns[5], np.uint8),
        )
        self._append("definitions", np.frombuffer(columns[6], np.uint32))
        self._append("definition_line", np.frombuffer(columns[7], np.uint32))
        self._append("definition_file", np.repeat(files, [size // 4 for size in lengths[6]]))
        self._append("references", np.frombuffer(columns[8], np.uint32))
        self._append("reference_counts", np.frombuffer(columns[9], np.uint16))
        self._append("reference_file", np.repeat(files, [size // 4 for size in lengths[8]]))

    def _append(self, name: str, numbers: "npt.NDArray[np.generic]") -> None:
        with (self._work / name).open("ab") as file:
            file.write(np.ascontiguousarray(numbers).tobytes())

    def _spool(self, name: str, terms: U4, at: U4, counts: U1) -> None:
        parts = terms >> np.uint32(29)
        for part in range(_PARTS):
            chosen = parts == part
            self._append(f"{name}_spool_terms_{part}", terms[chosen])
            self._append(f"{name}_spool_at_{part}", at[chosen])
            self._append(f"{name}_spool_counts_{part}", counts[chosen])

    def _take(self, name: str, kind: "type[np.generic]") -> "npt.NDArray[np.generic]":
        path = self._work / name
        if not path.exists():
            return np.empty(0, kind)
        numbers = np.fromfile(path, kind)
        path.unlink()
        return numbers

    def _merge(self, name: str) -> None:
        total = 0
        self._append(f"{name}_offsets", np.zeros(1, np.uint64))
        for part in range(_PARTS):
            terms = self._take(f"{name}_spool_terms_{part}", np.uint32)
            at = self._take(f"{name}_spool_at_{part}", np.uint32)
            counts = self._take(f"{name}_spool_counts_{part}", np.uint8)
            order = np.argsort(terms, kind="stable")
            terms = terms[order]
            ends = np.append(np.flatnonzero(terms[1:] != terms[:-1]), len(terms) - 1) + 1 if len(terms) else order
            self._append(f"{name}_terms", terms[ends - 1] if len(terms) else terms)
            self._append(f"{name}_offsets", (ends + total).astype(np.uint64))
            self._append(f"{name}_at", at[order])
            self._append(f"{name}_counts", counts[order])
            total += len(terms)
