"""HTTP to a model provider: one POST, answered by a stream of server-sent events, under an idle and a total timeout."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from pydantic import JsonValue

from ay_bot.gateway.failures import CallFailed

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT = 20.0
ERROR_BODY = 64 * 1024
MAX_EVENT = 32 * 1024 * 1024
Event = dict[str, JsonValue]


class Wire(NamedTuple):
    """A request as it goes over the wire."""

    url: str
    headers: dict[str, str]
    body: bytes


class Answer:
    """A provider's answer, while its connection is open."""

    def __init__(self, response: "httpx.Response") -> None:
        self._response = response
        self.status = response.status_code
        self.headers = response.headers

    def text(self) -> str:
        """Return the beginning of the body."""
        read = bytearray()
        for part in self._response.iter_bytes():
            read += part
            if len(read) >= ERROR_BODY:
                break
        return read.decode("utf-8", "replace")

    def events(self) -> Iterator[Event]:
        """Yield the JSON objects of an event stream up to its end or `[DONE]`; anything else is malformed."""
        for line in self._lines():
            if line.startswith(b"data:"):
                data = line[5:].strip()
                if data == b"[DONE]":
                    return
                if data:
                    yield parse_event(data)
            elif line and not line.startswith((b":", b"event:", b"id:", b"retry:")):
                raise malformed(f"the provider sent no event stream but {line[:200].decode('utf-8', 'replace')!r}")

    def _lines(self) -> Iterator[bytes]:
        # Only \n ends a line here: httpx' own line splitting also cuts at U+2028 and the like inside of JSON strings.
        rest = bytearray()
        for part in self._response.iter_bytes():
            rest += part
            *lines, tail = rest.split(b"\n")
            for line in lines:
                yield bytes(line.rstrip(b"\r"))
            rest = tail
            if len(rest) > MAX_EVENT:
                raise malformed(f"the provider sent a line of more than {MAX_EVENT} bytes")
        if rest:
            yield bytes(rest)


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
        self._total = total_timeout
        timeout = httpx.Timeout(self.idle_timeout, connect=min(CONNECT_TIMEOUT, self.idle_timeout))
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)

    @contextmanager
    def post(self, wire: Wire) -> Iterator[Answer]:
        """Send `wire` and give the answer as soon as its headers are here."""
        import httpx

        clock = _Clock(self._total)
        try:
            with self._client.stream("POST", wire.url, headers=wire.headers, content=wire.body) as response:
                clock.watch(response)
                yield Answer(response)
        except httpx.ConnectError as error:
            raise CallFailed("unreachable", f"no connection to {_origin(wire.url)}: {error}", transient=True) from None
        except httpx.ConnectTimeout:
            raise CallFailed("unreachable", f"no connection to {_origin(wire.url)} in time", transient=True) from None
        except httpx.TimeoutException:
            message = f"{_origin(wire.url)} sent nothing for {self.idle_timeout:g} s"
            raise CallFailed("timeout", message) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._broken(clock, wire, error) from None
        finally:
            clock.stop()

    def _broken(self, clock: "_Clock", wire: Wire, error: Exception) -> CallFailed:
        if clock.ended:
            return CallFailed("timeout", f"{_origin(wire.url)} was not done after {self._total:g} s")
        import httpx

        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return CallFailed("configuration", f"the address {wire.url!r} can't be used: {error}")
        what = f"{_origin(wire.url)} broke the connection: {error}"
        return malformed(what) if clock.watching else CallFailed("unreachable", what, transient=True)


class _Clock:
    """Ends a response that takes longer than allowed: a socket that is shut down wakes the thread that reads it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self.ended = False
        self.watching = False

    def watch(self, response: "httpx.Response") -> None:
        self.watching = True
        stream = response.extensions.get("network_stream")
        channel = stream.get_extra_info("socket") if stream is not None else None
        if channel is None:
            return
        self._timer = threading.Timer(self._seconds, self._end, (channel,))
        self._timer.daemon = True
        self._timer.start()

    def _end(self, channel: socket.socket) -> None:
        self.ended = True
        try:
            channel.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed meanwhile

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
