"""The zip in which one job hands over to another (AT-44)."""

import io
import json
import struct
import warnings
import zipfile
from pathlib import Path

from ay_bot.host.github.bundle_files import BundleRefused, read_files

from fuzz.places import directory
from fuzz.target import Target

CAPS = {"bundle.json": 2000, "contents": 3000, "request.json": 1000}


def place() -> Path:
    """Return where the archive is written."""
    return directory("bundle") / "bundle.zip"


def parse(data: bytes) -> None:
    """Write it as a file, or what an archive of files that it describes would be, and read that."""
    place().write_bytes(_described(data) if data.startswith(b"[") else data)
    files = read_files(place(), CAPS, optional=frozenset({"request.json"}))
    assert files.keys() <= CAPS.keys()
    assert all(len(content) <= CAPS[name] for name, content in files.items())


def _zip(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0o100644) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = method
            archive.writestr(entry, content)
    return made.getvalue()


def _described(data: bytes) -> bytes:
    """Make an archive of [name, content, method, mode, length told] as JSON has them; what can't be made is empty."""
    try:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive, warnings.catch_warnings(action="ignore"):
            for name, content, method, mode, told in json.loads(data):
                entry = zipfile.ZipInfo(str(name))
                entry.external_attr, entry.compress_type = int(mode) << 16, int(method)
                archive.writestr(entry, str(content))
                entry.file_size = max(entry.file_size + int(told), 0)  # for the directory at the end, which is read
        return made.getvalue()
    except (
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
        KeyError,
        NotImplementedError,
        struct.error,
        RuntimeError,
    ):
        return b""


SEEDS = [
    json.dumps([["bundle.json", "{}", 8, 0o100644, 0], ["contents", "abc" * 99, 8, 0o100644, 0]]).encode(),
    json.dumps([["bundle.json", "{}", 0, 0, 0], ["contents", "x", 0, 0, 3], ["request.json", "", 0, 0, -1]]).encode(),
    json.dumps([["bundle.json", "{}", 0, 0, 0], ["contents", "x", 0, 0, 0], ["contents", "y", 0, 0, 0]]).encode(),
    _zip(("bundle.json", b"{}"), ("contents", b"abc")),
    _zip(("bundle.json", b"{}"), ("contents", b"abc"), ("request.json", b"{}"), method=zipfile.ZIP_STORED),
    _zip(("bundle.json", b"{}"), ("contents", bytes(50_000))), _zip(("../bundle.json", b"{}"), ("contents", b"")),
    _zip(("bundle.json", b"{}"), ("contents", b"/etc/passwd"), mode=0o120777),
    _zip(("bundle.json", b"{}"), ("contents", b"abc"), method=zipfile.ZIP_BZIP2), _zip(),
]  # fmt: skip
TARGET = Target(parse=parse, seeds=SEEDS, shape="json", documented=(BundleRefused,), longest=4096)
