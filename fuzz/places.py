"""Directories of targets that read files: they are gone when the process is, and where it can't, a parent tidies up."""

import atexit
import ctypes
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

PREFIX = "ay-bot-fuzz-"
_PARENT_DEATH_SIGNAL = 1


@cache
def directory(name: str) -> Path:
    """Return the directory of a target."""
    path = tempfile.mkdtemp(prefix=f"{PREFIX}{name}-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def tidied(work: Callable[[], None]) -> None:
    """Do the work in a child, and remove all temporary files of it: libFuzzer ends a process in the midst of it.

    Ends this process, too, if the child ended with an error. The child does not outlive this process.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as scratch:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
            tempfile.tempdir = scratch
            work()
            return
        _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(code if code > 0 else 128 - code)
