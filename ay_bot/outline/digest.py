"""The digest of a file: numbers only, so that nothing that a cache holds can ever reach a model as text.

A row of the cache has a column of bytes for each array; `COLUMNS` names them with the size of one number.
"""

from array import array
from hashlib import blake2b
from typing import Final, NamedTuple

VERSION: Final = 4
"""Part of the cache's file name: raise it with every change of what a digest holds."""

INDEXED, BINARY, TOO_LARGE, FAILED = range(4)

COLUMNS: Final = (
    ("facts", "I"),  # status, language, bytes, lines
    ("chunks", "I"),  # per chunk: its first line, its words, its entries
    ("terms", "I"),  # the entries, chunk after chunk: a term's number
    ("counts", "B"),  # and how often it occurs
    ("names", "I"),  # terms of the names that the file defines
    ("name_counts", "B"),
    ("definitions", "I"),  # exact names
    ("lines", "I"),  # and where they stand, counted from 0
    ("references", "I"),  # exact names that the file uses
    ("reference_counts", "H"),
)
SIZES: Final = {"I": 4, "H": 2, "B": 1}
FACTS: Final = 4
CHUNK: Final = 3
_PAIRS: Final = ((2, 3), (4, 5), (6, 7), (8, 9))


class Digest(NamedTuple):
    """What is kept of a file, each array as bytes, in the order of COLUMNS."""

    columns: tuple[bytes, ...]

    @property
    def check(self) -> bytes:
        """What finds a damaged row. It is no signature: whoever writes the cache can write this too."""
        return check_of(self.columns)


def check_of(columns: tuple[bytes, ...]) -> bytes:
    """Return the check sum of a row's columns."""
    total = blake2b(digest_size=8)
    for column in columns:
        total.update(len(column).to_bytes(4, "little"))
        total.update(column)
    return total.digest()


def is_sound(columns: tuple[bytes, ...]) -> bool:
    """Whether the arrays of a row fit together, so that nothing that reads them can go astray."""
    if len(columns) != len(COLUMNS):
        return False
    lengths = []
    for column, (_, code) in zip(columns, COLUMNS, strict=True):
        length, rest = divmod(len(column), SIZES[code])
        if rest:
            return False
        lengths.append(length)
    if lengths[0] != FACTS or lengths[1] % CHUNK or any(lengths[one] != lengths[two] for one, two in _PAIRS):
        return False
    return sum(array("I", columns[1])[2::CHUNK]) == lengths[2]


def empty_digest(status: int, size: int = 0) -> Digest:
    """Return the digest of a file that can't be looked into, and why."""
    return Digest((array("I", (status, 0, size, 0)).tobytes(), *(b"" for _ in COLUMNS[1:])))
