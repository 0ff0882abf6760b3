"""The program beside a box with a door: it starts the proxy, and counts and bounds all that passes the socket.

It runs alone, outside of the box, as `python3 -I -S -B -c SOURCE`: only the standard library. The first line of its
input says what to do, the end of its input ends it; its output is a line of JSON for each thing that happened.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final, NoReturn

CONFIG: Final = "/tmp/squid.conf"  # noqa: S108 - in a container of its own
HOSTS: Final = "/tmp/hosts"  # noqa: S108
SOCKET: Final = "/run/ay/proxy.sock"
PROXY_PORT: Final = "@PORT@"  # in the configuration
CHUNK: Final = 128 * 1024
LONGEST_HEAD: Final = 32 * 1024
LONGEST_LINE: Final = 256 * 1024
LONGEST_HELLO: Final = 64 * 1024
HEAD_SECONDS: Final = 20.0
IDLE_SECONDS: Final = 600.0
START_SECONDS: Final = 20.0
MOST_AT_ONCE: Final = 128
END_SECONDS: Final = 0.25
FIRST_LINE: Final = re.compile(rb"([A-Z]{3,16}) ([!-~]{1,16384}) HTTP/1\.[01]\r\n")
CONNECT_TARGET: Final = re.compile(rb"([A-Za-z0-9._-]{1,253}):([0-9]{1,5})")


class Refused(Exception):
    """A connection that is not carried on: the rule, and what it asked for."""

    def __init__(self, rule: str, host: str = "", port: int = 0, method: str = "") -> None:
        super().__init__(rule)
        self.asked = {"rule": rule, "host": host, "port": port, "method": method}


class Incomplete(Exception):
    """More bytes are needed."""


def tell(kind: str, **said: object) -> None:
    """Tell the host of something."""
    line = json.dumps({"kind": kind, **said}, separators=(",", ":")) + "\n"
    sys.stdout.write(line)
    sys.stdout.flush()


def server_name(data: bytes) -> str:
    """Return the name that a TLS client asks for, in small letters. Raises Incomplete, or ValueError."""
    hello = _Reader(_handshake(data))
    hello.skip(2 + 32)  # version, random
    hello.skip(hello.number(1))  # session
    hello.skip(hello.number(2))  # ciphers
    hello.skip(hello.number(1))  # compression
    extensions = _Reader(hello.take(hello.number(2)))
    while extensions.left():
        kind, content = extensions.number(2), extensions.take(extensions.number(2))
        if kind == 0:
            names = _Reader(content)
            names.skip(2)
            if names.number(1) != 0:
                raise ValueError("a name that is no host name")
            return names.take(names.number(2)).decode("ascii").lower()
    raise ValueError("no name")


def _handshake(data: bytes) -> bytes:
    """Return the first handshake message, which must be a client's hello, out of one or more records."""
    message = bytearray()
    at = 0
    while True:
        if data[at : at + 1] not in (b"", b"\x16") or data[at + 1 : at + 2] not in (b"", b"\x03"):
            raise ValueError("no TLS")
        if len(message) >= 4 and len(message) >= (length := int.from_bytes(message[1:4], "big")) + 4:
            return bytes(message[4 : length + 4])
        if len(data) < at + 5:
            raise Incomplete
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        message += data[at + 5 : at + 5 + size]
        if message and message[0] != 1:
            raise ValueError("no hello")
        if len(data) < at + 5 + size:
            if len(message) < 4 or len(message) < int.from_bytes(message[1:4], "big") + 4:
                raise Incomplete
            continue
        at += 5 + size


