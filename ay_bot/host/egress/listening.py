"""What the relay tells of the proxy: each line is parsed as what a stranger wrote, and becomes an attempt or a fact."""

import contextlib
import json
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.egress import Attempt, Where
from ay_bot.host.egress.explaining import explain, propose
from ay_bot.host.egress.rules import NetworkPolicy
from ay_bot.host.egress.sidecar import Sidecar
from ay_bot.host.egress.squid_config import FIELDS
from ay_bot.host.sandbox.stream import BoxStream

LONGEST_LINE: Final = 256 * 1024
MOST_KEPT: Final = 20_000
LONGEST_HOST: Final = 255
LONGEST_PATH: Final = 2000
LONGEST_WORD: Final = 100
LONGEST_COMPLAINT: Final = 600
START_SECONDS: Final = 30.0
END_SECONDS: Final = 3.0
ALLOWING: Final = ("hosts:", "preset:")


class Listener:
    """Hears what the relay tells in a thread of its own, until it ends."""

    def __init__(
        self,
        sidecar: Sidecar,
        policy: NetworkPolicy,
        where: Where,
        tell: Callable[[Attempt], None],
        overhear: Callable[[str], bool] = lambda _head: True,
    ) -> None:
        self._stream = sidecar.stream
        self._complaint = sidecar.complaint
        self._policy = policy
        self._where = where
        self._tell = tell
        self._overhear = overhear
        self._attempts: deque[Attempt] = deque(maxlen=MOST_KEPT)
        self._ready: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, name="egress", daemon=True)
        self.target: deque[str] = deque(maxlen=MOST_KEPT)
        """What the program of an experiment printed."""
        self.totals: dict[str, int] = {}

    def start(self, first: bytes) -> None:
        """Send the first line, and return when the proxy takes requests. Raises SandboxUnavailable."""
        self._stream.write(first)
        self._thread.start()
        ready = ""
        with contextlib.suppress(queue.Empty):
            ready = self._ready.get(timeout=START_SECONDS)
        if not ready:
            said = " ".join(self._complaint().split())[:LONGEST_COMPLAINT]
            raise SandboxUnavailable(f"the proxy for the network policy did not start: {said or 'it said nothing'}")

    def end(self) -> None:
        """Ask the relay to end, and hear what it has still to tell."""
        self._stream.write(b"{}\n")
        self._thread.join(END_SECONDS)
        self._stream.end()
        self._thread.join(END_SECONDS)

    def attempts(self) -> tuple[Attempt, ...]:
        """Return the newest attempts, oldest first."""
        return tuple(self._attempts)

    def _listen(self) -> None:
        for line in _lines(self._stream):
            self._take(line)
        self._ready.put("")

    def _take(self, line: bytes) -> None:
        said = _parse(line)
        kind = said.get("kind")
        if kind == "ready":
            self._ready.put("ready")
        elif kind == "head":
            self._judge_head(said.get("number"), str(said.get("text")))
        elif kind == "target":
            self.target.append(str(said.get("line"))[:LONGEST_LINE])
        elif kind == "total":
            self.totals = {name: value for name, value in said.items() if isinstance(value, int)}
        elif attempt := self._attempt(said):
            self._attempts.append(attempt)
            self._tell(attempt)

    def _judge_head(self, number: object, text: str) -> None:
        """Say whether a request may pass, which waits for that; whatever is not a number is nobody's."""
        may_pass = self._overhear(text)
        if isinstance(number, int):
            self._stream.write(json.dumps({"head": number, "may_pass": may_pass}).encode("ascii") + b"\n")

    def _attempt(self, said: dict[str, object]) -> Attempt | None:
        found = None
        if said.get("kind") == "log":
            found = read_log(str(said.get("line")))
        elif said.get("kind") == "refused":
            found = read_refusal(said)
        if found is None or found.allowed:
            return found
        why = explain(found, self._policy)
        return found.model_copy(update={"why": why, "fix": propose(found, self._policy, self._where)})


def read_log(line: str) -> Attempt | None:
    """Return the attempt that a line of the proxy's log tells of; None for one that is not as it was asked for."""
    fields = line.split(" ")
    if len(fields) != len(FIELDS):
        return None
    time, rule, _status, method, host, port, path, sent, received, address, problem = fields
    del address
    if rule == "-":
        rule = "form"
    allowed = rule.startswith(ALLOWING)
    return Attempt(
        time=_time(time),
        host=_word(unquote(host), LONGEST_HOST),
        port=_number(port),
        method=_word(unquote(method)),
        path="" if path == "-" else _word(unquote(path), LONGEST_PATH),
        allowed=allowed,
        rule=_word(rule),
        why="" if not allowed or problem == "-" else f"it failed: {_word(problem)}",
        sent=_number(sent),
        received=_number(received),
    )


def read_refusal(said: dict[str, object]) -> Attempt:
    """Return the attempt that the relay itself refused."""
    port = said.get("port")
    return Attempt(
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        host=_word(str(said.get("host", "")), LONGEST_HOST),
        port=port if isinstance(port, int) and 0 <= port < 65536 else 0,
        method=_word(str(said.get("method", ""))),
        allowed=False,
        rule=_word(str(said.get("rule", ""))),
        why="",
    )


def _lines(stream: BoxStream) -> Iterator[bytes]:
    """Yield whole lines; what is longer than any line of the relay's ends the listening."""
    rest = b""
    while data := stream.read(64 * 1024):
        *whole, rest = (rest + data).split(b"\n")
        yield from whole
        if len(rest) > LONGEST_LINE:
            return


def _parse(line: bytes) -> dict[str, object]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _word(text: str, longest: int = LONGEST_WORD) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _time(text: str) -> str:
    try:
        return datetime.fromtimestamp(float(text), UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC).isoformat(timespec="milliseconds")
