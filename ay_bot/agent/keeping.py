"""What set-up commands made in the workspace and the home: copied to where the image keeps it, for later boxes."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ay_bot.protocol.plain_messages import Kept

MOST_NAMED: Final = 20
DISPOSABLE: Final = (b".npm", b".bun/install/cache", b".local/share/pnpm/store", b".composer/cache", b".cache/pip",
                     b".cache/uv", b".cache/yarn", b".cache/pnpm", b".cache/composer", b".cache/pip-tools")  # fmt: skip
"""What of a home only a later download would read, and a box without network never does."""

Known = dict[bytes, tuple[int, ...]]
"""The files of a workspace before the set-up: what tells whether one was touched."""


def note(root: Path) -> Known:
    """Return every file below `root` with its signature."""
    base = os.fsencode(root)
    return {path: _signature(entry) for path, entry in _walk(base) if not entry.is_dir(follow_symlinks=False)}


def keep(root: Path, home: Path, place: Path, known: Known) -> Kept:
    """Fill `place` anew with what is in `root` beside the files that are `known`, and with what is in `home`."""
    shutil.rmtree(place, ignore_errors=True)
    work = _Copying(os.fsencode(root), os.fsencode(place / "work"), skipped=frozenset(known))
    work.run()
    own = _Copying(os.fsencode(home), os.fsencode(place / "home"), skipped=frozenset(DISPOSABLE))
    own.run()
    touched = [path for path, before in known.items() if _differs(os.fsencode(root) + b"/" + path, before)]
    return Kept(
        files=work.files + own.files,
        size=work.size + own.size,
        touched=tuple(os.fsdecode(path).encode("utf-8", "backslashreplace").decode() for path in touched[:MOST_NAMED]),
        touched_in_all=len(touched),
    )


@dataclass
class _Copying:
    """One copy of a tree into a place of root's that everybody can read."""

    source: bytes
    target: bytes
    skipped: frozenset[bytes]
    files: int = 0
    size: int = 0
    _linked: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def run(self) -> None:
        """Copy all of it but what is skipped; directories without anything to keep are not made."""
        os.makedirs(self.target, 0o755, exist_ok=True)  # noqa: PTH103 - bytes
        if os.path.isdir(self.source):  # noqa: PTH112
            for path, entry in _walk(self.source, self.skipped):
                if path not in self.skipped:
                    self._add(path, entry)

    def _add(self, path: bytes, entry: "os.DirEntry[bytes]") -> None:
        target = self.target + b"/" + path
        at = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(at.st_mode):
            if not any(True for _ in _walk(entry.path)):  # an empty one may be asked for; others come with their files
                os.makedirs(target, 0o755, exist_ok=True)  # noqa: PTH103
            return
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)  # noqa: PTH103, PTH120
        if stat.S_ISLNK(at.st_mode):
            os.symlink(os.readlink(entry.path), target)  # noqa: PTH115, PTH211
        elif stat.S_ISREG(at.st_mode):
            if not self._link(at, target):
                copy_file(entry.path, target, at)
                self.size += at.st_size
        else:
            return
        self.files += 1

    def _link(self, at: os.stat_result, target: bytes) -> bool:
        first = self._linked.setdefault((at.st_dev, at.st_ino), target) if at.st_nlink > 1 else target
        if first is target:
            return False
        os.link(first, target)
        return True


def copy_file(source: bytes, target: bytes, at: os.stat_result) -> None:
    """Copy a file with its time, readable for everybody: builds compare times, and boxes have users of their own."""
    mode = 0o755 if at.st_mode & stat.S_IXUSR else 0o644
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            while os.sendfile(writing, reading, None, 1 << 30):
                pass
            os.utime(writing, ns=(at.st_atime_ns, at.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _walk(root: bytes, skipped: frozenset[bytes] = frozenset()) -> "Iterator[tuple[bytes, os.DirEntry[bytes]]]":
    """Yield what is below `root`, directories too, without any .git and what is below what is skipped."""
    pending = [b""]
    while pending:
        directory = pending.pop()
        prefix = directory + b"/" if directory else b""
        with os.scandir(root + b"/" + directory) as entries:
            for entry in entries:
                path = prefix + entry.name
                if entry.name == b".git":
                    continue
                yield path, entry
                if entry.is_dir(follow_symlinks=False) and path not in skipped:
                    pending.append(path)


def _signature(entry: "os.DirEntry[bytes]") -> tuple[int, ...]:
    return _signed(entry.stat(follow_symlinks=False))


def _signed(at: os.stat_result) -> tuple[int, ...]:
    return at.st_mode, at.st_size, at.st_mtime_ns, at.st_ino


def _differs(path: bytes, before: tuple[int, ...]) -> bool:
    try:
        return _signed(os.lstat(path)) != before
    except OSError:
        return True
