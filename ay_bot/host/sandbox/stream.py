"""The host's end of a pipe to a box: reads in the caller's thread, writes in one of its own.

With one thread for both, a host that sends much while the box sends much waits for ever.
"""

import contextlib
import queue
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

CHUNK = 256 * 1024
TOGETHER = 32 * 1024  # so much of small messages is sent at once
ERROR_TAIL = 16 * 1024


class Transport(Protocol):
    """A way to a box: a socket to an engine, or a pair of pipes."""

    def receive(self, size: int) -> bytes:
        """Return what the box wrote, up to `size` bytes; nothing at the end. OSError counts as the end."""
        ...

    def send(self, data: memoryview) -> None:
        """Write all of `data`; OSError when the box is gone."""
        ...

    def shut(self) -> None:
        """End both directions now; receive and send that wait in other threads return."""
        ...


class SocketTransport:
    """A connected socket whose far end is the input and output of a box's first process."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def receive(self, size: int) -> bytes:
        """Return what the box wrote."""
        return self._socket.recv(size)

    def send(self, data: memoryview) -> None:
        """Write all of `data`."""
        self._socket.sendall(data)

    def shut(self) -> None:
        """Shut both directions."""
        self._socket.shutdown(socket.SHUT_RDWR)


class Tail:
    """The last bytes of a stream that is for people: a box's stderr."""

    def __init__(self, limit: int = ERROR_TAIL) -> None:
        self._limit = limit
        self._parts: deque[bytes] = deque()
        self._size = 0

    def add(self, data: bytes) -> None:
        """Take more bytes, and forget the oldest."""
        data = data[-self._limit :]
        self._parts.append(data)
        self._size += len(data)
        while self._size - len(self._parts[0]) >= self._limit:
            self._size -= len(self._parts.popleft())

    def text(self) -> str:
        """Return what is kept."""
        return b"".join(self._parts).decode("utf-8", "backslashreplace").strip()


class BoxStream:
    """A ByteStream over a transport. At an end that nobody asked for, `explain` may raise why."""

    def __init__(self, transport: Transport, explain: Callable[[], None]) -> None:
        self._transport = transport
        self._explain = explain
        self._waiting: queue.SimpleQueue[bytes | memoryview | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write_all, name="box-writer", daemon=True)
        self._writer.start()

    def read(self, size: int) -> bytes:
        """Return what the box wrote; nothing once it is gone."""
        data = b""
        with contextlib.suppress(OSError, ValueError):
            data = self._transport.receive(size)
        if not data:
            expected = self._ended.is_set()
            self.end()
            if not expected:
                self._explain()
        return data

    def write(self, data: bytes | memoryview) -> None:
        """Queue `data`, which must stay as it is until the box has answered."""
        self._waiting.put(data)

    def end(self) -> None:
        """Shut the transport, from any thread; whoever waits on it returns, and nothing that was queued is kept."""
        if not self._ended.is_set():
            self._ended.set()
            with contextlib.suppress(OSError):
                self._transport.shut()
            self._waiting.put(None)
        if threading.current_thread() is not self._writer:
            self._writer.join(timeout=5)

    def _write_all(self) -> None:
        while (data := self._waiting.get()) is not None:
            more: bytes | memoryview | None = b""
            if isinstance(data, bytes) and len(data) < TOGETHER:
                data, more = self._join(data)
            with contextlib.suppress(OSError, ValueError):  # the reader finds out that the box is gone
                self._write(data)
                if more:
                    self._write(more)
            if more is None:
                return
            del data, more  # whoever lent the buffer may want to close it

    def _join(self, first: bytes) -> tuple[bytes, bytes | memoryview | None]:
        """Take the small pieces that wait behind `first`, to be sent at once; and the one after them, if it is not."""
        parts, size = [first], len(first)
        while size < TOGETHER:
            try:
                piece = self._waiting.get_nowait()
            except queue.Empty:
                break
            if not isinstance(piece, bytes) or len(piece) >= TOGETHER:
                return b"".join(parts), piece
            parts.append(piece)
            size += len(piece)
        return b"".join(parts), b""

    def _write(self, data: bytes | memoryview) -> None:
        with memoryview(data) as whole:
            for start in range(0, len(whole), CHUNK):
                if self._ended.is_set():
                    return
                with whole[start : start + CHUNK] as part:
                    self._transport.send(part)
