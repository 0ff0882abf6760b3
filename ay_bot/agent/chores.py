"""What any box does, with or without an agent: it unpacks the seed, sets up, runs the tests, keeps what was made.

Nothing here imports pydantic: two boxes that only run tests work side by side, and an agent's box waits beside them.
"""

import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, assert_never

from ay_bot.agent.commands import CommandResult, run_command
from ay_bot.agent.unpacking import unpack
from ay_bot.protocol.box_config import KEPT_HOME, KEPT_PLACE
from ay_bot.protocol.channel import Body, Channel
from ay_bot.protocol.plain import Plain, PlainReader
from ay_bot.protocol.plain_messages import Check, Checked, Exit, Keep, Seed, Seeded, Wrote

if TYPE_CHECKING:
    from ay_bot.agent.keeping import Known

OUTPUT_HEAD = 16 * 1024
OUTPUT_TAIL = 64 * 1024
REPORT_LIMIT = 16 * 1024 * 1024
PAUSE = 0.02  # seconds between two messages of what a command writes: meanwhile a pipe takes a mebibyte of it

Chore = Seed | Check | Keep | Exit


class Sender(Protocol):
    """The way back to the host."""

    def __call__(self, message: Plain, body: bytes = b"", /) -> None:
        """Send a message, and its body where it announces one."""
        ...


class Chores:
    """The work on one workspace that needs no agent."""

    def __init__(self, root: Path, send: Sender, digests: dict[bytes, bytes] | None = None) -> None:
        self._root = root
        self._send = send
        self._digests = digests

    def unpack(self, body: Body) -> int:
        """Fill the workspace and return how many files came."""
        return unpack(body, self._root, self._digests)

    def keeps(self) -> bool:
        """Say whether the image keeps something of a set-up."""
        return os.path.isdir(KEPT_PLACE)  # noqa: PTH112 - every box comes by here

    def overlay(self) -> frozenset[bytes]:
        """Lay what the image keeps of a set-up over the workspace, and return the names of that."""
        if not self.keeps():
            return frozenset()
        from ay_bot.agent.overlaying import overlay

        return overlay(Path(KEPT_PLACE), self._root, Path(KEPT_HOME))

    def note(self) -> "Known":
        """Return what is there before anything is installed, and make the home that installing may write to."""
        from ay_bot.agent.keeping import note

        Path(KEPT_HOME).mkdir(exist_ok=True)
        return note(self._root)

    def keep(self, known: "Known") -> None:
        """Have the image keep what was made since `known` was noted, and tell how much that is."""
        from ay_bot.agent.keeping import keep

        self._send(keep(self._root, Path(KEPT_HOME), Path(KEPT_PLACE), known))

    def set_up(self, seed: Seed, files: int) -> None:
        """Run the set-up, if there is one, and tell that the workspace is ready."""
        if not seed.setup:
            self._send(Seeded(files=files))
            return
        result = self._run(seed.setup, seed.setup_timeout)
        output = result.output if result.exit_code else ""
        self._send(Seeded(files=files, setup_exit_code=result.exit_code, setup_output=output))

    def check(self, check: Check) -> None:
        """Run the tests and tell what came of them."""
        result = self._run(check.command, check.timeout, check.environment, check.live)
        report = read_report(Path(check.report))
        checked = Checked(
            exit_code=result.exit_code,
            timed_out=result.timed_out,
            seconds=result.seconds,
            output=result.output,
            body_size=len(report),
        )
        self._send(checked, report)

    def _run(
        self, command: str, timeout: float, environment: dict[str, str] | None = None, live: int = 0
    ) -> CommandResult:
        return run_command(
            command,
            cwd=self._root,
            timeout=timeout,
            environment=environment,
            head=live or OUTPUT_HEAD,
            tail=OUTPUT_TAIL,
            tell=self._tell if live else None,
        )

    def _tell(self, data: bytes) -> None:
        """Pass on what a command wrote; it waits a moment where it writes little and often."""
        self._send(Wrote(body_size=len(data)), data)
        time.sleep(PAUSE)


def build_reader() -> PlainReader[Chore]:
    """Return what reads all that the host may say to a box without an agent."""
    return PlainReader((Seed, Check, Keep, Exit))


def serve_checks(root: Path, channel: Channel[Chore], *, installs: bool = False) -> None:
    """Do what the host says until it says no more, in a box without an agent; one that `installs` can keep it."""
    chores = Chores(root, channel.send)
    known: Known = {}
    while True:
        message, body = channel.receive_streaming()
        match message:
            case Seed():
                files = chores.unpack(body)
                chores.overlay()
                if installs:
                    known = chores.note()
                chores.set_up(message, files)
            case Check():
                chores.check(message)
            case Keep():
                chores.keep(known)
            case Exit():
                return
            case _:
                assert_never(message)


def read_report(path: Path) -> bytes:
    """Return the test report that a command wrote, or nothing if there is none that can be taken."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > REPORT_LIMIT:
            return b""
        parts = []
        left = status.st_size  # nothing writes to it any more: the command has ended
        while left and (part := os.read(descriptor, left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
