"""Unpacking the seed: a tar stream of files, directories and links into an empty directory, and nothing outside it."""

import os
import tarfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn, Protocol, cast

from ay_bot.errors import ProtocolBroken

if TYPE_CHECKING:
    from hashlib import _Hash

CHUNK: Final = 256 * 1024
BLOCKS: Final = 32 * 1024  # tarfile copies what is left of its buffer at every read, so a large one is slow
NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


def unpack(stream: Readable, root: Path, digests: dict[bytes, bytes] | None = None) -> int:
    """Unpack the tar `stream` into `root`, reading it to its end, and return how many files came.

    `digests`, where given, is filled with what `Manifest.take` needs to tell a touched file from a changed one.
    """
    unpacking = _Unpacking(os.fsencode(root), digests)
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=BLOCKS, encoding="utf-8", errors="surrogateescape"
        ) as archive:
            for member in archive:
                unpacking.add(archive, member)
                vars(archive)["members"] = []  # or tarfile keeps every header until the end
    except tarfile.TarError as error:
        msg = f"the seed is not a tar stream that can be read: {error}"
        raise ProtocolBroken(msg) from None
    while stream.read(CHUNK):
        pass
    return unpacking.files


class _Unpacking:
    """One unpacking; it knows which directories it made, so it never walks through a link."""

    def __init__(self, root: bytes, digests: dict[bytes, bytes] | None) -> None:
        self.files = 0
        self._root = root
        self._digests = digests
        self._directories = {b""}

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Write one member."""
        name = _checked(member.name)
        try:
            if member.isdir():
                self._make_directory(name)
                return
            self._make_directory(name[: max(name.rfind(b"/"), 0)])
            if member.issym():
                target = member.linkname.encode("utf-8", "surrogateescape")
                os.symlink(target, self._root + b"/" + name)  # noqa: PTH211 - bytes
                self._keep(name, self._start_digest(b"120000" + target))
            elif member.isreg():
                self._write(archive, member, name)
            else:
                _refuse(member.name, "it is neither a file, nor a directory, nor a symbolic link")
        except FileExistsError:
            _refuse(member.name, "something else is in its place")
        self.files += 1

    def _make_directory(self, name: bytes) -> None:
        if name in self._directories:
            return
        self._make_directory(name[: max(name.rfind(b"/"), 0)])
        os.mkdir(self._root + b"/" + name, 0o755)  # noqa: PTH102 - bytes
        self._directories.add(name)

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, name: bytes) -> None:
        source = archive.extractfile(member)
        assert source is not None  # noqa: S101 - a regular file always has content
        executable = member.mode & 0o100
        descriptor = os.open(self._root + b"/" + name, NEW_FILE, 0o755 if executable else 0o644)
        digest = self._start_digest(b"100755" if executable else b"100644")
        try:
            while data := source.read(CHUNK):
                if digest:
                    digest.update(data)
                while data:
                    data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)
        self._keep(name, digest)

    def _start_digest(self, start: bytes) -> "_Hash | None":
        if self._digests is None:
            return None
        import hashlib  # 4 MB of OpenSSL, which a box that only runs tests can do without

        return hashlib.sha1(start, usedforsecurity=False)

    def _keep(self, name: bytes, digest: "_Hash | None") -> None:
        if digest and self._digests is not None:
            self._digests[name] = digest.digest()


def _checked(name: str) -> bytes:
    path = name.encode("utf-8", "surrogateescape").rstrip(b"/")
    parts = path.split(b"/")
    if path == b"." or path.startswith(b"./"):
        parts = parts[1:]
    if any(part in {b"", b".", b".."} or part.lower() == b".git" for part in parts) or b"\0" in path:
        _refuse(name, "its path leads outside the workspace or into a .git")
    return b"/".join(parts)


def _refuse(name: str, why: str) -> NoReturn:
    msg = f"the seed holds {name!a}, which can't be unpacked: {why}"
    raise ProtocolBroken(msg)
