"""Doors for attacks: a proxy whose targets are beside it, on its own loopback, and print what comes to them.

They are name servers and web servers of the battery's. One address stands for the Internet, all others for what is
private.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.egress import HostRule, NetworkPolicy, open_egress
from ay_bot.host.egress.laboratory import Laboratory
from ay_bot.host.redteam import Attack, Off
from ay_bot.host.redteam.egress_target import PRIVATE, PUBLIC, RESOLVER
from ay_bot.host.sandbox import MIB, BoxSpec, Sandbox

if TYPE_CHECKING:
    from ay_bot.host.egress.opening import OpenDoor

STRAYED: Final = f"arrived {PRIVATE}:", f"arrived {PUBLIC}:8022"
ALLOWED: Final = (
    "open.example", "inner.example", "loopback.example", "metadata.example", "mixed.example", "rebind.example",
    "*.rebind.example",
)  # fmt: skip
POLICY: Final = NetworkPolicy(
    mode="allowlist", hosts=tuple(HostRule(host=host) for host in ALLOWED), max_sent=MIB, max_received=8 * MIB
)
PATIENCE: Final = 0.25


def laboratory(*, loose: bool = False) -> Laboratory:
    """Return the surroundings of the proxy that is attacked."""
    return Laboratory(
        let_through=(f"{PUBLIC}:80", f"{PUBLIC}:443"),
        nameservers=(RESOLVER,),
        program=Path(__file__).with_name("egress_target.py").read_text(encoding="utf-8"),
        loose=loose,
    )


@contextmanager
def opened_for(
    attack: Attack, off: frozenset[Off], sandbox: Sandbox, spec: BoxSpec
) -> Iterator[tuple[BoxSpec, "OpenDoor | None"]]:
    """Open the door that the box of an attack has, and yield the box's specification with it."""
    if not attack.door:
        yield spec, None
        return
    loose = Off.PROXY in off
    policy = POLICY.model_copy(update={"max_sent": 1 << 40, "max_received": 1 << 40}) if loose else POLICY
    with open_egress(policy, sandbox, run=spec.run, wall=spec.limits.wall, laboratory=laboratory(loose=loose)) as door:
        yield spec.model_copy(update={"door": door.door, "environment": door.environment}), door


def why_no_door(sandbox: Sandbox) -> str:
    """Return why no box can have a door here, so that there is none to attack; nothing if one can."""
    try:
        with open_egress(POLICY, sandbox, run="redteam-door", laboratory=laboratory()):
            return ""
    except SandboxUnavailable as error:
        return f"no box can have a way to the network here, so attacks on it are left out: {error.message}"


def is_told(door: "OpenDoor | None", token: str, beginnings: str | tuple[str, ...]) -> bool:
    """Say whether the targets beside a proxy told of a token, within a moment, in a line that begins so."""
    end = time.monotonic() + PATIENCE
    while door is not None:
        if any(line.startswith(beginnings) and token in line for line in door.target()):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return False
