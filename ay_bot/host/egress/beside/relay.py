"""The relay: it carries what a box says on its door's socket to the proxy, and back, within the budget."""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Final, NoReturn

from ay_bot.host.egress.beside.budget import Budget, Refused
from ay_bot.host.egress.beside.holding import Holding
from ay_bot.host.egress.beside.requests import (
    CHUNK,
    IDLE_SECONDS,
    LONGEST_HEAD,
    answer,
    read_first_line,
    read_head,
    read_hello,
)
from ay_bot.host.egress.beside.telling import tell

SOCKET: Final = "/run/ay/proxy.sock"
HEAD_SECONDS: Final = 20.0
MOST_AT_ONCE: Final = 128


class Relay:
    """Carries what boxes say on the socket to the proxy, one request for each connection, within the budget."""

    def __init__(self, budget: Budget, greeting: bytes, port: int, *, loose: bool = False) -> None:
        self._budget = budget
        self._port = port
        self._loose = loose
        self._greeting = greeting
        self._open: set[asyncio.Task[None]] = set()
        self.holding = Holding()

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
                await answer(writer, 503, "too many connections at once")
                return
            self._open.add(task)
            await self._carry(reader, writer)
        except Refused as refused:
            with contextlib.suppress(OSError):
                await answer(writer, 403, f"ay-bot's network policy refuses this: {refused}")
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, method, target = b"", "", ""
        if not self._loose:
            head = await asyncio.wait_for(read_head(reader), HEAD_SECONDS)
            await self.holding.ask(head)
            method, target = read_first_line(head)
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
        name, start = await read_hello(reader)
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
