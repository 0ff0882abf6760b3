"""Real repositories for tests, made by git itself, and what of them can be compared afterwards."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ay_bot.host.checkout import Checkout, open_checkout
from ay_bot.host.repository import open_repository
from ay_bot.protocol.messages import ChangedFile, Finished


def git(directory: Path, *arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)
    return run.stdout.decode("utf-8", "replace").strip()


def write_files(directory: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def make_repository(directory: Path, files: Mapping[str, str | bytes], *options: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    git(directory, "init", "-q", "-b", "main", *options)
    write_files(directory, files)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "--allow-empty", "-m", "Start")
    return directory


@contextmanager
def checkout_of(repository: Path, scratch: Path) -> Iterator[Checkout]:
    scratch.mkdir(exist_ok=True)
    with open_checkout(open_repository(repository), scratch) as checkout:
        yield checkout


def fingerprint(directory: Path) -> dict[str, tuple[int, int, str]]:
    """Mode, time and content of everything below a directory, .git included."""
    found = {}
    for place, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            path = Path(place, name)
            state = path.lstat()
            content = b""
            if path.is_symlink():
                content = os.fsencode(os.readlink(path))
            elif path.is_file():
                content = path.read_bytes()
            found[str(path)] = (state.st_mode, state.st_mtime_ns, hashlib.sha256(content).hexdigest())
    return found


def finished(
    changed: Mapping[str, str | bytes | tuple[str, bytes]], deleted: tuple[str, ...] = ()
) -> tuple[Finished, bytes]:
    """What an agent would send: plain files, or (mode, content)."""
    records, body = [], b""
    for path, value in changed.items():
        mode, content = value if isinstance(value, tuple) else ("100644", value)
        raw = content.encode() if isinstance(content, str) else content
        records.append(ChangedFile(path=path, mode=mode, size=len(raw)))
        body += raw
    return Finished(reason="finished", changed=tuple(records), deleted=deleted, body_size=len(body)), body
