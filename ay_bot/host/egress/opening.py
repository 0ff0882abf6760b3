"""Opening a door: the proxy is started beside the box, told its policy, and listened to until the box is gone."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from ay_bot.host.egress import Attempt, Where
from ay_bot.host.egress.door import Door, proxy_environment
from ay_bot.host.egress.laboratory import Laboratory
from ay_bot.host.egress.listening import Listener
from ay_bot.host.egress.rules import NetworkPolicy
from ay_bot.host.egress.sidecar import SidecarSpec
from ay_bot.host.egress.squid_config import Secret, render
from ay_bot.host.sandbox import Sandbox

MOST_CONNECTIONS: Final = 20_000


class OpenDoor:
    """A door that stands open, or the wall where one would be."""

    def __init__(self, door: Door, listener: Listener | None) -> None:
        self.door = door
        self.environment = proxy_environment() if listener else {}
        self._listener = listener

    def attempts(self) -> tuple[Attempt, ...]:
        """Return the attempts so far."""
        return self._listener.attempts() if self._listener else ()

    def target(self) -> tuple[str, ...]:
        """Return what the program of an experiment printed."""
        return tuple(self._listener.target) if self._listener else ()

    def totals(self) -> dict[str, int]:
        """Return the bytes and connections that passed, once the proxy has ended."""
        return self._listener.totals if self._listener else {}


@contextmanager
def opened(  # noqa: PLR0913 - as open_egress
    policy: NetworkPolicy,
    sandbox: Sandbox,
    *,
    run: str,
    where: Where,
    wall: float,
    tell: Callable[[Attempt], None],
    overhear: Callable[[str], bool],
    laboratory: Laboratory | None,
) -> Iterator[OpenDoor]:
    """See open_egress."""
    if not policy.is_open():
        yield OpenDoor(Door(), None)
        return
    around = laboratory or Laboratory()
    spec = SidecarSpec(run=run, wall=wall, loopback_only=bool(around.program))
    with sandbox.open_sidecar(spec) as sidecar:
        listener = Listener(sidecar, policy, where, tell, overhear)
        try:
            listener.start(_first_line(policy, around))
            yield OpenDoor(sidecar.door, listener)
        finally:
            listener.end()


def _first_line(policy: NetworkPolicy, around: Laboratory) -> bytes:
    secret = Secret.make(secrets.randbits)
    first = {
        "config": render(policy, secret, around),
        "greeting": secret.greeting(),
        "hosts": secret.hosts() + around.hosts(),
        "program": around.program,
        "loose": around.loose,
        "max_sent": policy.max_sent,
        "max_received": policy.max_received,
        "max_connections": MOST_CONNECTIONS,
    }
    return json.dumps(first).encode("ascii") + b"\n"
