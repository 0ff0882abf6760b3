"""What an image keeps of a set-up, laid over a fresh workspace: copied, or a link to it where that is too much."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ay_bot.agent.keeping import copy_file

MIB: Final = 1024 * 1024
MOST_COPIED: Final = 512 * MIB
MOST_COPIED_HOME: Final = 256 * MIB
MOST_FILES: Final = 150_000
SHARED: Final = (b".cache", b".config", b".local", b".local/bin", b".local/share", b".local/state")
"""Directories of a home that many programs write to: they are never a link, what is in them may be."""
CACHE: Final = b".cache/"


@dataclass(frozen=True, slots=True)
class _Root:
    """Something that is kept and that the workspace has nothing in the place of."""

    path: bytes
    is_directory: bool
    size: int
    files: int


def overlay(place: Path, root: Path, home: Path) -> frozenset[bytes]:
    """Lay what `place` keeps over `root` and `home`, and return the names that this gave to `root`.

    A file of the workspace is never replaced. What does not fit is linked; of a cache it is left out.
    """
    home.mkdir(parents=True, exist_ok=True)
    own = _Overlay(os.fsencode(place / "home"), os.fsencode(home), MOST_COPIED_HOME)
    for name in SHARED:
        if os.path.isdir(own.source + b"/" + name):  # noqa: PTH112 - bytes
            os.makedirs(own.target + b"/" + name, exist_ok=True)  # noqa: PTH103
    own.run(never_linked=CACHE)
    return _Overlay(os.fsencode(place / "work"), os.fsencode(root), MOST_COPIED).run()


class _Overlay:
    """One tree laid over another."""

    def __init__(self, source: bytes, target: bytes, most: int) -> None:
        self.source = source
        self.target = target
        self._room = most
        self._files_left = MOST_FILES
        self._made: set[bytes] = set()
        self._linked: dict[tuple[int, int], bytes] = {}

    def run(self, *, never_linked: bytes | None = None) -> frozenset[bytes]:
        """Lay it over, the smallest first, and return the names of all that is new."""
        for root in sorted(self._roots(b""), key=lambda root: (root.size, root.path)):
            if root.size <= self._room and root.files <= self._files_left:
                self._room -= root.size
                self._files_left -= root.files
                self._copy(root.path)
            elif never_linked is None or not root.path.startswith(never_linked):
                os.symlink(self.source + b"/" + root.path, self.target + b"/" + root.path)  # noqa: PTH211
                self._made.add(root.path)
        return frozenset(self._made)

    def _roots(self, directory: bytes) -> Iterator[_Root]:
        for path, at in _entries(self.source, directory):
            try:
                there = os.lstat(self.target + b"/" + path)
            except OSError:
                size, files = self._measure(path, at)
                yield _Root(path, stat.S_ISDIR(at.st_mode), size, files)
                continue
            if stat.S_ISDIR(at.st_mode) and stat.S_ISDIR(there.st_mode):
                yield from self._roots(path)

    def _measure(self, path: bytes, at: os.stat_result) -> tuple[int, int]:
        if not stat.S_ISDIR(at.st_mode):
            return at.st_size, 1
        found = [self._measure(below, entry) for below, entry in _entries(self.source, path)]
        return sum(size for size, _ in found), 1 + sum(files for _, files in found)

    def _copy(self, path: bytes) -> None:
        pending = [(path, os.lstat(self.source + b"/" + path))]
        while pending:
            path, at = pending.pop()
            source, target = self.source + b"/" + path, self.target + b"/" + path
            if stat.S_ISDIR(at.st_mode):
                os.mkdir(target, 0o755)  # noqa: PTH102
                pending += _entries(self.source, path)
                continue
            if stat.S_ISLNK(at.st_mode):
                os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211
            elif not self._link(at, target):
                copy_file(source, target, at)
            self._made.add(path)

    def _link(self, at: os.stat_result, target: bytes) -> bool:
        first = self._linked.setdefault((at.st_dev, at.st_ino), target) if at.st_nlink > 1 else target
        if first is target:
            return False
        os.link(first, target)
        return True


def _entries(root: bytes, directory: bytes) -> list[tuple[bytes, os.stat_result]]:
    prefix = directory + b"/" if directory else b""
    try:
        with os.scandir(root + b"/" + directory) as entries:
            return [(prefix + entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except FileNotFoundError:
        return []
