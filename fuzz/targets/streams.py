"""What every channel target shares: bytes in pieces, and all messages of them read to the end."""

from collections.abc import Callable

from ay_bot.errors import ProtocolBroken
from ay_bot.protocol.channel import Channel, Closed, Reader, line_of
from ay_bot.protocol.plain import Plain
from pydantic import BaseModel

MOST_LINE = 6000
MOST_BODY = 5000
DOCUMENTED = (Closed, ProtocolBroken)
Message = Plain | BaseModel


class Pieces:
    """A stream that gives `content` in pieces, whose size the content itself decides."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._piece = (7, 63, 1024, 1 << 20)[len(content) % 4]

    def read(self, size: int) -> bytes:
        """Return the next piece."""
        taken = self._content[self._at : self._at + min(size, self._piece)]
        self._at += len(taken)
        return taken

    def write(self, data: bytes | memoryview) -> None:
        """Take nothing: nobody sends here."""
        raise AssertionError(data)


def parser(reader: Reader[Message], *, passed_on: bool = True) -> Callable[[bytes], None]:
    """Return what reads a stream until it ends, in one of the two documented ways.

    With `passed_on`, what was read can be sent on: a reader that believes the far side needs no such promise.
    """

    def parse(data: bytes) -> None:
        channel = Channel(Pieces(data), reader, max_line=MOST_LINE, max_body=MOST_BODY)
        while True:
            message, body = channel.receive()
            assert len(body) == getattr(message, "body_size", 0) <= MOST_BODY
            if not passed_on:
                continue
            line = line_of(message)
            assert line.endswith(b"\n"), "a message that can't be sent on"
            assert line.count(b"\n") == 1, "a message of two lines"

    return parse
