"""All that the boxes of one run asked their proxies for: it is logged as it happens, and what was refused is kept."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ay_bot.host.egress import Attempt, Where
from ay_bot.protocol.events import EgressAttempted

if TYPE_CHECKING:
    from ay_bot.host.event_log import EventLog

MOST_TOLD: Final = 10
MOST_HOSTS: Final = 5000
LAST_ADDRESSES: Final = 4096
"""Characters of the last addresses: a canary may be cut into several requests."""


class Attempts:
    """The attempts of one run. Safe to use from several threads."""

    def __init__(self, log: "EventLog") -> None:
        self._log = log
        self._lock = threading.Lock()
        self._refused: dict[str, None] = {}
        self._hosts: dict[str, None] = {}
        self._left_out = 0
        self._addresses = ""
        self._carrying: list[str] = []

    def hear(self, where: Where) -> Callable[[Attempt], None]:
        """Return what open_egress tells of the attempts of a box."""

        def tell(attempt: Attempt) -> None:
            self._keep(where, attempt)
            self._log.emit(EgressAttempted(box=where, **attempt.model_dump(exclude={"time"})))

        return tell

    def notices(self) -> tuple[str, ...]:
        """Return what people should know: what was refused, each once, and the change that would allow it."""
        with self._lock:
            more = (f"{self._left_out} more requests to the network were refused",) if self._left_out else ()
            return (*self._refused, *more)

    def overhear(self, head: str) -> None:
        """Look through the head of a request for canaries, and through the addresses of the last ones together."""
        address = head.partition("\r\n")[0].partition(" ")[2].rpartition(" ")[0]
        with self._lock:
            self._addresses = f"{self._addresses}\n{address}"[-LAST_ADDRESSES:]
            for text in (head, self._addresses):
                if len(self._carrying) < MOST_TOLD and self._carries(text):
                    self._carrying.append(text)

    def carrying(self) -> tuple[str, ...]:
        """Return what carried a canary of a box towards the network, whether or not it was let through."""
        with self._lock:
            return tuple(self._carrying)

    def _carries(self, text: str) -> bool:
        found = self._log.redactor.find_values(text.encode("utf-8", "surrogatepass"))
        return any(each.kind == "canary" for each in found)

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that boxes asked for, as they said them; something of the box's may be hidden in them."""
        with self._lock:
            return tuple(self._hosts)

    def _keep(self, where: Where, attempt: Attempt) -> None:
        with self._lock:
            if len(self._hosts) < MOST_HOSTS:
                self._hosts[attempt.host] = None
            if attempt.allowed:
                return
            text = describe(where, attempt)
            if len(self._refused) < MOST_TOLD:
                self._refused[text] = None
            elif text not in self._refused:
                self._left_out += 1


def describe(where: Where, attempt: Attempt | EgressAttempted) -> str:
    """Return a refused attempt as a sentence."""
    asked = f"{attempt.method} {attempt.host}:{attempt.port}".removesuffix(":0").strip()
    fix = f"; to allow it, {attempt.fix}" if attempt.fix else ""
    return f"the {where} box was refused {asked or 'a request to the network'}: {attempt.why} ({attempt.rule}){fix}"
