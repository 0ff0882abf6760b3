"""Commands that run on while others run: started, looked at, ended; the only processes that outlive a command."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ay_bot.agent.readable import readable

MOST_JOBS: Final = 4
KILLED: Final = 128 + signal.SIGKILL
SWEEPS: Final = 100  # after which whatever still forks is ended with all the rest
POLL: Final = 0.02


@dataclass(slots=True)
class Job:
    """A command in a session of its own, whose output goes to a file. `shown` counts the bytes that were looked at."""

    number: int
    command: str
    pid: int
    log: Path
    started: float
    shown: int = 0
    exit_code: int | None = None


@dataclass(slots=True)
class Jobs:
    """All jobs of this process."""

    all: dict[int, Job] = field(default_factory=dict)

    def running(self) -> list[Job]:
        """Return those that have not ended, after a look at each."""
        for job in self.all.values():
            if job.exit_code is None:
                with contextlib.suppress(ChildProcessError):
                    pid, status = os.waitpid(job.pid, os.WNOHANG)
                    if pid:
                        job.exit_code = _as_shells_count(status)
        return [job for job in self.all.values() if job.exit_code is None]

    def add(self, command: str, pid: int, log: Path) -> Job:
        """Remember a command that was started as the leader of its session."""
        job = Job(len(self.all) + 1, command, pid, log, time.monotonic())
        self.all[job.number] = job
        return job

    def wait(self, job: Job, seconds: float) -> None:
        """Wait for its end, but no longer than that."""
        end = time.monotonic() + seconds
        while job in self.running() and time.monotonic() < end:
            time.sleep(POLL)

    def end(self, job: Job) -> None:
        """Kill it, with all that is in its session."""
        while job in self.running():
            for pid, session in _processes():
                if session == job.pid:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(POLL)

    def end_all(self) -> None:
        """Kill all."""
        for job in self.running():
            self.end(job)

    def read(self, job: Job, most: int) -> str:
        """Return what it wrote since the last look, the newest `most` bytes of it."""
        try:
            with job.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(job.shown, size - most))
                left_out = file.tell() - job.shown
                text = readable(file.read(most).decode("utf-8", "replace"))
        except FileNotFoundError:
            return ""
        job.shown = size
        return f"[… {left_out:,} bytes left out …]\n{text}" if left_out else text


JOBS: Final = Jobs()
"""The box's: what a command leaves behind is ended, but for these."""


def end_others(jobs: list[Job]) -> None:
    """As process 1: kill every process that is not in the session of one of these jobs, and reap what has ended."""
    spared = {job.pid: job for job in jobs}
    for _ in range(SWEEPS):
        others = [pid for pid, session in _processes() if pid != 1 and session not in spared]
        if not others:
            break
        for pid in others:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap(spared)
        time.sleep(POLL)  # what was killed may take a moment to be gone
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    _reap(spared)


def _reap(spared: dict[int, Job]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if pid in spared:
                spared[pid].exit_code = _as_shells_count(status)


def _processes() -> Iterator[tuple[int, int]]:
    """Yield each process and its session, but for those that have ended and wait to be reaped."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                if state not in "ZX":
                    yield int(entry.name), int(session)


def _as_shells_count(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
