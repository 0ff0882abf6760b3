"""A directory as the outline reads it, for the box, which has no repository: files get the ids that git gives."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b, sha1
from pathlib import Path
from typing import Final

from ay_bot.protocol.tree_source import Commit, Entry

_LARGEST: Final = 4 * 1024 * 1024
_MOST_FILES: Final = 200_000
_LEFT_OUT: Final = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", ".tox", ".mypy_cache"})


class WorkspaceSource:
    """The regular files below a directory, as they are now. It has no past."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root)
        self._paths: dict[str, bytes] = {}
        self._entries: list[Entry] | None = None

    @property
    def tree(self) -> str:
        """An id that changes with the tree."""
        total = blake2b(digest_size=20)
        for entry in self.entries():
            total.update(f"{entry.path}\0{entry.blob}\0".encode("utf-8", "surrogateescape"))
        return total.hexdigest()

    def entries(self) -> list[Entry]:
        """Return the regular files of the tree."""
        if self._entries is None:
            self._entries = sorted(self._find())
        return self._entries

    def _find(self) -> Iterator[Entry]:
        found = 0
        for directory, below, names in os.walk(self._root):
            below[:] = sorted(name for name in below if os.fsdecode(name) not in _LEFT_OUT)
            for name in sorted(names):
                path = os.path.join(directory, name)  # noqa: PTH118 - bytes
                text = _read(path)
                if text is None:
                    continue
                found += 1
                if found > _MOST_FILES:
                    return
                blob = sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()
                self._paths[blob] = path
                yield Entry(os.fsencode(path)[len(self._root) + 1 :].decode("utf-8", "surrogateescape"), blob)

    def blobs(self, blobs: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in the order asked for; None for what is missing or larger than `largest`."""
        for blob in blobs:
            text = _read(self._paths[blob]) if blob in self._paths else None
            yield blob, text if text is not None and len(text) <= largest else None

    def past(self) -> Sequence[str]:
        """Return nothing: a workspace has no commits."""
        return ()

    def commits(self, commits: Iterable[str]) -> Iterator[Commit]:  # noqa: ARG002 - there are none
        """Yield nothing."""
        yield from ()


def _read(path: bytes) -> bytes | None:
    """Return a regular file's bytes; whatever else may stand there now is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(_LARGEST)
    except OSError:
        return None
    finally:
        os.close(descriptor)
