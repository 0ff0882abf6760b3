"""Caps on a whole box where no control group holds them: process 1 looks often, and ends what uses too much.

It is a soft wall, and drivers say so: between two looks a box can take more than its cap, and memory that no process
has mapped at the moment of a look is not seen.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ay_bot.protocol.box_config import ResourceLimits

EVERY: Final = 0.05  # seconds
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
ALL_OVER: Final = 1.25
"""Beyond this part of the cap everything is ended, and below it the largest process alone."""
OUT_OF_MEMORY_STATUS: Final = 125
OUT_OF_MEMORY: Final = "the box used more memory than its limit"
TOO_MANY_TASKS: Final = "the box had more processes and threads than its limit"
TOO_MANY_FILES: Final = "the box made more files than its limit"

GROUP_FILES: Final = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))

_reasons: list[str] = []
_ended_before = [0]


@dataclass(frozen=True)
class Process:
    """One process of the box, and what it has in memory."""

    pid: int
    resident: int


def start_watchdog(limits: ResourceLimits, places: tuple[str, ...]) -> None:
    """Look for ever, in a thread, if there is anything to look at; `places` are the file systems in memory.

    Only process 1 of a box looks: what it ends is everything that it can see.
    """
    if os.getpid() == 1 and (limits.memory or limits.inodes or limits.tasks):
        watchdog = Watchdog(limits, places)
        threading.Thread(target=watchdog.run, name="watchdog", daemon=True).start()


def take_reason() -> str:
    """Return why the watchdog, or the kernel for want of memory, ended something since the last call, or nothing."""
    reasons = list(dict.fromkeys(_reasons))
    _reasons.clear()
    if (ended := _count_ended_by_kernel()) > _ended_before[0]:
        _ended_before[0] = ended
        reasons.append(OUT_OF_MEMORY)
    return "; ".join(reasons)


def _count_ended_by_kernel() -> int:
    """Return how many processes of this box's control group the kernel has ended, as far as that can be seen here."""
    for file in GROUP_FILES if os.getpid() == 1 else ():
        with contextlib.suppress(OSError, ValueError):
            lines = file.read_text().splitlines()
            return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


class Watchdog:
    """Looks at the memory and the files of a box."""

    def __init__(self, limits: ResourceLimits, places: tuple[str, ...]) -> None:
        self._limits = limits
        self._places = places
        self._most_files = limits.inodes

    def run(self) -> None:
        """Look for ever."""
        while True:
            if self._limits.memory:
                self.look_at_memory()
            if self._limits.inodes:
                self.look_at_files()
            if self._limits.tasks:
                self.look_at_tasks()
            time.sleep(EVERY)

    def look_at_memory(self) -> None:
        """End the largest process if the box has too much in memory, or all of them, or the box."""
        processes = list(running())
        files = sum(map(_bytes_in, self._places)) + _bytes_in_segments()
        if files + sum(process.resident for process in processes) <= self._limits.memory:
            return  # pages that processes share count once for each: it can only be less
        processes = [Process(process.pid, _proportional(process)) for process in processes]
        used = files + sum(process.resident for process in processes)
        if used > self._limits.memory:
            self._end(processes, used)

    def _end(self, processes: list[Process], used: int) -> None:
        others = [process for process in processes if process.pid != os.getpid()]
        if not others:
            os._exit(OUT_OF_MEMORY_STATUS)  # what is too much are the box's own files
        _reasons.append(f"{OUT_OF_MEMORY} of {self._limits.memory >> 20} MiB")
        if used > ALL_OVER * self._limits.memory:
            _kill(-1)
        else:
            _kill(max(others, key=lambda process: process.resident).pid)

    def look_at_tasks(self) -> None:
        """End all processes if the box has too many, or too many threads."""
        if sum(map(_threads_of, running())) > self._limits.tasks:
            _reasons.append(f"{TOO_MANY_TASKS} of {self._limits.tasks}")
            _kill(-1)

    def look_at_files(self) -> None:
        """End all processes while they go on making files beyond the limit; what removes them may run."""
        files = self._count_files()
        if files > self._most_files:
            _reasons.append(f"{TOO_MANY_FILES} of {self._limits.inodes}")
            _kill(-1)
            time.sleep(EVERY)  # until they are gone: what they made since the look is not the next command's doing
            files = self._count_files()
        self._most_files = max(files, self._limits.inodes)

    def _count_files(self) -> int:
        return sum(map(_files_in, self._places))


def running() -> Iterator[Process]:
    """Yield every process of the box."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - twenty times a second
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                yield Process(int(name), int(Path(f"/proc/{name}/statm").read_bytes().split()[1]) * PAGE)


def _threads_of(process: Process) -> int:
    try:
        return int(Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()[17])
    except (OSError, ValueError, IndexError):
        return 0  # it ended in the meantime


def _proportional(process: Process) -> int:
    """Return what a process has in memory, its part alone of what it shares; all of it if it hides that."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return process.resident


def _bytes_in(place: str) -> int:
    try:
        said = os.statvfs(place)
    except OSError:
        return 0
    return (said.f_blocks - said.f_bfree) * said.f_frsize


def _files_in(place: str) -> int:
    try:
        said = os.statvfs(place)
    except OSError:
        return 0
    return said.f_files - said.f_ffree


def _bytes_in_segments() -> int:
    """Return the size of System V's shared memory, which stays when nobody has it mapped."""
    try:
        lines = Path("/proc/sysvipc/shm").read_text().splitlines()
    except OSError:
        return 0
    if len(lines) < 2:
        return 0
    column = lines[0].split().index("rss")
    return sum(int(line.split()[column]) for line in lines[1:])


def _kill(pid: int) -> None:
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
