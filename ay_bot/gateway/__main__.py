"""The gateway process, which the host starts: JSON lines on standard input and output, ended by end of input.

Nothing is imported at the top but what Python has loaded anyway: the clock is running.
"""

import os
import sys
import threading
from queue import SimpleQueue

from ay_bot.protocol.memory import give_back_memory
from ay_bot.protocol.parent import die_with_parent
from ay_bot.protocol.unreadable import become_unreadable

CHUNK = 256 * 1024


class Inlet:
    """Standard input, read by a thread of its own so that its end ends the process whatever the others do."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parts: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self) -> None:
        while data := os.read(self._descriptor, CHUNK):
            self._parts.put(data)
        os._exit(0)

    def read(self, size: int) -> bytes:  # noqa: ARG002 - a read of a pipe may be shorter, and longer is no harm
        """Return the next bytes."""
        return self._parts.get()


class Pipe(Inlet):
    """Standard input and what used to be standard output, as one stream."""

    def __init__(self, read_from: int, write_to: int) -> None:
        super().__init__(read_from)
        self._write_to = write_to

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._write_to, view) :]


def take_standard_output() -> int:
    """Move the channel away from descriptor 1, so that a stray print goes to the log and breaks nothing."""
    channel = os.dup(1)
    os.dup2(2, 1)
    return channel


def refuse_strangers() -> None:
    """End if files may have run at the start of this Python that nobody expects; without `site` none can have."""
    if sys.flags.no_site:  # nothing has to be loaded for that
        return
    from ay_bot.errors import UsageError
    from ay_bot.protocol.start_files import require_expected

    try:
        require_expected(os.environ)  # noqa: TID251 - the gateway's own, which holds the keys
    except UsageError as error:
        sys.exit(f"gateway: {error}")


def describe_models(stream: Pipe) -> None:
    """Answer what is known of models, without litellm."""
    from pydantic import TypeAdapter

    from ay_bot.gateway.registry import Registry, read_table
    from ay_bot.protocol.channel import Channel
    from ay_bot.protocol.messages import DescribeModels, HostToGateway, ModelsDescribed

    channel: Channel[HostToGateway] = Channel(stream, TypeAdapter(HostToGateway))
    question, _ = channel.receive()
    if not isinstance(question, DescribeModels):
        sys.exit("the first message to this gateway must be DescribeModels")
    registry = Registry(read_table(), question.capabilities)
    models = tuple(map(registry.facts, question.names)) if question.names else tuple(registry.all())
    channel.send(ModelsDescribed(models=models))


def main() -> None:
    """Load litellm at once, and only then look at what the host wants."""
    os.chdir("/")
    become_unreadable()
    stream = Pipe(0, take_standard_output())
    die_with_parent()
    refuse_strangers()
    if "--facts" in sys.argv:
        describe_models(stream)
        return
    from ay_bot.gateway import providers

    on_diet = "--plain" not in sys.argv and providers.load_on_diet()
    from pydantic import TypeAdapter

    from ay_bot.gateway.service import Service
    from ay_bot.protocol.channel import Channel
    from ay_bot.protocol.messages import Configure, HostToGateway

    channel: Channel[HostToGateway] = Channel(stream, TypeAdapter(HostToGateway))
    configure, _ = channel.receive()
    if not isinstance(configure, Configure):
        sys.exit("the first message to the gateway must be Configure")
    service = Service(channel, configure, on_diet=on_diet)
    service.announce()
    give_back_memory()  # 4 of 101 MB, which the import used
    service.serve()


if __name__ == "__main__":
    main()
