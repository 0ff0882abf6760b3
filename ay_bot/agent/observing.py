"""What the first process of a box sees around itself before it trusts anything: the host compares it with its plan."""

import os
from collections.abc import Mapping
from pathlib import Path

from ay_bot.agent.hardening import gains_no_privileges
from ay_bot.protocol.plain_messages import Observed

STATUS = ("Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")


def observe(environment: Mapping[str, str]) -> Observed:
    """Return what is there; `environment` is the one that this process was started with."""
    lines = (line.partition(":") for line in _read("/proc/self/status").splitlines())
    status = {name: value.strip() for name, _, value in lines if name in STATUS}
    return Observed(
        status={"NoNewPrivs": str(int(gains_no_privileges())), **status},
        mounts=tuple(describe_mount(line) for line in _read("/proc/self/mountinfo").splitlines()),
        interfaces=tuple(line.partition(":")[0].strip() for line in _read("/proc/self/net/dev").splitlines()[2:]),
        variables=tuple(sorted(name.encode("utf-8", "backslashreplace").decode() for name in environment)),
        descriptors=tuple(sorted(number for number in map(int, os.listdir("/proc/self/fd")) if _is_open(number))),  # noqa: PTH208 - names
    )


def describe_mount(line: str) -> str:
    """Return the place, the options and the kind of a line of mountinfo."""
    before, _, after = line.partition(" - ")
    fields = before.split(" ")
    return f"{fields[4]} {fields[5]} {after.split(' ', 1)[0]}"


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="backslashreplace")


def _is_open(number: int) -> bool:
    """Say whether a descriptor is more than the one that the listing itself had."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
