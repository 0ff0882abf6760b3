"""All that the boxes of one run asked their proxies for: it is logged, and what must not leave ends the run."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ay_bot.errors import LeakSeen
from ay_bot.host.egress import Attempt, Where
from ay_bot.host.redact.canaries import describe_leak
from ay_bot.protocol.events import EgressAttempted

if TYPE_CHECKING:
    from ay_bot.host.event_log import EventLog

MOST_TOLD: Final = 10
MOST_HOSTS: Final = 5000
LAST_ADDRESSES: Final = 4096
"""Characters of the last addresses: a canary may be cut into several requests."""
IN_A_REQUEST: Final = "the address or the head of a request to the network"
IN_A_NAME: Final = "the name of a host that the box asked for"


class Attempts:
    """The attempts of one run. Safe to use from several threads.

    `alarm` is called at once, from the thread that heard of it, when something of the run's that must not leave shows
    up on its way to the network; the request does not pass.
    """

    def __init__(self, log: "EventLog", alarm: Callable[[LeakSeen], None] = lambda _leak: None) -> None:
        self._log = log
        self._alarm = alarm
        self._lock = threading.Lock()
        self._refused: dict[str, None] = {}
        self._hosts: dict[str, None] = {}
        self._left_out = 0
        self._addresses = ""
        self._carrying: list[str] = []
        self.leak: LeakSeen | None = None
        """The first that was seen."""

    def hear(self, where: Where) -> Callable[[Attempt], None]:
        """Return what open_egress tells of the attempts of a box."""

        def tell(attempt: Attempt) -> None:
            self._keep(where, attempt)
            self._log.emit(EgressAttempted(box=where, **attempt.model_dump(exclude={"time"})))
            self._watch(IN_A_NAME, attempt.host)

        return tell

    def notices(self) -> tuple[str, ...]:
        """Return what people should know: what was refused, each once, and the change that would allow it."""
        with self._lock:
            more = (f"{self._left_out} more requests to the network were refused",) if self._left_out else ()
            return (*self._refused, *more)

    def overhear(self, head: str) -> bool:
        """Look through the head of a request, and the addresses of the last ones together; True if it may pass."""
        address = head.partition("\r\n")[0].partition(" ")[2].rpartition(" ")[0]
        with self._lock:
            self._addresses = f"{self._addresses}\n{address}"[-LAST_ADDRESSES:]
            addresses = self._addresses
        return not any(self._watch(IN_A_REQUEST, text) for text in (head, addresses))

    def carrying(self) -> tuple[str, ...]:
        """Return what carried a canary or a secret of the run towards the network; none of it passed."""
        with self._lock:
            return tuple(self._carrying)

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that boxes asked for, as they said them; something of the box's may be hidden in them."""
        with self._lock:
            return tuple(self._hosts)

    def _watch(self, channel: str, text: str) -> bool:
        """Sound the alarm if a text holds what must not leave."""
        found = self._log.redactor.find_values(text.encode("utf-8", "surrogatepass"))
        if not found:
            return False
        is_canary = any(each.kind == "canary" for each in found)
        why, hint = describe_leak("canary" if is_canary else "value", channel)
        leak = LeakSeen(why, hint=hint)
        with self._lock:
            self.leak = self.leak or leak
            if len(self._carrying) < MOST_TOLD:
                self._carrying.append(text)
        self._alarm(leak)
        return True

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
