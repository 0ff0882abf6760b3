"""HTTP to a model provider: one POST, answered by a stream of server-sent events, under an idle and a total timeout."""

import contextlib
import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pydantic import JsonValue

from ay_bot.gateway.failures import CallFailed

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT = 20.0
ERROR_BODY = 64 * 1024
RINSE_TIME = 0.5
MAX_EVENT = 32 * 1024 * 1024
Event = dict[str, JsonValue]
Part = TypeVar("Part")


class OutOfTime(Exception):
    """An answer still comes after its total time; silence has a timeout of its own."""


class Wire(NamedTuple):
    """A request as it goes over the wire."""

    url: str
    headers: dict[str, str]
    body: bytes


class Answer:
    """A provider's answer, while its connection is open."""

    def __init__(self, response: "httpx.Response", deadline: float = math.inf) -> None:
        self._response = response
        self._parts = response.iter_bytes()
        self._deadline = deadline
        self.status = response.status_code
        self.headers = response.headers

    def text(self) -> str:
        """Return the beginning of the body."""
        return self._read(ERROR_BODY).decode("utf-8", "replace")

    def whole(self) -> Event:
        """Return the body of an answer that is one JSON object; anything else is malformed."""
        data = self._read(MAX_EVENT + 1)
        if len(data) > MAX_EVENT:
            raise malformed(f"the provider sent an answer of more than {MAX_EVENT} bytes")
        return parse_event(bytes(data))

    def _read(self, most: int) -> bytearray:
        read = bytearray()
        for part in self._parts:
            if time.monotonic() > self._deadline:
                raise OutOfTime
            read += part
            if len(read) >= most:
                break
        return read

    def events(self) -> Iterator[Event]:
        """Yield the JSON objects of an event stream up to its end or `[DONE]`; anything else is malformed."""
        for line in self._lines():
            if line.startswith(b"data:"):
                data = line[5:].strip()
                if data == b"[DONE]":
                    self._rinse()
                    return
                if data:
                    yield parse_event(data)
            elif line and not line.startswith((b":", b"event:", b"id:", b"retry:")):
                raise malformed(f"the provider sent no event stream but {line[:200].decode('utf-8', 'replace')!r}")

    def _lines(self) -> Iterator[bytes]:
        # Only \n ends a line here: httpx' own line splitting also cuts at U+2028 and the like inside of JSON strings.
        rest = bytearray()
        for part in self._parts:
            if time.monotonic() > self._deadline:
                raise OutOfTime
            rest += part
            *lines, tail = rest.split(b"\n")
            for line in lines:
                yield bytes(line.rstrip(b"\r"))
            rest = tail
            if len(rest) > MAX_EVENT:
                raise malformed(f"the provider sent a line of more than {MAX_EVENT} bytes")
        if rest:
            yield bytes(rest)

    def _rinse(self) -> None:
        """Read what follows the last event, for a moment at most: only then can the connection be used again."""
        import httpx

        limit = threading.Timer(RINSE_TIME, self._cut)
        limit.start()
        with contextlib.suppress(httpx.HTTPError):
            for _ in self._parts:
                pass
        limit.cancel()

    def _cut(self) -> None:
        stream = self._response.extensions.get("network_stream")
        channel: socket.socket | None = stream.get_extra_info("socket") if stream is not None else None
        if channel is not None:
            with contextlib.suppress(OSError):  # closed meanwhile
                channel.shutdown(socket.SHUT_RDWR)


def parse_event(data: bytes) -> Event:
    """Parse the data of one event."""
    try:
        event = json.loads(data)
    except ValueError:
        raise malformed(f"the provider sent an event that is not JSON: {data[:200]!r}") from None
    if not isinstance(event, dict):
        raise malformed(f"the provider sent an event that is not an object: {data[:200]!r}")
    return event


def malformed(message: str) -> CallFailed:
    """Return the failure of a stream that can't be understood."""
    return CallFailed("malformed", message, transient=True)


class Transport:
    """The connections to providers; safe to use from several threads."""

    def __init__(self, idle_timeout: float, total_timeout: float) -> None:
        import httpx

        self.idle_timeout = min(idle_timeout, total_timeout)
        self.total_timeout = total_timeout
        connect = min(CONNECT_TIMEOUT, self.idle_timeout)
        timeout = httpx.Timeout(self.idle_timeout, connect=connect)
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)
        self._patient = httpx.Timeout(total_timeout, connect=connect)

    @contextmanager
    def post(self, wire: Wire, *, patient: bool = False) -> Iterator[Answer]:
        """Send `wire` and give the answer as soon as its headers are here; `patient` takes silence for thinking."""
        import httpx

        patience = self._patient if patient else self._client.timeout
        deadline = time.monotonic() + self.total_timeout
        answered = False
        try:
            request = self._client.build_request(
                "POST", wire.url, headers=wire.headers, content=wire.body, timeout=patience
            )
            with contextlib.closing(self._send(request)) as response:
                answered = True
                yield Answer(response, deadline)
        except httpx.ConnectError as error:
            raise CallFailed("unreachable", f"no connection to {_origin(wire.url)}: {error}", transient=True) from None
        except httpx.ConnectTimeout:
            raise CallFailed("unreachable", f"no connection to {_origin(wire.url)} in time", transient=True) from None
        except OutOfTime:
            raise CallFailed("timeout", f"{_origin(wire.url)} was not done after {self.total_timeout:g} s") from None
        except httpx.TimeoutException:
            waited = self.total_timeout if patient else self.idle_timeout
            message = f"{_origin(wire.url)} sent nothing for {waited:g} s"
            raise CallFailed("timeout", message) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._broken(wire, error, answered=answered) from None

    def in_time(self, parts: Iterator[Part], whence: str) -> Iterator[Part]:
        """Yield what comes from somebody who knows no total time; when that is over, it is left to itself."""
        found: SimpleQueue[Part | Exception | None] = SimpleQueue()

        def take() -> None:
            try:
                for part in parts:
                    found.put(part)
                found.put(None)
            except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
                found.put(error)

        threading.Thread(target=take, daemon=True).start()
        deadline = time.monotonic() + self.total_timeout
        while True:
            try:
                part = found.get(timeout=max(deadline - time.monotonic(), 0.0))
            except Empty:
                raise CallFailed("timeout", f"{whence} was not done after {self.total_timeout:g} s") from None
            if part is None:
                return
            if isinstance(part, Exception):
                raise part
            yield part

    def _send(self, request: "httpx.Request") -> "httpx.Response":
        """Return the answer once its headers are here; headers that drip are left to a thread that nobody needs."""
        sent: Future[httpx.Response] = Future()

        def send() -> None:
            try:
                sent.set_result(self._client.send(request, stream=True))
            except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
                sent.set_exception(error)

        threading.Thread(target=send, daemon=True).start()
        try:
            return sent.result(self.total_timeout)
        except FutureTimeout:
            sent.add_done_callback(_close)
            raise OutOfTime from None

    def _broken(self, wire: Wire, error: Exception, *, answered: bool) -> CallFailed:
        import httpx

        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return CallFailed("configuration", f"the address {wire.url!r} can't be used: {error}")
        what = f"{_origin(wire.url)} broke the connection: {error}"
        return malformed(what) if answered else CallFailed("unreachable", what, transient=True)


def _close(sent: "Future[httpx.Response]") -> None:
    if sent.exception() is None:
        sent.result().close()


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
