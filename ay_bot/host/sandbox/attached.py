"""The attach stream of a container, as Docker engines frame it."""

import socket
import struct
from typing import Final

from ay_bot.host.sandbox.stream import Tail

FRAME: Final = struct.Struct(">BxxxI")
STDERR: Final = 2


class AttachedSocket:
    """The attach stream of a container: raw bytes in, frames of stdout and stderr out."""

    def __init__(self, raw: socket.socket) -> None:
        self.errors = Tail()
        self._socket = raw
        self._left = 0  # of the payload of the present frame

    def receive(self, size: int) -> bytes:
        """Return what the box wrote to its stdout; its stderr goes to the tail."""
        while not self._left:
            header = self._exactly(FRAME.size)
            if not header:
                return b""
            stream, length = FRAME.unpack(header)
            if stream == STDERR:
                self.errors.add(self._exactly(length))
            else:
                self._left = length
        data = self._socket.recv(min(size, self._left))
        self._left -= len(data)
        return data

    def send(self, data: memoryview) -> None:
        """Write all of `data` to the box's stdin."""
        self._socket.sendall(data)

    def shut(self) -> None:
        """Shut both directions; without it the engine waits for a reader when the container is removed."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                return b""
            data += more
        return bytes(data)
