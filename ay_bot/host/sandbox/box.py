"""A running box as every driver hands it out: its name, its hello, and the channel to its first process."""

import threading
from functools import cache
from typing import Final

from pydantic import TypeAdapter

from ay_bot.errors import ProtocolBroken, SandboxUnavailable
from ay_bot.host.sandbox.stream import BoxStream
from ay_bot.protocol.channel import Channel, Closed
from ay_bot.protocol.messages import BoxToHost
from ay_bot.protocol.plain_messages import PROTOCOL_VERSION, Hello

HELLO_TIMEOUT: Final = 60.0
MOST_AT_ONCE: Final = 256 * 1024 * 1024
"""The largest body that is taken from a box, which is what its agent sends at most; the host holds it in memory."""


@cache
def _reader() -> TypeAdapter[BoxToHost]:
    """Return what reads all that a box may say; building it takes 10 ms."""
    return TypeAdapter(BoxToHost)


class RunningBox:
    """A box whose first process has said hello, or is about to."""

    def __init__(self, name: str, image: str, stream: BoxStream) -> None:
        self.name = name
        self.image = image
        self.hello = Hello(protocol=0, pid=0, uid=0, python="")
        self.channel: Channel[BoxToHost] = Channel(stream, _reader(), max_body=MOST_AT_ONCE)
        self._stream = stream

    def kill(self) -> None:
        """End the box now: its first process sees the end of its input, and the kernel ends the rest with it."""
        self._stream.end()

    def wait_for_hello(self) -> None:
        """Take the first message, which must be a hello of this protocol."""
        limit = threading.Timer(HELLO_TIMEOUT, self.kill)
        limit.daemon = True  # Ctrl-C may come in the middle of its start
        try:
            limit.start()
            message, _ = self.channel.receive()
        except Closed:
            msg = f"the box said nothing within {HELLO_TIMEOUT:.0f} seconds of its start"
            raise SandboxUnavailable(msg) from None
        finally:
            limit.cancel()
        if not isinstance(message, Hello) or message.protocol != PROTOCOL_VERSION:
            msg = f"the box began with {message.kind}, not with a hello of protocol {PROTOCOL_VERSION}"
            raise ProtocolBroken(msg, hint="build the box image again: make image")
        self.hello = message
