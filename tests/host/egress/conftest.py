"""A door for the tests of this directory: one proxy and one box of each driver for all of them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from ay_bot.host.egress import Attempt, HostRule, NetworkPolicy, open_egress
from ay_bot.host.egress.opening import OpenDoor
from ay_bot.host.redteam.doors import ALLOWED, laboratory
from ay_bot.host.sandbox import Box, Sandbox
from ay_bot.host.sandbox.bubblewrap_sidecar import SQUID
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER, make_sandbox, run, seed, spec

RULES = (*(HostRule(host=host) for host in ALLOWED), HostRule(host="write.open.example", methods=("GET", "POST")))
POLICY = NetworkPolicy(mode="allowlist", hosts=RULES)


def require_proxy(driver: str) -> None:
    """Skip what needs this machine's own squid where it is not installed; continuous integration has it."""
    if driver == "bubblewrap" and not SQUID.is_file():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"there is no {SQUID}")


@dataclass
class Room:
    """A box with a door, and what is behind it."""

    sandbox: Sandbox
    box: Box
    door: OpenDoor
    told: list[Attempt] = field(default_factory=list)

    def run(self, command: str) -> str:
        """Return what a command in the box printed."""
        return run(self.box, command).output

    def python(self, program: str) -> str:
        """Return what a program in the box printed."""
        return self.run(f"python3 - <<'END'\n{program}\nEND\n")


@pytest.fixture(params=[DOCKER, BUBBLEWRAP], scope="package")
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    require_proxy(request.param)
    sandbox = make_sandbox(request.param)
    told: list[Attempt] = []
    with open_egress(POLICY, sandbox, run="door", laboratory=laboratory(), tell=told.append) as door:
        wanted = spec(only_for_checks=True).model_copy(update={"door": door.door, "environment": door.environment})
        with sandbox.open(wanted) as box:
            seed(box)
            yield Room(sandbox, box, door, told)
