"""The files of a bundle, read from a directory or a zip that anybody may have made: known names, bounded, plain."""

import errno
import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from ay_bot.errors import ProtocolBroken

MOST_BYTES = 16 * 1024 * 1024
MOST_ENTRIES = 20
MOST_ZIPPED = 64 * 1024 * 1024
_ENCRYPTED = 0x1
_HINT = "nothing was published; start the whole workflow again, and look at the job that made the bundle"


class BundleRefused(ProtocolBroken):
    """The bundle is not what our own work job writes."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint=_HINT)


def read_files(path: Path, caps: Mapping[str, int], *, optional: frozenset[str]) -> dict[str, bytes]:
    """Return the content of each file by its name: those that have a cap, of which the optional ones may be missing."""
    try:
        files = _read_directory(path, caps) if path.is_dir() else _read_zip(path, caps)
    except OSError as error:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise BundleRefused(f"the bundle at `{path.name}` can't be read: {reason}") from None
    missing = sorted(caps.keys() - optional - files.keys())
    if missing:
        raise BundleRefused(f"the bundle lacks {', '.join(missing)}")
    return files


def _read_directory(path: Path, caps: Mapping[str, int]) -> dict[str, bytes]:
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with os.scandir(opened) as listing:
            names = [entry.name for _, entry in zip(range(MOST_ENTRIES), listing, strict=False)]
        _require_known(names, caps)
        return {name: _read_plain(name, opened, caps[name]) for name in names}
    finally:
        os.close(opened)


def _read_plain(name: str, directory: int, cap: int) -> bytes:
    # A pipe would block for ever without O_NONBLOCK.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BundleRefused(f"`{name}` in the bundle is not a plain file")
        return _bounded(name, file.read(cap + 1), cap)


def _read_zip(path: Path, caps: Mapping[str, int]) -> dict[str, bytes]:
    if path.is_symlink() or not path.is_file():
        raise BundleRefused(f"the bundle at `{path.name}` is neither a directory nor a zip file")
    if path.stat().st_size > MOST_ZIPPED:
        raise BundleRefused(f"the bundle is larger than {MOST_ZIPPED} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _require_known([entry.orig_filename for entry in entries], caps)
            return {entry.filename: _read_entry(archive, entry, caps[entry.filename]) for entry in entries}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise BundleRefused(f"the bundle is no zip file that can be read: {error}") from None


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, cap: int) -> bytes:
    mode = entry.external_attr >> 16
    odd = entry.flag_bits & _ENCRYPTED or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if odd or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        raise BundleRefused(f"`{entry.filename}` in the bundle is not a plain file")
    if entry.file_size > cap:
        raise BundleRefused(f"`{entry.filename}` in the bundle is larger than {cap} bytes")
    with archive.open(entry) as file:
        return _bounded(entry.filename, file.read(cap + 1), cap)


def _require_known(names: list[str], caps: Mapping[str, int]) -> None:
    if len(set(names)) != len(names):
        raise BundleRefused("the bundle holds a file twice")
    unknown = [name for name in names if name not in caps]
    if unknown:
        raise BundleRefused(f"the bundle holds {unknown[0][:100]!r}, which no bundle of ours does")


def _bounded(name: str, content: bytes, cap: int) -> bytes:
    if len(content) > cap:
        raise BundleRefused(f"`{name}` in the bundle is larger than {cap} bytes")
    return content
