"""The relay beside a box: what it takes for TLS and for a request, its budget, and what passes it."""

import ast
import asyncio
import contextlib
import io
import json
import ssl
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.egress.beside import relay
from ay_bot.host.egress.beside.budget import Budget, Refused
from ay_bot.host.egress.beside.client_hello import Incomplete, server_name
from ay_bot.host.egress.beside.holding import Holding
from ay_bot.host.egress.beside.relay import Relay
from ay_bot.host.egress.beside.requests import read_first_line
from ay_bot.host.egress.sidecar import BESIDE, MODULES


def hello(name: str) -> bytes:
    """Return what a real TLS client says first."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


HELLO = hello("registry.example.org")


def in_records(message: bytes, size: int) -> bytes:
    """Return a hello cut into records of a size."""
    body = message[5:]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)


def test_the_name_in_a_hello_is_read() -> None:
    assert server_name(HELLO) == "registry.example.org"
    assert server_name(hello("Registry.Example.ORG")) == "registry.example.org"


@pytest.mark.parametrize("size", [1, 3, 50, 16384])
def test_a_hello_may_come_in_many_records(size: int) -> None:
    assert server_name(in_records(HELLO, size)) == "registry.example.org"


@given(st.integers(min_value=0, max_value=len(HELLO) - 1))
def test_a_hello_that_is_not_whole_waits_for_more(size: int) -> None:
    with pytest.raises(Incomplete):
        server_name(HELLO[:size])


@given(st.binary(max_size=300))
def test_what_is_no_hello_names_nobody(data: bytes) -> None:
    with contextlib.suppress(Incomplete, ValueError):
        server_name(data)


@given(st.integers(min_value=5, max_value=len(HELLO) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_hello_is_read_or_refused(at: int, piece: bytes) -> None:
    with contextlib.suppress(Incomplete, ValueError):
        assert isinstance(server_name(HELLO[:at] + piece + HELLO[at + len(piece) :]), str)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"SSH-2.0-x\r\n", b"\x17\x03\x03\x00\x01a", b"\x16\x02\x00"])
def test_other_protocols_are_refused_at_their_first_bytes(data: bytes) -> None:
    with pytest.raises(ValueError, match="no TLS"):
        server_name(data)


def head(line: bytes) -> bytes:
    return line + b"\r\nHost: a.example\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        head(b"get http://a.example/ HTTP/1.1"), head(b"GET  http://a.example/ HTTP/1.1"), head(b" GET http://a.example/ HTTP/1.1"),
        head(b"\r\nGET http://a.example/ HTTP/1.1"), head(b"GET http://a.example/"), head(b"GET http://a.example/ HTTP/0.9"),
        head(b"GET http://a.example/ HTTP/2.0"), head(b"GET http://a.example/\x00 HTTP/1.1"),
        head(b"GET http://a.example/\xe9 HTTP/1.1"), head(b"CONNECT a.example HTTP/1.1"), head(b"CONNECT a.example:443/ HTTP/1.1"),
        head(b"CONNECT a@b.example:443 HTTP/1.1"), head(b"CONNECT [::1]:443 HTTP/1.1"),
        b"GET http://a.example/ HTTP/1.1\nHost: a\r\n\r\n", b"GET http://a.example/ HTTP/1.1\r\nX: a\n\nGET /\r\n\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nX: a\rY: b\r\n\r\n",
    ],
)  # fmt: skip
def test_a_line_that_could_be_read_in_two_ways_is_refused(data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused):
        read_first_line(data)
    assert json.loads(capsys.readouterr().out)["rule"] == "form"


def test_plain_requests_and_tunnels_are_told_apart() -> None:
    assert read_first_line(head(b"GET http://a.example/x?y HTTP/1.1")) == ("GET", "http://a.example/x?y")
    assert read_first_line(head(b"CONNECT a.example:443 HTTP/1.1")) == ("CONNECT", "a.example:443")


@given(st.lists(st.tuples(st.sampled_from(["sent", "received"]), st.integers(0, 400)), max_size=20))
def test_no_byte_more_than_the_budget_passes(takes: list[tuple[str, int]]) -> None:
    budget = Budget({"sent": 500, "received": 700}, 10)
    passed = {"sent": 0, "received": 0}
    with contextlib.redirect_stdout(io.StringIO()):
        for direction, size in takes:
            try:
                budget.take(direction, size)
            except Refused:
                break
            passed[direction] += size
    assert budget.passed == passed
    assert passed["sent"] <= 500
    assert passed["received"] <= 700


def test_the_end_of_a_budget_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget({"sent": 10, "received": 10}, 2)
    budget.connect()
    for _ in range(3):
        with pytest.raises(Refused, match="max_sent"):
            budget.take("sent", 11)
    with pytest.raises(Refused, match="max_sent"):
        budget.connect()
    assert [json.loads(line)["rule"] for line in capsys.readouterr().out.splitlines()] == ["max_sent"]


def test_connections_are_counted_too(capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget({"sent": 10, "received": 10}, 2)
    budget.connect()
    budget.connect()
    with pytest.raises(Refused, match="connections"):
        budget.connect()
    assert "connections" in capsys.readouterr().out


GREETING = b"PROXY TCP4 1.2.3.4 5.6.7.8 1024 9\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    socket = tmp_path / "s"
    monkeypatch.setattr(relay, "SOCKET", str(socket))
    return socket


class LettingPass:
    """A host that lets everything pass."""

    async def ask(self, head: bytes) -> None:
        await asyncio.sleep(0)


async def through(
    place: Path, proxy: Talk, talk: Talk, *, most: int = 1 << 30, holding: object = LettingPass()
) -> Budget:
    """Let a client talk to a stand-in for the proxy through a relay."""
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    budget = Budget({"sent": most, "received": most}, 1000)
    tested = Relay(budget, GREETING, server.sockets[0].getsockname()[1])
    tested.holding = cast("Holding", holding)
    await tested.serve()
    reader, writer = await asyncio.open_unix_connection(str(place))
    try:
        async with asyncio.timeout(10):
            await talk(reader, writer)
    finally:
        writer.close()
        await tested.end()
        server.close()
    return budget


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def test_bytes_pass_both_ways_and_are_counted(place: Path) -> None:
    request = head(b"POST http://a.example/ HTTP/1.1")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request)
        assert await reader.readexactly(len(GREETING + request)) == GREETING + request
        writer.write(b"x" * 300_000)
        assert await reader.readexactly(300_000) == b"x" * 300_000

    budget = asyncio.run(through(place, echo, talk))
    assert budget.passed["sent"] == len(request) + 300_000
    assert budget.passed["received"] == len(GREETING + request) + 300_000


def test_a_tunnel_carries_tls_for_its_own_host_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    got = bytearray()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        while data := await reader.read(1 << 16):
            got.extend(data)
            writer.write(b"back")
        writer.close()

    def asks(host: str, first: bytes) -> bytes:
        got.clear()
        back = bytearray()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(head(f"CONNECT {host}:443 HTTP/1.1".encode()))
            await reader.readuntil(b"\r\n\r\n")
            for at in range(0, len(first), 100):
                writer.write(first[at : at + 100])
                await writer.drain()
            back.extend(await reader.read(4))

        asyncio.run(through(place, proxy, talk))
        return bytes(back)

    assert asks("Registry.Example.org.", HELLO) == b"back"
    assert bytes(got) == HELLO
    for host, first in (
        ("other.example.org", HELLO),
        ("registry.example.org", b"GET / HTTP/1.1\r\n\r\n"),
        ("registry.example.org", b"\x16\x03\x01" + b"\x40\x00" + b"\x02" * 300),
    ):
        assert asks(host, first) == b""
        assert not got
        said = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert said["rule"] == "tls_name"
        assert (said["host"], said["port"]) == (host, 443)


def test_what_is_over_the_budget_does_not_pass(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    got = bytearray()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                got.extend(data)
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(b"POST http://a.example/ HTTP/1.1") + b"x" * 5_000)
        assert await reader.read() == b""

    asyncio.run(through(place, proxy, talk, most=1_000))
    assert len(got) <= 1_000 + len(GREETING)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["rule"] == "max_sent"


def test_a_refused_request_is_answered_in_words(place: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"METHOD http://HOST/" in answer

    asyncio.run(through(place, echo, talk))


def told(said: str, kind: str) -> list[dict[str, object]]:
    """Return what the relay told of a kind."""
    lines = (json.loads(line) for line in said.splitlines())
    return [line for line in lines if line["kind"] == kind]


def test_at_28_nothing_of_a_request_passes_before_the_host_has_looked_at_its_head(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holding, got = Holding(), bytearray()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.read(1 << 16))
        writer.write(b"answer")
        writer.close()

    async def ask(may_pass: bool) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(place))
        writer.write(head(b"GET http://a.example/ HTTP/1.1"))
        while not (heads := told(capsys.readouterr().out, "head")):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert not got
        assert holding.hear(json.dumps({"head": heads[0]["number"], "may_pass": may_pass}).encode())
        answer = await reader.read()
        writer.close()
        return answer

    async def talk(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        assert b" 403 " in await ask(False)
        assert not got
        (refused,) = told(capsys.readouterr().out, "refused")
        assert refused["rule"] == "leak"
        assert await ask(True) == b"answer"
        assert b"GET http://a.example/ " in got

    asyncio.run(through(place, proxy, talk, holding=holding))


@pytest.mark.parametrize("line", [b"", b"{}"])
def test_the_host_ends_the_relay_with_an_empty_line_or_its_own_end(line: bytes) -> None:
    assert not Holding().hear(line)
    assert Holding().hear(b'{"head": 7, "may_pass": true}'), "nobody waits for that any more"


def test_a_head_without_end_is_refused(place: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(b"GET http://a.example/ HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
            await writer.drain()
        with contextlib.suppress(ConnectionError):
            assert b" 403 " in await reader.read()

    asyncio.run(through(place, echo, talk))


def test_more_connections_at_once_than_there_may_be_are_turned_away(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MOST_AT_ONCE", 3)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        others = [await asyncio.open_unix_connection(str(place)) for _ in range(6)]
        answers = [await asyncio.wait_for(one.read(20), 5) for one, _ in others[-3:]]
        assert all(b" 503 " in answer for answer in answers)
        for _, other in others:
            other.close()

    asyncio.run(through(place, echo, talk))


def test_the_program_needs_nothing_but_the_standard_library_and_what_comes_before() -> None:
    assert {path.stem for path in BESIDE.glob("*.py")} == {*MODULES, "__init__"}
    for number, name in enumerate(MODULES):
        tree = ast.parse((BESIDE / f"{name}.py").read_text())
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for imported in names:
                own = imported.removeprefix("ay_bot.host.egress.beside.")
                assert own in MODULES[:number] if own != imported else imported.split(".")[0] in sys.stdlib_module_names
