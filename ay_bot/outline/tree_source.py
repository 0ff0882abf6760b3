"""What an outline is made from: a tree of files by the ids of their contents, and the commits before it.

The host reads it from git objects. Everything that comes from it is hostile.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """A file of a tree."""

    path: str  # undecodable bytes as surrogates
    blob: str  # the id of its contents, hexadecimal


class Commit(NamedTuple):
    """A commit of the past: what it says, and the files that it touched."""

    commit: str
    message: str
    paths: tuple[str, ...]


class Source(Protocol):
    """Where a tree comes from."""

    @property
    def tree(self) -> str:
        """An id that changes with the tree."""
        ...

    def entries(self) -> list[Entry]:
        """Return the regular files of the tree."""
        ...

    def blobs(self, blobs: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in the order asked for; None for what is missing or larger than `largest`."""
        ...

    def past(self) -> Sequence[str]:
        """Return the ids of the commits up to this tree, the newest first, up to a bound."""
        ...

    def commits(self, commits: Iterable[str]) -> Iterator[Commit]:
        """Yield what these commits say and touched."""
        ...
