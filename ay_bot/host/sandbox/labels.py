"""The labels of all that a run makes on an engine, and when they say that it outlived its run."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ay_bot.host.owner import is_alive, this_process

RUN_LABEL: Final = "ay.run"
OWNER_LABEL: Final = "ay.owner"
NAMESPACE_LABEL: Final = "ay.namespace"  # a pid means nothing to a reaper in another pid namespace
DEADLINE_LABEL: Final = "ay.deadline"
GRACE: Final = 60  # seconds that a host may need, after a box's own deadline, to remove it itself


def labels(run: str, wall: float) -> dict[str, str]:
    """Return what the reaper needs to know of a thing of `run` that may live for `wall` seconds."""
    return {
        RUN_LABEL: run,
        OWNER_LABEL: this_process(),
        NAMESPACE_LABEL: pid_namespace(),
        DEADLINE_LABEL: str(int(time.time() + wall + GRACE)),
    }


def pid_namespace() -> str:
    """Return the name of the namespace in which this process's pid means something."""
    return str(Path("/proc/self/ns/pid").readlink())


def is_left(found: Mapping[str, str]) -> bool:
    """Say whether a thing with these labels has to go now."""
    return is_abandoned(found, now=time.time(), alive=is_alive(found.get(OWNER_LABEL, "")))


def is_abandoned(found: Mapping[str, str], *, now: float, alive: bool) -> bool:
    """Say whether a thing outlived its run: it is overdue, or its owner, as seen from here, is dead."""
    deadline = found.get(DEADLINE_LABEL, "")
    if not deadline.isdigit() or now > int(deadline):
        return True
    same_boot = found.get(OWNER_LABEL, "").partition(":")[0] == this_process().partition(":")[0]
    return same_boot and found.get(NAMESPACE_LABEL) == pid_namespace() and not alive
