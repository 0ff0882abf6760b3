"""The run's temporary directory on the host: private, marked with its owner, and removed also after a crash."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ay_bot.host.owner import is_alive, this_process

PREFIX = "ay-bot-"
OWNER_FILE = "owner"


@contextmanager
def open_scratch() -> Iterator[Path]:
    """Make a directory that only this user can enter, and remove it at the end of the with block."""
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        (directory / OWNER_FILE).write_text(this_process())
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def reap_scratch() -> list[str]:
    """Remove the directories of processes that are gone, and return their names."""
    reaped = []
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = _owner_of(directory)
        if owner and not is_alive(owner):
            shutil.rmtree(directory, ignore_errors=True)
            reaped.append(str(directory))
    return reaped


def _owner_of(directory: Path) -> str:
    try:
        return (directory / OWNER_FILE).read_text()
    except OSError:
        return ""
