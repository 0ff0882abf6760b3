"""The workspace: unpacking the seed into it, and telling afterwards how it differs from the seed.

Names are bytes here, and become text only when they leave. Nothing follows a symbolic link.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ay_bot.agent.ignoring import IgnoreFiles
from ay_bot.agent.unpacking import unpack
from ay_bot.protocol.messages import ChangedFile, FileMode

__all__ = ["Changes", "Digests", "Manifest", "unpack"]

MAX_BODY = 256 * 1024 * 1024
MAX_CHANGED = 20_000
MAX_NAMED = 1_000
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

Digests = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Changes:
    """How a workspace differs from its seed; `body` holds the contents of `changed`, one after another."""

    changed: tuple[ChangedFile, ...] = ()
    deleted: tuple[str, ...] = ()
    unrepresentable: tuple[str, ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class Manifest:
    """What a workspace held when it was taken: a signature of every file, and which names are the repository's."""

    root: bytes
    ignore: IgnoreFiles
    files: dict[bytes, int]
    directories: frozenset[bytes]
    digests: Digests = field(default_factory=dict)
    made_by_setup: dict[bytes, int] = field(default_factory=dict)
    kept: frozenset[bytes] = frozenset()  # came with the image: nobody's, whatever becomes of it

    @classmethod
    def take(cls, root: Path, ignore: tuple[str, ...], digests: Digests | None = None) -> Self:
        """Note every file below `root` as the repository's; `digests` (from `unpack`) tell touched from changed."""
        base = os.fsencode(root)
        files = {path: _signature(entry) for path, entry in _walk(base) if entry is not None}
        directories = {path[: path.rfind(b"/")] for path in files if b"/" in path}
        for directory in tuple(directories):
            while b"/" in directory and (directory := directory[: directory.rfind(b"/")]) not in directories:
                directories.add(directory)
        return cls(base, IgnoreFiles.read(base, files, ignore), files, frozenset(directories), digests or {})

    def settle(self) -> None:
        """Take the present state as the seed's, because a set-up ran: what it made is nobody's change."""
        for path, entry in _walk(self.root):
            if entry is None or path in self.kept:
                continue
            if path in self.files:
                if self.files[path] != (now := _signature(entry)):
                    self.files[path] = now
                    self.digests.pop(path, None)
            else:
                self.made_by_setup[path] = _signature(entry)

    def changes(self) -> Changes:
        """Compare the workspace with what was taken."""
        report = _Report(self)
        missing = set(self.files)
        differing: list[tuple[bytes, os.DirEntry[bytes], bool]] = []
        for path, entry in self._candidates():
            missing.discard(path)
            if entry is None:
                report.refuse(path, "a directory that can't be read")
                missing -= {name for name in missing if name.startswith(path + b"/")}
            elif (known := self.files.get(path, self.made_by_setup.get(path))) != _signature(entry):
                differing.append((path, entry, known is None))
        for path, entry, new in sorted(differing, key=lambda one: one[0]):
            report.add(path, entry, new=new)
        return report.finish(missing)

    def _candidates(self) -> Iterator[tuple[bytes, "os.DirEntry[bytes] | None"]]:
        pending: list[tuple[bytes, bool]] = [(b"", False)]
        while pending:
            directory, ignored = pending.pop()
            entries = _scan(self.root, directory)
            if entries is None:
                yield directory, None
                continue
            prefix = directory + b"/" if directory else b""
            for entry in entries:
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    hidden = ignored or self.ignore.ignores(path, is_directory=True)
                    if not hidden or path in self.directories:
                        pending.append((path, hidden))
                elif path in self.files or not (
                    ignored or path in self.kept or self.ignore.ignores(path, is_directory=False)
                ):
                    yield path, entry


