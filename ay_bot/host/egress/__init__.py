"""The one way out that a box may have: a proxy outside of it, behind a socket, that knows which hosts are allowed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, Protocol

from ay_bot.host.egress.door import Door, proxy_environment
from ay_bot.host.egress.rules import HostRule, Network, NetworkPolicy, PresetName
from ay_bot.protocol.conversation import Value

if TYPE_CHECKING:
    from ay_bot.host.egress.laboratory import Laboratory
    from ay_bot.host.egress.opening import OpenDoor
    from ay_bot.host.sandbox import Sandbox

__all__ = ["Attempt", "Door", "Egress", "HostRule", "Network", "NetworkPolicy", "PresetName", "open_egress",
           "proxy_environment"]  # fmt: skip
Where = Literal["setup", "agent"]


class Attempt(Value):
    """One request to the proxy, as the proxy saw it. Text of it comes from the box: clean it before it is shown."""

    time: str
    host: str
    port: int
    method: str
    path: str = ""
    """Of the address that was asked for in plain http; nobody sees it inside of TLS."""
    allowed: bool
    rule: str
    """Which rule allowed or refused it."""
    why: str
    """In words for people; empty where it was allowed."""
    fix: str = ""
    """The one line of configuration that would allow it; empty where none would."""
    sent: int = 0
    received: int = 0


class Egress(Protocol):
    """A door that stands open, and the proxy behind it."""

    door: Door
    environment: dict[str, str]
    """What commands in the box need to find the proxy."""

    def attempts(self) -> tuple[Attempt, ...]:
        """Return every attempt so far, oldest first; see `lost` of the driver for a bound."""
        ...


def open_egress(  # noqa: PLR0913 - each a fact of its own, and all but two named
    policy: NetworkPolicy,
    sandbox: "Sandbox",
    *,
    run: str,
    where: Where = "setup",
    wall: float = 3600.0,
    tell: Callable[[Attempt], None] = lambda _attempt: None,
    overhear: Callable[[str], bool] = lambda _head: True,
    laboratory: "Laboratory | None" = None,
) -> "AbstractContextManager[OpenDoor]":
    """Open a proxy that keeps to `policy` for one box, and remove all of it at the end of the with block.

    Hand the door and the environment that it yields to the box's BoxSpec, and close the box first. `tell` hears of
    every attempt, from a thread of the proxy's, and `overhear` the head of every request, its address and its fields as
    the box wrote them: the request waits until it has returned, and passes if it returned True. `wall` is how long the
    box may run. `laboratory` is for tests and experiments alone. Under a policy without hosts nothing is started.
    Raises SandboxUnavailable.
    """
    from ay_bot.host.egress.opening import opened

    return opened(policy, sandbox, run=run, where=where, wall=wall, tell=tell, overhear=overhear, laboratory=laboratory)