class _Reader:
    """Bytes that are taken from the front; too few is a ValueError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if self.left() < size:
            raise ValueError("cut short")
        self._at += size
        return self._data[self._at - size : self._at]

    def skip(self, size: int) -> None:
        self.take(size)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


class Budget:
    """The bytes that may still pass, and whether somebody was told that they are spent."""

    def __init__(self, most: dict[str, int], most_connections: int) -> None:
        self.most = most
        self.passed = dict.fromkeys(most, 0)
        self.spent = ""
        self.connections = 0
        self._most_connections = most_connections

    def take(self, direction: str, size: int) -> None:
        """Count bytes before they pass. Raises Refused once there are too many."""
        if self.spent or self.passed[direction] + size > self.most[direction]:
            self._end(f"max_{direction}")
            raise Refused(self.spent)
        self.passed[direction] += size

    def connect(self) -> None:
        """Count a connection."""
        self.connections += 1
        if self.connections > self._most_connections:
            self._end("connections")
        if self.spent:
            raise Refused(self.spent)

    def _end(self, what: str) -> None:
        if not self.spent:
            self.spent = what
            tell("refused", rule=what, host="", port=0, method="")


class Relay:
    """Carries what boxes say on the socket to the proxy, one request for each connection, within the budget."""

    def __init__(self, budget: Budget, greeting: bytes, port: int, *, loose: bool = False) -> None:
        self._budget = budget
        self._port = port
        self._loose = loose
        self._greeting = greeting
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Listen on the socket."""
        server = await asyncio.start_unix_server(self._accept, SOCKET, limit=LONGEST_HEAD, backlog=2 * MOST_AT_ONCE)
        Path(SOCKET).chmod(0o666)
        self._server = server

    async def end(self) -> None:
        """End every connection."""
        self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        try:
            if len(self._open) >= MOST_AT_ONCE:
                await _answer(writer, 503, "too many connections at once")
                return
            self._open.add(task)
            await self._carry(reader, writer)
        except Refused as refused:
            with contextlib.suppress(OSError):
                await _answer(writer, 403, f"ay-bot's network policy refuses this: {refused}")
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, method, target = b"", "", ""
        if not self._loose:
            head = await asyncio.wait_for(_read_head(reader), HEAD_SECONDS)
            tell("head", text=head.decode("latin-1"))
            method, target = _first_line(head)
        self._budget.connect()  # who is turned away before what was said is read never sees the answer
        self._budget.take("sent", len(head))
        upstream, proxy = await asyncio.open_connection("127.0.0.1", self._port, limit=CHUNK)
        try:
            proxy.write(self._greeting + head)
            await proxy.drain()
            answering = self._pump(upstream, writer, "received")
            if method == "CONNECT":
                await _first_of(self._send_tunnel(reader, proxy, target), answering)
            else:  # who asked may have said all that it has to say
                await _first_of(answering, beside=self._pump(reader, proxy, "sent"))
        finally:
            proxy.close()

    async def _send_tunnel(self, reader: asyncio.StreamReader, proxy: asyncio.StreamWriter, target: str) -> None:
        """Carry a tunnel once its first bytes are TLS for the very host that was asked for."""
        host, _, port = target.rpartition(":")
        name, start = await _read_hello(reader)
        if not start:
            return
        if name.removesuffix(".") != host.lower().removesuffix("."):
            self._refuse("tls_name", host, int(port))
        self._budget.take("sent", len(start))
        proxy.write(start)
        await proxy.drain()
        await self._pump(reader, proxy, "sent")

    def _refuse(self, rule: str, host: str, port: int) -> NoReturn:
        tell("refused", rule=rule, host=host, port=port, method="CONNECT")
        raise ConnectionAbortedError(rule)  # inside a tunnel nobody understands an answer

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str) -> None:
        while data := await asyncio.wait_for(reader.read(CHUNK), IDLE_SECONDS):
            try:
                self._budget.take(direction, len(data))
            except Refused as refused:
                raise ConnectionAbortedError(str(refused)) from None
            writer.write(data)
            await writer.drain()


async def _first_of(*ways: Coroutine[None, None, None], beside: Coroutine[None, None, None] | None = None) -> None:
    """Carry on until one of `ways` ends, or what goes on beside them fails, and end the others."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    others = [asyncio.ensure_future(beside)] if beside else []
    left = {*tasks, *others}
    try:
        while not any(task.done() for task in tasks):
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (*tasks, *others):
            task.cancel()
        await asyncio.gather(*tasks, *others, return_exceptions=True)


async def _read_hello(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return the name that a TLS client asks for ("" for none), and all that was read until it was known."""
    start = b""
    while len(start) < LONGEST_HELLO and (more := await asyncio.wait_for(reader.read(CHUNK), IDLE_SECONDS)):
        start += more
        try:
            return server_name(start), start
        except Incomplete:
            continue
        except ValueError:
            break
    return "", start


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        tell("refused", rule="form", host="", port=0, method="")
        raise Refused("the head of the request is too long") from None


