"""The cache: what was read of each blob and of each commit, by their ids, in one sqlite file.

It holds numbers only, and what is shown of a repository is always read from the repository. Whoever writes into this
file can make the order of files worse, and nothing else: rows that don't fit together are dropped when they are read.
"""

import contextlib
import shutil
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from ay_bot.errors import UsageError
from ay_bot.outline.digest import COLUMNS, VERSION, Digest, check_of, is_sound

_NAMES: Final = ", ".join(name if name != "references" else '"references"' for name, _ in COLUMNS)
_TABLES: Final = (
    f"CREATE TABLE digests (blob BLOB PRIMARY KEY, {_NAMES}, sum BLOB) WITHOUT ROWID",
    "CREATE TABLE commits (id BLOB PRIMARY KEY, words BLOB, paths BLOB) WITHOUT ROWID",
)
_LONGEST: Final = 32 * 1024 * 1024  # bytes of a value or a row; the digest of a file of 4 MiB has some 8
_SLICE: Final = 500
_PAGE_CACHE: Final = -8_000  # KiB

Row = tuple[str, tuple[bytes, ...]]
Past = tuple[bytes, bytes]
"""Of a commit: the numbers of its message's terms (I), and of its paths (Q)."""


class Store:
    """The cache of one user, for all repositories. Use it as a context manager."""

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            hint = "give another place with --cache"
            raise UsageError(f"the cache can't be kept in {directory}: {error.strerror}", hint=hint) from None
        self.directory = directory
        self._path = directory / f"outline-{VERSION}.sqlite"
        self._database = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:
            for name in (self._path.name, f"{self._path.name}-wal", f"{self._path.name}-shm"):
                _remove(self.directory / name)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        try:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute(f"PRAGMA cache_size = {_PAGE_CACHE}")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")  # a torn cache is found by the sums, and filled again
            _make_tables(database)
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def segments(self, place: str) -> Path:
        """Return where the indexes of a repository lie."""
        return self.directory / f"segments-{VERSION}" / place

    def missing(self, blobs: Iterable[str]) -> set[str]:
        """Return which of these blobs were not read yet, or have a row that is not sound."""
        wanted = set(blobs)
        return wanted.difference(blob for blob, _ in self.digests(wanted))

    def missing_commits(self, commits: Iterable[str]) -> set[str]:
        """Return which of these commits were not read yet."""
        wanted = sorted(set(commits))
        return set(wanted).difference(commit for commit, _ in self.commits(wanted))

    def digests(self, blobs: Iterable[str]) -> Iterator[Row]:
        """Yield the sound rows of these blobs, in the order of the ids."""
        for part in _slices(sorted(set(blobs))):
            marks = ",".join("?" * len(part))
            query = f"SELECT blob, sum, {_NAMES} FROM digests WHERE blob IN ({marks}) ORDER BY blob"  # noqa: S608
            for blob, total, *columns in self._rows(query, part):
                row = tuple(columns)
                if total == check_of(row) and is_sound(row):
                    yield blob.hex(), row

    def commits(self, commits: Sequence[str]) -> Iterator[tuple[str, Past]]:
        """Yield the sound rows of these commits."""
        for part in _slices(commits):
            marks = ",".join("?" * len(part))
            query = f"SELECT id, words, paths FROM commits WHERE id IN ({marks})"  # noqa: S608
            for commit, words, paths in self._rows(query, part):
                if not len(words) % 4 and not len(paths) % 8:
                    yield commit.hex(), (words, paths)

    def add(self, digests: Iterable[tuple[str, Digest]]) -> None:
        """Keep what was read of some blobs."""
        marks = ",".join("?" * (2 + len(COLUMNS)))
        rows = [(bytes.fromhex(blob), *digest.columns, digest.check) for blob, digest in digests]
        self._write(f"INSERT OR REPLACE INTO digests VALUES ({marks})", rows)  # noqa: S608 - only question marks

    def add_commits(self, commits: "Iterable[tuple[str, array[int], array[int]]]") -> None:
        """Keep the words and the paths of some commits."""
        rows = [(bytes.fromhex(commit), words.tobytes(), paths.tobytes()) for commit, words, paths in commits]
        self._write("INSERT OR REPLACE INTO commits VALUES (?, ?, ?)", rows)

    def _write(self, statement: str, rows: Sequence[tuple[bytes, ...]]) -> None:
        try:
            self._database.execute("BEGIN")
            self._database.executemany(statement, rows)
            self._database.execute("COMMIT")
        except sqlite3.DatabaseError:
            # A full disk, a damaged page: what isn't kept is read again the next time.
            with contextlib.suppress(sqlite3.DatabaseError):
                self._database.execute("ROLLBACK")

    def _rows(self, query: str, part: Sequence[str]) -> list[tuple[bytes, ...]]:
        try:
            rows = self._database.execute(query, [bytes.fromhex(key) for key in part]).fetchall()
        except sqlite3.DatabaseError:
            return []
        return [row for row in rows if all(isinstance(value, bytes) for value in row)]


def _make_tables(database: sqlite3.Connection) -> None:
    """Raise DatabaseError if there is anything else: a view or a trigger may let a query run on without end."""
    for table in _TABLES:
        database.execute(table.replace("TABLE", "TABLE IF NOT EXISTS", 1))
    if {row[0] for row in database.execute("SELECT sql FROM sqlite_schema")} != set(_TABLES):
        raise sqlite3.DatabaseError("the schema is another one")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _slices(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(keys), _SLICE):
        yield keys[at : at + _SLICE]
