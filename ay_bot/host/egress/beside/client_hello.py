"""The name that a TLS client asks for, in the first message that it sends."""


class Incomplete(Exception):
    """More bytes are needed."""


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
