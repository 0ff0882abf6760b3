"""The program in the box: it says hello, unpacks the seed, and then works on a task or runs a check, over one pipe."""

import gc
import os
import platform
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, assert_never

from pydantic import TypeAdapter

from ay_bot.agent.commands import CommandResult, run_command
from ay_bot.agent.hardening import end_with, harden, move_pipe
from ay_bot.errors import AyBotError, ProtocolBroken
from ay_bot.protocol.box_config import BoxConfig
from ay_bot.protocol.channel import Body, Channel, Closed
from ay_bot.protocol.events import AgentEvent, ToolStarted
from ay_bot.protocol.messages import (
    PROTOCOL_VERSION,
    BoxFailed,
    Check,
    Checked,
    Exit,
    Feedback,
    Finished,
    Happened,
    Hello,
    HostToBox,
    ModelFailure,
    ModelReply,
    ModelRequest,
    Seed,
    Seeded,
    Work,
)

if TYPE_CHECKING:
    from ay_bot.agent.loop import Agent, Ending
    from ay_bot.agent.workspace import Manifest

OUTPUT_HEAD = 16 * 1024
OUTPUT_TAIL = 64 * 1024
REPORT_LIMIT = 16 * 1024 * 1024
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


class Program:
    """One box's conversation with the host, from hello to exit."""

    def __init__(self, config: BoxConfig, channel: Channel[HostToBox]) -> None:
        self._root = Path(config.workspace)
        self._channel = channel
        self._digests: dict[bytes, bytes] = {}
        self._manifest: Manifest | None = None
        self._agent: Agent | None = None
        self._untold: list[Happened] = []

    def serve(self) -> None:
        """Do what the host says until it says no more."""
        self._channel.send(hello())
        while True:
            message, body = self._channel.receive_streaming()
            match message:
                case Seed():
                    self._seed(message, body)
                case Work():
                    self._work(message)
                case Feedback():
                    self._resume(message)
                case Check():
                    self._check(message)
                case Exit():
                    return
                case ModelReply() | ModelFailure():
                    msg = f"an answer to request {message.request_id}, which nobody waits for"
                    raise ProtocolBroken(msg)
                case _:
                    assert_never(message)

    def _seed(self, seed: Seed, body: Body) -> None:
        from ay_bot.agent.workspace import Manifest, unpack

        files = unpack(body, self._root, self._digests)
        if not seed.setup:
            self._channel.send(Seeded(files=files))
            return
        self._manifest = Manifest.take(self._root, (), self._digests)
        result = self._run(seed.setup, seed.setup_timeout)
        self._manifest.settle()
        output = result.output if result.exit_code else ""
        self._channel.send(Seeded(files=files, setup_exit_code=result.exit_code, setup_output=output))

    def _work(self, work: Work) -> None:
        from ay_bot.agent.loop import Agent
        from ay_bot.agent.workspace import Manifest

        if self._agent:
            msg = "a second task for the same box"
            raise ProtocolBroken(msg)
        if self._manifest is None or work.ignore:
            taken = Manifest.take(self._root, work.ignore, self._digests)
            if self._manifest:  # the files are as the set-up left them, but the rules came only now
                self._manifest.ignore = taken.ignore
            else:
                self._manifest = taken
        self._agent = Agent(work, self._root, self._ask, self._tell)
        self._finish(self._agent.run())

    def _resume(self, feedback: Feedback) -> None:
        if not self._agent:
            msg = "feedback before any task"
            raise ProtocolBroken(msg)
        self._finish(self._agent.resume(feedback))

    def _finish(self, ending: "Ending") -> None:
        if not self._manifest:
            msg = "an ending before any task"
            raise ProtocolBroken(msg)
        self._tell_all()
        changes = self._manifest.changes()
        finished = Finished(
            reason=ending.reason,
            summary=ending.summary,
            steps=ending.steps,
            failure=ending.failure,
            changed=changes.changed,
            deleted=changes.deleted,
            unrepresentable=changes.unrepresentable,
            body_size=len(changes.body),
        )
        self._channel.send(finished, changes.body)

    def _check(self, check: Check) -> None:
        result = self._run(check.command, check.timeout, check.environment)
        report = read_report(Path(check.report))
        checked = Checked(
            exit_code=result.exit_code,
            timed_out=result.timed_out,
            seconds=result.seconds,
            output=result.output,
            body_size=len(report),
        )
        self._channel.send(checked, report)

    def _run(self, command: str, timeout: float, environment: dict[str, str] | None = None) -> CommandResult:
        return run_command(
            command, cwd=self._root, timeout=timeout, environment=environment, head=OUTPUT_HEAD, tail=OUTPUT_TAIL
        )

    def _ask(self, request: ModelRequest) -> ModelReply | ModelFailure:
        self._channel.send_together([*self._untold, request])
        self._untold.clear()
        answer, _ = self._channel.receive()
        match answer:
            case ModelReply() | ModelFailure() if answer.request_id == request.request_id:
                return answer
            case Exit():
                raise Closed
            case _:
                msg = f"{answer.kind} instead of the answer to request {request.request_id}"
                raise ProtocolBroken(msg)

    def _tell(self, event: AgentEvent) -> None:
        self._untold.append(Happened(event=event))
        if isinstance(event, ToolStarted):  # nothing else takes long until the next request, which takes them along
            self._tell_all()

    def _tell_all(self) -> None:
        self._channel.send_together(self._untold)
        self._untold.clear()


def hello() -> Hello:
    """Return what the host should know of this box."""
    programs = tuple(name for name in PROGRAMS if shutil.which(name))
    return Hello(
        protocol=PROTOCOL_VERSION,
        pid=os.getpid(),
        uid=os.getuid(),
        python=platform.python_version(),
        programs=programs,
    )


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


def main() -> NoReturn:
    """Harden this process, then serve the pipe that was its input and output."""
    config = BoxConfig.model_validate_json(sys.argv[1])
    incoming, outgoing, errors = move_pipe()
    sys.stderr = os.fdopen(errors, "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    harden(config.limits, system_calls=config.filter)
    end_with(incoming, config.deadline)
    os.environ.clear()  # noqa: TID251 - the host composed it; nothing of the image's own is left
    os.environ.update(config.environment)  # noqa: TID251
    channel: Channel[HostToBox] = Channel(Pipe(incoming, outgoing), TypeAdapter(HostToBox))
    gc.freeze()
    gc.enable()
    try:
        Program(config, channel).serve()
    except Closed:
        pass
    except AyBotError as error:
        channel.send(BoxFailed(message=str(error)))
    # The engine is told at once; nothing in here needs to be tidied up.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
