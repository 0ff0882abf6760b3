"""Who owns a thing that must not outlive its run: a name for this process that no other process ever has."""

import os
from pathlib import Path


def this_process() -> str:
    """Return the name of this process."""
    return name_of(os.getpid())


def name_of(pid: int) -> str:
    """Return `boot:pid:start` of a process; it tells a restarted machine and a reused pid apart."""
    return f"{_boot()}:{pid}:{_start_of(pid)}"


def is_alive(owner: str) -> bool:
    """Say whether the process that `owner` names still runs on this machine."""
    boot, _, rest = owner.partition(":")
    pid, _, start = rest.partition(":")
    return boot == _boot() and pid.isdigit() and start != "" and _start_of(int(pid)) == start


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_of(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
