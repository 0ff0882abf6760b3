"""The channel that carries messages over a pair of byte streams: one line of JSON each, then raw bytes if announced.

Bounds are enforced before anything is parsed: a line longer than `max_line` or a body longer than `max_body` ends
the channel with ProtocolBroken. The channel itself has no threads; a driver whose far side can block in a write
(the box) must have a reader of its own, or two full pipes deadlock.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ay_bot.errors import ProtocolBroken
from ay_bot.protocol.plain import Plain, write_plain

if TYPE_CHECKING:  # a box that only runs tests has no pydantic in memory
    from pydantic import BaseModel

MAX_LINE = 32 * 1024 * 1024
MAX_BODY = 1024 * 1024 * 1024
CHUNK = 256 * 1024

Incoming = TypeVar("Incoming", bound="Plain | BaseModel")
Incoming_co = TypeVar("Incoming_co", bound="Plain | BaseModel", covariant=True)


class Reader(Protocol[Incoming_co]):
    """What makes messages of lines: a TypeAdapter of a union, or a PlainReader."""

    def validate_json(self, line: bytes, /) -> Incoming_co:
        """Return the message. Raises ValueError (pydantic's ValidationError is one)."""
        ...


class ByteStream(Protocol):
    """The far end of a pipe, blocking both ways."""

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, or none at the end of the stream."""
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`."""
        ...


class Closed(Exception):
    """The far side closed the stream between two messages."""


class Body:
    """The raw bytes that follow a message, read as a file is."""

    def __init__(self, read_some: Callable[[int], bytes], size: int) -> None:
        self._read_some = read_some
        self.remaining = size
        self._size = size

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or all that is left; fewer only at the end of the body."""
        wanted = self.remaining if size < 0 else min(size, self.remaining)
        parts = bytearray()
        while len(parts) < wanted:
            data = self._read_some(min(CHUNK, wanted - len(parts)))
            if not data:
                msg = f"the stream ended inside a body, {self.remaining - len(parts)} of {self._size} bytes short"
                raise ProtocolBroken(msg)
            parts += data
        self.remaining -= wanted
        return bytes(parts)

    def drain(self) -> None:
        """Read what is left and throw it away."""
        while self.remaining:
            self.read(CHUNK)


def line_of(message: "Plain | BaseModel") -> bytes:
    """Return a message as it is sent, without its body."""
    text = write_plain(message) if isinstance(message, Plain) else message.model_dump_json()
    return text.encode() + b"\n"


class Channel(Generic[Incoming]):
    """Sends any message, receives messages of the one union that the far side may send."""

    def __init__(
        self, stream: ByteStream, incoming: Reader[Incoming], *, max_line: int = MAX_LINE, max_body: int = MAX_BODY
    ) -> None:
        self._stream = stream
        self._incoming = incoming
        self._max_line = max_line
        self._max_body = max_body
        self._buffer = bytearray()
        self._write_lock = threading.Lock()

    def send(self, message: "Plain | BaseModel", body: bytes | memoryview = b"") -> None:
        """Write a message, and its body where it announces one."""
        announced = getattr(message, "body_size", 0)
        if announced != len(body):
            msg = f"{type(message).__name__} announces {announced} bytes, but its body has {len(body)}"
            raise ValueError(msg)
        line = line_of(message)
        with self._write_lock:
            self._stream.write(line)
            if body:
                self._stream.write(body)

    def send_together(self, messages: "Sequence[Plain | BaseModel]") -> None:
        """Write several messages, none of which has a body, at once: the far side wakes up but once."""
        lines = b"".join(map(line_of, messages))
        with self._write_lock:
            self._stream.write(lines)

    def receive(self) -> tuple[Incoming, bytes]:
        """Read the next message and its whole body (empty for most). Raises Closed or ProtocolBroken."""
        message, body = self.receive_streaming()
        return message, body.read()

    def receive_streaming(self) -> tuple[Incoming, "Body"]:
        """Read the next message; its body is read by the caller, all of it, before the next receive."""
        line = self._read_line()
        try:
            message = self._incoming.validate_json(line)
        except (ValueError, RecursionError) as error:
            what = line[:200].decode("utf-8", "replace")
            msg = f"a message that the protocol does not know: {what!r} ({_reason(error)})"
            raise ProtocolBroken(msg) from None
        size = getattr(message, "body_size", 0)
        if not 0 <= size <= self._max_body:
            msg = f"a body of {size} bytes; at most {self._max_body} are allowed"
            raise ProtocolBroken(msg)
        return message, Body(self._read_some, size)

    def has_message(self) -> bool:
        """Say whether the next message is here already, at least up to its body."""
        return b"\n" in self._buffer

    def _read_some(self, size: int) -> bytes:
        if self._buffer:
            data = bytes(self._buffer[:size])
            del self._buffer[: len(data)]
            return data
        return self._stream.read(size)

    def _read_line(self) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > self._max_line:
                msg = f"a message of more than {self._max_line} bytes"
                raise ProtocolBroken(msg)
            data = self._stream.read(CHUNK)
            if not data:
                if self._buffer:
                    msg = f"the stream ended inside a message, after {len(self._buffer)} bytes"
                    raise ProtocolBroken(msg)
                raise Closed
            self._buffer += data
        if end > self._max_line:
            msg = f"a message of {end} bytes; at most {self._max_line} are allowed"
            raise ProtocolBroken(msg)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line


def _reason(error: Exception) -> str:
    listed = getattr(error, "errors", None)  # pydantic's, whose text names the types of ours
    return str(listed()[0]["msg"] if listed else error)
