"""A control group for one box, where this user may make one: caps on memory, processes and processor time."""

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from ay_bot.host.owner import is_alive, this_process
from ay_bot.host.sandbox import BoxLimits

ROOT = Path("/sys/fs/cgroup")
NAME = "ay-bot."
PERIOD = 100_000  # microseconds
CONTROLLERS = ("memory", "pids", "cpu")
_numbers = itertools.count(1)


class BoxGroup:
    """The directories of one box's group: one per controller on the first version, one in all on the second."""

    def __init__(self, directories: dict[str, Path]) -> None:
        self._directories = directories

    @classmethod
    def create(cls, limits: BoxLimits) -> Self:
        """Make a group with what can be capped here; perhaps nothing."""
        name = f"{NAME}{this_process()}.{next(_numbers)}"
        directories = {}
        for controller, parent in parents().items():
            directory = parent / name
            try:
                directory.mkdir(exist_ok=True)
                for file, value in _settings(controller, limits, second=is_second_version()).items():
                    _write(directory / file, value)
            except OSError:
                with contextlib.suppress(OSError):
                    directory.rmdir()
                continue
            directories[controller] = directory
        return cls(directories)

    @property
    def capped(self) -> frozenset[str]:
        """The controllers that hold."""
        return frozenset(self._directories)

    def entrances(self) -> list[str]:
        """The files that a process writes its pid to, to enter with all that it will start."""
        return sorted({str(directory / "cgroup.procs") for directory in self._directories.values()})

    def ran_out_of_memory(self) -> bool:
        """Say whether the kernel ended a process of the group for want of memory."""
        directory = self._directories.get("memory")
        if directory is None:
            return False
        for file in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                lines = (directory / file).read_text().splitlines()
                return any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in lines)
        return False

    def remove(self) -> None:
        """Remove the directories; the kernel may need a moment until it has forgotten the last process."""
        for directory in set(self._directories.values()):
            for _ in range(100):
                try:
                    directory.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
                else:
                    break


def is_second_version() -> bool:
    """Say whether this machine has the unified hierarchy."""
    return (ROOT / "cgroup.controllers").is_file()


def parents() -> dict[str, Path]:
    """Return, by controller, the directory in which groups can be made."""
    own = dict(_own_groups())
    if is_second_version():
        parent = _delegating(ROOT / own.get("", "/").lstrip("/"))
        return dict.fromkeys(CONTROLLERS, parent) if parent else {}
    found = {name: ROOT / name / own.get(name, "/").lstrip("/") for name in CONTROLLERS}
    return {name: path for name, path in found.items() if os.access(path, os.W_OK)}


def _own_groups() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _delegating(directory: Path) -> Path | None:
    """Return the nearest directory from which a group with all controllers can be entered by this user."""
    while directory.is_relative_to(ROOT):
        with contextlib.suppress(OSError):
            handed_down = (directory / "cgroup.subtree_control").read_text().split()
            may_enter = os.access(directory / "cgroup.procs", os.W_OK) and os.access(directory, os.W_OK)
            if may_enter and set(CONTROLLERS) <= set(handed_down):
                return directory
        directory = directory.parent
    return None


def _settings(controller: str, limits: BoxLimits, *, second: bool) -> dict[str, str]:
    quota = str(int(limits.cpus * PERIOD))
    if second:
        return {
            "memory": {"memory.max": str(limits.memory), "memory.swap.max": "0"},
            "pids": {"pids.max": str(limits.pids)},
            "cpu": {"cpu.max": f"{quota} {PERIOD}"},
        }[controller]
    return {
        "memory": {
            "memory.limit_in_bytes": str(limits.memory),
            "memory.memsw.limit_in_bytes": str(limits.memory),
        },
        "pids": {"pids.max": str(limits.pids)},
        "cpu": {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": quota},
    }[controller]


def _write(file: Path, value: str) -> None:
    try:
        file.write_text(value)
    except FileNotFoundError:
        if "sw" not in file.name:  # kernels without swap accounting have no such file
            raise


def reap() -> list[str]:
    """Remove the groups of owners that are dead, and return their names."""
    removed = set()
    for parent in set(parents().values()):
        for directory in parent.glob(f"{NAME}*"):
            owner = directory.name.removeprefix(NAME).rpartition(".")[0]
            if not is_alive(owner):
                with contextlib.suppress(OSError):
                    directory.rmdir()
                    removed.add(directory.name)
    return sorted(removed)
