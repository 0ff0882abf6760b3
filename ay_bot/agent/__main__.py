"""The program in the box: it hardens itself, says hello, and then works on a task or runs checks, over one pipe."""

import gc
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ay_bot.agent import chores
from ay_bot.agent.hardening import end_with, harden, move_pipe
from ay_bot.agent.observing import observe
from ay_bot.agent.watchdog import start_watchdog
from ay_bot.errors import AyBotError
from ay_bot.protocol.box_config import BoxConfig
from ay_bot.protocol.channel import Channel, Closed, line_of
from ay_bot.protocol.plain import read_plain
from ay_bot.protocol.plain_messages import PROTOCOL_VERSION, BoxFailed, Hello, Observed

PROGRAMS = ("git", "rg", "sh")


class Pipe:
    """The two descriptors of the pipe to the host."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    def read(self, size: int) -> bytes:
        """Return what is there, up to `size` bytes."""
        return os.read(self._incoming, size)

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._outgoing, rest) :]


def hello(observed: Observed) -> Hello:
    """Return what the host should know of this box."""
    programs = tuple(name for name in PROGRAMS if shutil.which(name))
    return Hello(
        protocol=PROTOCOL_VERSION,
        pid=os.getpid(),
        uid=os.getuid(),
        python=platform.python_version(),
        programs=programs,
        observed=observed,
    )


def prepare_checks(root: Path, pipe: Pipe, *, installs: bool = False) -> Callable[[], None]:
    """Return what serves a box without an agent."""
    channel = Channel(pipe, chores.build_reader())
    return lambda: chores.serve_checks(root, channel, installs=installs)


def prepare_work(root: Path, pipe: Pipe) -> Callable[[], None]:
    """Load what an agent needs, which takes a while, and return what serves its box."""
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # noqa: TID251 - looking for plugins takes a tenth of the start
    from ay_bot.agent.working import Worker, build_reader

    del os.environ["PYDANTIC_DISABLE_PLUGINS"]  # noqa: TID251
    return Worker(root, Channel(pipe, build_reader())).serve


def main() -> NoReturn:
    """Harden this process, then serve the pipe that was its input and output."""
    config = read_plain(BoxConfig, sys.argv[1])
    incoming, outgoing, errors = move_pipe()
    sys.stderr = os.fdopen(errors, "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    harden(config.limits, system_calls=config.filter)
    end_with(incoming, config.deadline)
    observed = observe(os.environ)  # noqa: TID251 - before the watchdog, whose open files would be seen
    start_watchdog(config.limits, (config.workspace, config.temporary, "/dev/shm"))  # noqa: S108 - the box's own
    os.environ.clear()  # noqa: TID251 - the host composed it; nothing of the image's own is left
    os.environ.update(config.environment)  # noqa: TID251
    if config.forward:
        from ay_bot.agent.forwarding import start_forwarding

        start_forwarding()
    pipe = Pipe(incoming, outgoing)
    pipe.write(line_of(hello(observed)))  # the host prepares the seed while the rest loads
    root = Path(config.workspace)
    serve = prepare_checks(root, pipe, installs=config.installs) if config.only_for_checks else prepare_work(root, pipe)
    gc.freeze()
    gc.enable()
    try:
        serve()
    except Closed:
        pass
    except AyBotError as error:
        pipe.write(line_of(BoxFailed(message=str(error))))
    # The engine is told at once; nothing in here needs to be tidied up.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
