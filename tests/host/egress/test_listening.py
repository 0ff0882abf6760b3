"""What the proxy's side tells is read as what strangers wrote."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.egress import Attempt, NetworkPolicy
from ay_bot.host.egress.door import Door
from ay_bot.host.egress.listening import LONGEST_HOST, LONGEST_LINE, Listener, read_log, read_refusal
from ay_bot.host.egress.sidecar import Sidecar
from ay_bot.host.sandbox.stream import BoxStream

LINE = "1795412982.161 preset:pip 200 CONNECT pypi.org 443 - 696 2410 203.0.113.80 -"


class Told:
    """A transport whose far end says what it is given."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.sent = bytearray()
        self._over = threading.Event()

    def receive(self, size: int) -> bytes:
        size = size if len(self._data) > 10_000 else 7
        data, self._data = self._data[:size], self._data[size:]
        return data

    def send(self, data: memoryview) -> None:
        self.sent += data

    def shut(self) -> None:
        self._over.set()


class Waiting(Told):
    """A far end that ends once it was answered."""

    def receive(self, size: int) -> bytes:
        if not self._data:
            self._answered.wait(5)
        return super().receive(size)

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._answered = threading.Event()

    def send(self, data: memoryview) -> None:
        super().send(data)
        if b'"head": 2' in self.sent:
            self._answered.set()


def heard(*lines: object) -> tuple[list[Attempt], Listener]:
    data = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    found: list[Attempt] = []
    stream = BoxStream(Told(data), lambda: None)
    policy = NetworkPolicy(mode="allowlist")
    listener = Listener(Sidecar(Door(), stream, lambda: "its last words"), policy, "setup", found.append)
    listener.start(b"{}\n")
    listener.end()
    return found, listener


def test_a_line_of_the_log_is_an_attempt() -> None:
    said = read_log(LINE)
    assert said
    assert said.model_dump(exclude={"time"}) == {
        "host": "pypi.org", "port": 443, "method": "CONNECT", "path": "", "allowed": True, "rule": "preset:pip", "why": "", "fix": "",
        "sent": 696, "received": 2410,
    }  # fmt: skip
    assert said.time.startswith("2026-11-23T")


@given(st.text(max_size=300))
def test_any_text_is_an_attempt_or_nothing(text: str) -> None:
    said = read_log(text)
    assert said is None or not said.allowed or " hosts:" in text or " preset:" in text


@given(st.lists(st.text(st.characters(exclude_characters=" \n"), min_size=1, max_size=60), min_size=11, max_size=11))
def test_whatever_the_fields_are_the_attempt_is_bounded_and_printable(fields: list[str]) -> None:
    said = read_log(" ".join(fields))
    if said:
        assert len(said.host) <= LONGEST_HOST
        assert all(word.isprintable() for word in (said.host, said.method, said.rule, said.why))
        assert 0 <= said.port < 10**18


def test_escapes_and_long_hosts_are_not_shown() -> None:
    said = read_log(LINE.replace("pypi.org", "%1b%5b31m" + "a" * 1000).replace("CONNECT", "G%0aT"))
    assert said
    assert said.host.startswith("?[31maaa")
    assert len(said.host) == LONGEST_HOST
    assert said.method == "G?T"


@pytest.mark.parametrize("port", [-1, 65536, "443", None, 1.5])
def test_a_refusal_of_the_relay_has_a_port_or_none(port: object) -> None:
    assert read_refusal({"rule": "tls_name", "host": "a\x1b", "port": port}).port == 0
    assert read_refusal({"rule": "tls_name", "host": "a\x1b", "port": 443}).host == "a?"


def test_what_happens_is_heard_in_order_and_what_makes_no_sense_is_not() -> None:
    found, listener = heard(
        {"kind": "ready"},
        {"kind": "log", "line": LINE},
        b"no json",
        b"[" * 5000,
        b"[]",
        {"kind": "log", "line": 7},
        {"kind": "log", "line": LINE.replace("preset:pip", "name").replace("pypi.org", "evil.example")},
        {"kind": "refused", "rule": "tls_name", "host": "pypi.org", "port": 443, "method": "CONNECT"},
        {"kind": "target", "line": "arrived"},
        {"kind": "total", "sent": 5, "received": 6, "connections": 1},
    )
    assert [(one.host, one.rule, one.allowed) for one in found] == [
        ("pypi.org", "preset:pip", True), ("evil.example", "name", False), ("pypi.org", "tls_name", False),
    ]  # fmt: skip
    assert found[1].why == "no rule names this host"
    assert found[1].fix == "add `- evil.example` to `network.setup.hosts`"
    assert listener.attempts() == tuple(found)
    assert list(listener.target) == ["arrived"]
    assert listener.totals == {"sent": 5, "received": 6, "connections": 1}


def test_a_proxy_that_does_not_start_says_why() -> None:
    with pytest.raises(SandboxUnavailable, match="its last words"):
        heard(b"nothing")


def test_a_line_without_end_is_not_kept() -> None:
    found, _ = heard({"kind": "ready"}, b"x" * (LONGEST_LINE + 100_000), {"kind": "log", "line": LINE})
    assert found == []


def test_the_head_of_a_request_is_handed_on_as_it_was_written() -> None:
    said = [
        {"kind": "head", "number": number, "text": f"GET http://{number}/\x00 HTTP/1.1\r\n\r\n"} for number in (1, 2)
    ]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in (*said, {"kind": "head"}, {"kind": "ready"}))
    heads: list[str] = []
    far_end = Waiting(data)

    def overhear(head: str) -> bool:
        heads.append(head)
        return "http://1/" in head

    sidecar = Sidecar(Door(), BoxStream(far_end, lambda: None), lambda: "")
    listener = Listener(sidecar, NetworkPolicy(mode="allowlist"), "agent", lambda _attempt: None, overhear)
    listener.start(b"{}\n")
    listener.end()
    assert heads[:2] == ["GET http://1/\x00 HTTP/1.1\r\n\r\n", "GET http://2/\x00 HTTP/1.1\r\n\r\n"]
    answers = [json.loads(line) for line in bytes(far_end.sent).splitlines()]
    assert {"head": 1, "may_pass": True} in answers
    assert {"head": 2, "may_pass": False} in answers
    assert sum("head" in answer for answer in answers) == 2
