"""What is heard of the proxy beside a box: its log, and what a box made it write there."""

import json

from ay_bot.host.egress import Attempt, NetworkPolicy
from ay_bot.host.egress.attempts import Attempts, describe
from ay_bot.host.egress.door import Door
from ay_bot.host.egress.listening import LONGEST_HOST, Listener
from ay_bot.host.egress.sidecar import Sidecar
from ay_bot.host.event_log import EventLog
from ay_bot.host.redact.redactor import Redactor

from fuzz.target import Target
from fuzz.targets.streams import Pieces

POLICY = NetworkPolicy(mode="allowlist", presets=("pip",))
CANARY = "sk-proj-Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0"

REDACTOR = Redactor((), (CANARY,))


class Stream(Pieces):
    """What the proxy's side wrote, and nothing to end."""

    def end(self) -> None:
        """Do nothing."""

    def write(self, data: bytes | memoryview) -> None:
        """Take what a request is told that waits, a line of ours."""
        said = json.loads(bytes(data))
        assert said.keys() == {"head", "may_pass"} and isinstance(said["head"], int), said


def parse(data: bytes) -> None:
    """Hear all of it as a run does: nothing is raised, and nothing is shown that can't be."""
    attempts = Attempts(EventLog("r", redactor=REDACTOR))
    heard: list[Attempt] = []
    sidecar = Sidecar(Door(), Stream(data), lambda: "")  # type: ignore[arg-type]
    listener = Listener(sidecar, POLICY, "agent", heard.append, attempts.overhear)
    listener._listen()  # noqa: SLF001 - in this thread, so that what it raises is seen
    for attempt in heard:
        attempts.hear("agent")(attempt)
        assert attempt.host.isprintable() and len(attempt.host) <= LONGEST_HOST, attempt
        assert 0 <= attempt.port < 10**18 and attempt.rule.isprintable() and attempt.why.isprintable(), attempt
        assert describe("agent", attempt).isprintable(), attempt
        assert attempt.allowed == attempt.rule.startswith(("hosts:", "preset:")), attempt
    assert len(attempts.notices()) <= 11


_LOG = "1795412982.161 {} 200 CONNECT pypi.org 443 - 696 2410 203.0.113.80 -"
SEEDS = [
    json.dumps(said).encode() + b"\n"
    for said in [
        {"kind": "log", "line": _LOG.format("preset:pip")}, {"kind": "log", "line": _LOG.format("name")},
        {"kind": "log", "line": "1795412982.161 - 403 GET %00evil%0a.example 80 /%41 1 2 - ERR_ACCESS_DENIED"},
        {"kind": "refused", "rule": "tls_name", "host": "pypi.org", "port": 443, "method": "CONNECT"},
        {"kind": "refused", "rule": "max_sent", "host": "", "port": 0, "method": ""}, {"kind": "ready"},
        {"kind": "head", "number": 1, "text": "GET http://pypi.org/simple/ HTTP/1.1\r\n\r\n"},
        {"kind": "head", "number": 2, "text": f"GET http://pypi.org/{CANARY} HTTP/1.1\r\nHost: pypi.org\r\n\r\n"},
        {"kind": "total", "sent": 5, "received": 7, "connections": 1}, {"kind": "target", "line": "x"},
    ]
]  # fmt: skip
TARGET = Target(parse=parse, seeds=[*SEEDS, b"".join(SEEDS)], shape="json", longest=3000, share=0.2)