def _first_line(head: bytes) -> tuple[str, str]:
    """Return the method and the target. Raises Refused for a line that somebody else might read in another way."""
    found = FIRST_LINE.match(head)
    lone = head.replace(b"\r\n", b"")
    if (
        not found
        or b"\n" in lone
        or b"\r" in lone
        or (found[1] == b"CONNECT" and not CONNECT_TARGET.fullmatch(found[2]))
    ):
        shown = head.partition(b"\r\n")[0][:200].decode("ascii", "backslashreplace")
        tell("refused", rule="form", host=shown, port=0, method="")
        raise Refused("this is no request for a proxy: METHOD http://HOST/… HTTP/1.1, or CONNECT HOST:443 HTTP/1.1")
    return found[1].decode(), found[2].decode()


async def _answer(writer: asyncio.StreamWriter, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _start_program(source: str) -> None:
    """Start what an experiment brings as its target, and wait until it says that it is ready."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        "-B",
        "-c",
        source,
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        env={},
    )
    if program.stdout is None or not await program.stdout.readline():
        raise SystemExit("the experiment's program ended at its start")
    _kept.append(asyncio.ensure_future(_listen(program.stdout, lambda line: tell("target", line=line))))


async def _start_squid(environment: dict[str, str]) -> asyncio.subprocess.Process:
    squid = await asyncio.create_subprocess_exec(
        "/usr/sbin/squid", "-N", "-f", CONFIG, stdin=asyncio.subprocess.DEVNULL, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
    )  # fmt: skip
    _kept.append(asyncio.ensure_future(_listen(squid.stderr, _complain)))
    _kept.append(asyncio.ensure_future(_listen(squid.stdout, lambda line: tell("log", line=line))))
    return squid


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


async def _listen(stream: asyncio.StreamReader | None, hear: Callable[[str], None]) -> None:
    """Hear each line of a stream; what is longer than any line may be is left out."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        hear(line.decode("utf-8", "replace").rstrip("\n"))


_kept: list["asyncio.Future[object]"] = []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _wait_for(squid: asyncio.subprocess.Process, port: int) -> None:
    """Return when the proxy, and nobody else on this machine, listens at its port."""
    for _ in range(int(START_SECONDS / 0.01)):
        if squid.returncode is not None:
            raise SystemExit(f"squid ended at its start with {squid.returncode}")
        if (number := _listener(port)) and number in _sockets(squid.pid):
            return
        await asyncio.sleep(0.01)
    raise SystemExit("squid did not start in time")


def _listener(port: int) -> str:
    """Return the number of the socket that listens at a port of 127.0.0.1."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == f"0100007F:{port:04X}" and fields[3] == "0A":
            return fields[9]
    return ""


def _sockets(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(entry).removeprefix("socket:[").removesuffix("]"))  # noqa: PTH115 - no path
    return found


async def _next_command() -> bytes:
    """Return the next line of the input, nothing at its end. The input stays blocking: it may be the output too."""
    return await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.readline)


async def main() -> None:
    """Do what the first line says until the input ends."""
    start = json.loads(await _next_command())
    port = _free_port()
    Path(CONFIG).write_text(start["config"].replace(PROXY_PORT, str(port)), encoding="ascii")
    Path(HOSTS).write_text(start["hosts"], encoding="ascii")
    if start["program"]:
        await _start_program(start["program"])
    squid = await _start_squid({"PATH": "/usr/sbin:/usr/bin", "LANG": "C"})
    await _wait_for(squid, port)
    budget = Budget({"sent": start["max_sent"], "received": start["max_received"]}, start["max_connections"])
    relay = Relay(budget, start["greeting"].encode("ascii"), port, loose=start["loose"])
    await relay.serve()
    tell("ready")
    ended: asyncio.Future[object] = asyncio.ensure_future(squid.wait())
    told: asyncio.Future[object] = asyncio.ensure_future(_next_command())
    await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
    await relay.end()
    if squid.returncode is None:
        squid.send_signal(signal.SIGTERM)
        await asyncio.wait({ended, *_kept[-1:]}, timeout=END_SECONDS)
    tell("total", **budget.passed, connections=budget.connections)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)