class _Report:
    """Collects the differences, within bounds."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._changed: list[ChangedFile] = []
        self._refused: list[str] = []
        self._more = 0
        self._body = bytearray()

    def refuse(self, path: bytes, why: str) -> None:
        """Name something that can't cross."""
        if len(self._refused) < MAX_NAMED:
            name = path.decode("utf-8", "surrogateescape")
            self._refused.append(f"{name!a} ({why})")
        else:
            self._more += 1

    def add(self, path: bytes, entry: "os.DirEntry[bytes]", *, new: bool) -> None:
        """Read a file that is new or whose signature differs."""
        name = _text(path)
        if name is None:
            self.refuse(path, "a name that is not UTF-8")
            return
        read = _read(self._manifest.root + b"/" + path, entry, MAX_BODY - len(self._body))
        if isinstance(read, str):
            self.refuse(path, read)
            return
        mode, content = read
        digest = None if new else self._manifest.digests.get(path)
        if digest == _digest(mode, content):
            return
        if len(self._changed) >= MAX_CHANGED:
            self.refuse(path, f"more than {MAX_CHANGED} files differ")
            return
        self._changed.append(ChangedFile(path=name, mode=mode, size=len(content)))
        self._body += content

    def finish(self, missing: set[bytes]) -> Changes:
        """Add what is gone, and give the whole."""
        deleted = []
        for path in sorted(missing):
            name = _text(path)
            if name is None:
                self.refuse(path, "deleted, a name that is not UTF-8")
            else:
                deleted.append(name)
        if self._more:
            self._refused.append(f"and {self._more} more")
        return Changes(tuple(self._changed), tuple(deleted), tuple(self._refused), bytes(self._body))


def _text(path: bytes) -> str | None:
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _signature(entry: "os.DirEntry[bytes]") -> int:
    # One number in place of six keeps 50,000 files small. ctime can't be set back by any command.
    try:
        at = entry.stat(follow_symlinks=False)
    except OSError:
        return 0
    return hash((at.st_mode, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino, at.st_dev))


def _digest(mode: FileMode, content: bytes) -> bytes:
    return hashlib.sha1(mode.encode() + content, usedforsecurity=False).digest()


def _scan(root: bytes, directory: bytes) -> "list[os.DirEntry[bytes]] | None":
    path = root + b"/" + directory if directory else root
    for attempt in (1, 2):
        try:
            with os.scandir(path) as entries:
                return [entry for entry in entries if entry.name != b".git"]
        except PermissionError:
            if attempt == 1:
                _allow(path, 0o700)
        except OSError:
            break
    return None


def _allow(path: bytes, bits: int) -> None:
    try:
        os.chmod(path, stat.S_IMODE(os.lstat(path).st_mode) | bits)  # noqa: PTH101 - bytes
    except OSError:
        return


def _walk(root: bytes) -> "Iterator[tuple[bytes, os.DirEntry[bytes] | None]]":
    pending = [b""]
    while pending:
        directory = pending.pop()
        prefix = directory + b"/" if directory else b""
        for entry in _scan(root, directory) or ():
            if entry.is_dir(follow_symlinks=False):
                pending.append(prefix + entry.name)
            else:
                yield prefix + entry.name, entry


def _read(path: bytes, entry: "os.DirEntry[bytes]", room: int) -> tuple[FileMode, bytes] | str:
    """The mode and content of one file, or why it can't be had."""
    try:
        if entry.is_symlink():
            return "120000", os.readlink(path)  # noqa: PTH115 - bytes
        if not entry.is_file(follow_symlinks=False):
            return "a socket, a device or a pipe"
        descriptor = _open(path)
        with os.fdopen(descriptor, "rb") as file:
            at = os.fstat(descriptor)
            if at.st_size > room:
                return f"more than {MAX_BODY >> 20} MiB in all"
            content = file.read(room + 1)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    if len(content) > room:
        return f"more than {MAX_BODY >> 20} MiB in all"
    return ("100755" if at.st_mode & stat.S_IXUSR else "100644"), content


def _open(path: bytes) -> int:
    try:
        return os.open(path, READ)
    except PermissionError:
        _allow(path, 0o400)
        return os.open(path, READ)
