"""The run's temporary directory on the host: private, named after its owner, and removed also after a crash."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ay_bot.host.owner import is_alive, this_process

PREFIX = "ay-bot."


@contextmanager
def open_scratch() -> Iterator[Path]:
    """Make a directory that only this user can enter, and remove it at the end of the with block."""
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{this_process()}."))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def reap_scratch() -> list[str]:
    """Remove the directories of processes that are gone, and return their names."""
    reaped = []
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*:*:*.*"):
        owner = directory.name.removeprefix(PREFIX).rpartition(".")[0]
        if not is_alive(owner):
            shutil.rmtree(directory, ignore_errors=True)
            reaped.append(str(directory))
    return reaped
