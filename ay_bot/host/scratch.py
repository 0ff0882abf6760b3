"""The run's temporary directory on the host: private, named after its owner, and removed also after a crash."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ay_bot.host.environment import environment
from ay_bot.host.owner import is_alive, this_process

PREFIX = "ay-bot."


def temporary_directory() -> str:
    """Return where temporary files lie. Python's own way to find out writes a file, which a killed run leaves there."""
    if tempfile.tempdir is None:
        given = [environment().get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
        usable = (place for place in (*given, "/tmp") if place and _is_usable(place))  # noqa: S108 - as Python does
        tempfile.tempdir = next((os.path.abspath(place) for place in usable), None)  # noqa: PTH100 - as it is given
    return tempfile.gettempdir()


def _is_usable(place: str) -> bool:
    return Path(place).is_dir() and os.access(place, os.W_OK | os.X_OK)


@contextmanager
def open_scratch() -> Iterator[Path]:
    """Make a directory that only this user can enter, and remove it at the end of the with block."""
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{this_process()}.", dir=temporary_directory()))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def reap_scratch() -> list[str]:
    """Remove the directories of processes that are gone, and return their names."""
    reaped = []
    for directory in Path(temporary_directory()).glob(f"{PREFIX}*:*:*.*"):
        owner = directory.name.removeprefix(PREFIX).rpartition(".")[0]
        if not is_alive(owner):
            shutil.rmtree(directory, ignore_errors=True)
            reaped.append(str(directory))
    return reaped
