"""Files that are to be written, kept in memory until all of them are known to be good."""

import os
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from ay_bot.agent.edits.text import Decoded, decode

MAX_FILE = 32 * 1024 * 1024


class StageError(Exception):
    """A file that can't be edited; the text is for the model."""


@dataclass(slots=True)
class Staged:
    """A file before and after; None is no file."""

    name: str
    before: bytes | None
    after: bytes | None
    mode: int | None

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


@dataclass(slots=True)
class Stage:
    """The files of one call."""

    files: dict[Path, Staged] = field(default_factory=dict)

    def open(self, path: Path, name: str) -> Staged:
        """Read a file once; later edits of the same call see the earlier ones. Raises StageError."""
        if path not in self.files:
            self.files[path] = _load(path, name)
        return self.files[path]

    def text(self, path: Path, name: str) -> Decoded:
        """The present text of a file that must exist. Raises StageError."""
        staged = self.open(path, name)
        if staged.after is None:
            msg = f"{name} does not exist"
            raise StageError(msg)
        if b"\0" in staged.after[:8192]:
            msg = f"{name} is a binary file"
            raise StageError(msg)
        return decode(staged.after)

    def write(self, path: Path, name: str, content: bytes | None) -> None:
        """Set what a file shall be; None deletes it."""
        self.open(path, name).after = content

    def original(self, name: str) -> str | None:
        """The text of a file as it was before this call."""
        for staged in self.files.values():
            if staged.name == name and staged.before is not None:
                return decode(staged.before).text
        return None

    def commit(self) -> None:
        """Write all: temporary files first, so that a full disk or a missing right changes nothing."""
        made: list[tuple[str, Path]] = []
        try:
            for path, staged in self.files.items():
                if staged.changed and staged.after is not None:
                    made.append((_write_beside(path, staged.after, staged.mode), path))
        except OSError:
            for temporary, _ in made:
                Path(temporary).unlink(missing_ok=True)
            raise
        for temporary, path in made:
            Path(temporary).replace(path)
        for path, staged in self.files.items():
            if staged.changed and staged.after is None:
                path.unlink()


def _load(path: Path, name: str) -> Staged:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Staged(name, None, None, None)
    at = os.fstat(descriptor)
    if not stat.S_ISREG(at.st_mode) or at.st_size > MAX_FILE:
        os.close(descriptor)
        what = f"has {at.st_size:,} bytes, too many to edit" if stat.S_ISREG(at.st_mode) else "is not a regular file"
        msg = f"{name} {what}"
        raise StageError(msg)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read()
    return Staged(name, content, content, stat.S_IMODE(at.st_mode))


def _write_beside(path: Path, content: bytes, mode: int | None) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".edit-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(mode if mode is not None else 0o644)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary
