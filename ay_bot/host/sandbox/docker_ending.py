"""How a container ended that nobody ended: its exit code, and whether the kernel took its memory for too much."""

import time
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from ay_bot.host.sandbox.docker_calls import if_possible
from ay_bot.host.sandbox.docker_facts import Kind
from ay_bot.host.sandbox.ending import DEADLINE_STATUS

if TYPE_CHECKING:
    from docker import APIClient

SECONDS: Final = 3
PODMANS_NOISE: Final = "Error: read unixpacket"
"""What Podman writes to the attached stream when the box at its other end is gone."""


class Ending(NamedTuple):
    """What the engine knows of an end; None where it knows no exit code."""

    status: int | None = None
    out_of_memory: bool = False


def own_words(errors: str) -> str:
    """Return what the box itself wrote to its stderr."""
    return "\n".join(line for line in errors.splitlines() if not line.startswith(PODMANS_NOISE))


def find_ending(client: "APIClient", kind: Kind, container: str, *, overdue: bool) -> Ending:
    """Ask the engine, which removes the container meanwhile. `overdue` is a box that reached its deadline."""
    found = _from_events(client, container) if kind == "Docker" else _from_state(client, container)
    if found.status in (None, 0) and overdue:
        return Ending(DEADLINE_STATUS)
    return found


def _from_events(client: "APIClient", container: str) -> Ending:
    """Docker remembers both."""
    out_of_memory = False
    filters = {"container": container, "event": ["oom", "die"]}
    with if_possible():
        until = int(time.time()) + SECONDS
        with closing(client.events(since=1, until=until, filters=filters, decode=True)) as events:
            for event in events:
                if event["Action"] == "oom":
                    out_of_memory = True
                elif event["Action"] == "die":
                    return Ending(int(event["Actor"]["Attributes"].get("exitCode", "1")), out_of_memory)
    return Ending()


def _from_state(client: "APIClient", container: str) -> Ending:
    """Podman's events know neither, but it removes a container a moment after its end."""
    end = time.monotonic() + SECONDS
    with if_possible():
        while time.monotonic() < end:
            state = client.inspect_container(container)["State"]
            if state.get("Status") in {"exited", "stopped"}:
                return Ending(int(state.get("ExitCode", 1)), state.get("OOMKilled") is True)
            time.sleep(0.01)
    return Ending()
