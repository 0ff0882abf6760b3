"""Whether a work tree differs from HEAD, found without git filters, an index refresh, or a look into submodules."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Literal

from ay_bot.host.git import GitFailed, run_git

Dirt = Literal["clean", "dirty", "unknown"]
MOST_FILES = 2_000
MOST_BYTES = 64 * 1024 * 1024


def look_for_changes(git_dir: Path, top: Path) -> Dirt:
    """Compare index with HEAD, files with index, and look for untracked files."""
    try:
        if _run(git_dir, top, "diff-index", "--cached", "--name-only", "-z", "--ignore-submodules=all", "HEAD"):
            return "dirty"
        untracked = ["ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z"]
        if _run(git_dir, top, *untracked):
            return "dirty"
        # Not --quiet: that compares contents, which runs clean filters. This compares what stat tells.
        touched = _run(git_dir, top, "diff-files", "--raw", "--abbrev=64", "-z", "--ignore-submodules=all")
    except GitFailed:
        return "unknown"
    return _compare_contents(top, touched)


def _run(git_dir: Path, top: Path, *arguments: str) -> bytes:
    # The user's own ignore file counts here; of their configuration nothing else matters to these commands.
    user = {"HOME": str(Path.home()), "GIT_CONFIG_GLOBAL": str(Path.home() / ".gitconfig")}
    return run_git([f"--work-tree={top}", *arguments], git_dir=git_dir, directory=top, environment=user)


def _compare_contents(top: Path, raw: bytes) -> Dirt:
    fields = raw.split(b"\0")[:-1]
    if len(fields) // 2 > MOST_FILES:
        return "unknown"
    left = MOST_BYTES
    verdict: Dirt = "clean"
    for entry, name in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old_id, _, status = entry.removeprefix(b":").split(b" ")
        if status != b"M" or old_mode != new_mode:
            return "dirty"
        left -= _size(os.path.join(os.fsencode(top), name))  # noqa: PTH118 - names are bytes
        if left < 0:
            return "unknown"
        if _blob_id(os.path.join(os.fsencode(top), name), len(old_id)) != old_id:  # noqa: PTH118
            verdict = "unknown" if _has_filters(top) else "dirty"
            if verdict == "dirty":
                return verdict
    return verdict


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _blob_id(path: bytes, digits: int) -> bytes:
    try:
        content = _read_link(path) if stat.S_ISLNK(os.lstat(path).st_mode) else _read_regular(path)
    except OSError:
        return b""
    algorithm = hashlib.sha256 if digits == 64 else hashlib.sha1
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest().encode()


def _read_link(path: bytes) -> bytes:
    return os.readlink(path)  # noqa: PTH115 - names are bytes


def _read_regular(path: bytes) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MOST_BYTES)


def _has_filters(top: Path) -> bool:
    # A file that a filter or an end-of-line rule rewrites differs from its blob without being changed.
    return any((top / name).exists() for name in (".gitattributes", ".git/info/attributes"))
