"""Whether a box is what was planned, by what its first process sees before it trusts anything, or the host sees."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ay_bot.errors import SandboxUnavailable
from ay_bot.protocol.plain_messages import Observed

ALWAYS: Final = frozenset({"HOME", "HOSTNAME", "LC_CTYPE", "PATH", "PWD", "SHLVL", "TERM", "container"})
"""Variables that engines, shells and Python set by themselves."""
DESCRIPTORS: Final = (0, 1, 2, 100, 101, 102)  # /dev/null three times, and the pipe where no child finds it
KERNELS_OWN: Final = re.compile(
    r"/proc(/.*)?|/sys(/.*)?|/dev(/(pts|shm|mqueue|console|null|zero|full|random|urandom|tty))?"
)
MEMORY: Final = frozenset({"tmpfs", "proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2", "shm"})
CAPABILITIES: Final = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@dataclass(frozen=True)
class Plan:
    """What a box may show: who it is, where something is mounted, where it can write, and what its variables are."""

    uid: int | None  # None where the observer counts otherwise than the box
    places: frozenset[str]
    writable: frozenset[str]
    variables: frozenset[str]
    capabilities: int = 0
    hidden: frozenset[str] = frozenset()  # parts of /proc and /sys that something must be mounted over, read-only
    layer: frozenset[str] = frozenset()  # what of the image can be written, where it can


def differences(observed: Observed, plan: Plan) -> list[str]:
    """Return what is otherwise than planned, an item each."""
    checks: tuple[Callable[[Observed, Plan], Iterator[str]], ...] = (_identity, _rights, _mounts, _surroundings)
    return [found for check in checks for found in check(observed, plan)]


def require_none(found: list[str], seen: str) -> None:
    """Raise SandboxUnavailable if there is any difference."""
    if found:
        msg = f"the box is not as planned, seen from {seen}: {'; '.join(found)}"
        raise SandboxUnavailable(msg, hint="nothing was run in it. Report this with the engine's name and version")


def _identity(observed: Observed, plan: Plan) -> Iterator[str]:
    for name in ("Uid", "Gid"):
        said = observed.status.get(name, "").split()
        if plan.uid is not None and set(said) != {str(plan.uid)}:
            yield f"its {name} is {' '.join(said) or 'not known'}, not {plan.uid}"


def _rights(observed: Observed, plan: Plan) -> Iterator[str]:
    for name in CAPABILITIES:
        known = observed.status.get("CapPrm", "not known")  # ambient ones are always among these; gVisor tells none
        said = observed.status.get(name, known if name == "CapAmb" else "not known")
        if _bits(said) & ~plan.capabilities:
            yield f"{name} is {said}: it has capabilities"
    if observed.status.get("NoNewPrivs") != "1":
        yield "no_new_privs is not set"
    if observed.status.get("Seccomp") != "2":
        yield "no seccomp filter is active"


def _mounts(observed: Observed, plan: Plan) -> Iterator[str]:
    found: dict[str, tuple[set[str], str]] = {}
    for mount in observed.mounts:
        place, said, kind = mount.split(" ")
        found[place] = set(said.split(",")), kind  # the last one mounted hides those before it
        if place not in plan.places and not KERNELS_OWN.fullmatch(place):
            yield f"something is mounted at {place} ({kind})"
    if "/" not in plan.layer and "ro" not in found.get("/", (set(), ""))[0]:
        yield "its root file system is not read-only"
    for place, (options, kind) in found.items():
        if (
            "rw" in options
            and place not in plan.writable | plan.layer
            and (kind not in MEMORY or not KERNELS_OWN.fullmatch(place))
        ):
            yield f"{place} can be written ({kind})"
        if place not in plan.writable:
            continue
        if kind != "tmpfs" or not {"nosuid", "nodev"} <= options:
            yield f"{place} is not a tmpfs with nosuid and nodev"
    yield from (f"nothing is mounted at {place}" for place in sorted(plan.writable - found.keys()))
    yield from (
        f"{place} is not hidden" for place in sorted(plan.hidden) if "ro" not in found.get(place, (set(), ""))[0]
    )


def _bits(said: str) -> int:
    """Return a set of capabilities as a number; what can't be read counts as all of them."""
    try:
        return int(said, 16)
    except ValueError:
        return -1


def _surroundings(observed: Observed, plan: Plan) -> Iterator[str]:
    if observed.interfaces != ("lo",):
        yield f"its network interfaces are {', '.join(observed.interfaces) or 'not known'}, not lo alone"
    if unknown := set(observed.variables) - plan.variables - ALWAYS:
        yield f"it was started with variables that are not planned: {', '.join(sorted(unknown))}"
    if observed.descriptors != DESCRIPTORS:
        yield f"its open descriptors are {observed.descriptors}, not {DESCRIPTORS}"
