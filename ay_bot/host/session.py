"""One agent at work in one box: it relays model requests, logs what it is told, and receives the agent's tree."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ay_bot.errors import AyBotError, ProtocolBroken, SandboxUnavailable, UsageError
from ay_bot.host.event_log import EventLog
from ay_bot.host.sandbox import Box
from ay_bot.protocol.channel import Closed
from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.events import AgentEvent, ModelAnswered, ModelAsked, ModelGaveUp, ModelRetried, ModelSwitched
from ay_bot.protocol.layers import BYTES_PER_TOKEN, Layer
from ay_bot.protocol.messages import (
    BoxToHost,
    Feedback,
    Finished,
    Happened,
    ModelFailure,
    ModelProgress,
    ModelReply,
    ModelRequest,
    Work,
)
from ay_bot.protocol.plain_messages import BoxFailed, Seed, Seeded

MOST_TOLD = 128 * 1024 * 1024
"""How many bytes of events a box may tell in all: they go into a log that is kept."""
MOST_HELPERS = 3  # requests of agents that work for another, at once
REQUESTS_OF_A_STEP = 2  # an agent asks once, and once more if the conversation was too long


if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


class Model(Protocol):
    """Whoever answers model requests: the gateway."""

    def ask(
        self,
        request: ModelRequest,
        on_progress: Callable[[ModelProgress], None],
        *,
        when_sent: Callable[[], None],
        when_slow: Callable[[], None],
    ) -> ModelReply | ModelFailure:
        """Return the model's next message, or why there is none; the others are called when that is so."""
        ...


class Session:
    """The host's side of an agent box. `usage` is what its model calls cost so far.

    `meanwhile` is called once, when the model thinks for the first time, or at the end of the agent's work: before
    that it would slow down the agent's own steps.
    """

    def __init__(self, box: Box, model: Model, log: EventLog, meanwhile: tuple[Callable[[], object], ...] = ()) -> None:
        self._box = box
        self._model = model
        self._log = log
        self._meanwhile = meanwhile
        self._untold: list[AgentEvent] = []
        self._told = 0
        self._requests_left = 0
        self._counting = threading.Lock()
        self.usage = Usage()

    def seed(self, archive: Path, setup: str) -> None:
        """Fill the workspace with a tar file and run the set-up there. Raises UsageError if the set-up fails."""
        send_seed(self._box, archive, setup)

    def work(self, work: Work) -> tuple[Finished, bytes]:
        """Start the agent and return its tree when it ends."""
        self._requests_left = REQUESTS_OF_A_STEP * work.max_steps
        self._box.channel.send(work)
        return self._relay()

    def resume(self, feedback: Feedback) -> tuple[Finished, bytes]:
        """Tell the agent what is wrong with its tree, and return its next one."""
        self._requests_left = REQUESTS_OF_A_STEP * feedback.max_steps
        self._box.channel.send(feedback)
        return self._relay()

    def ask(self, request: ModelRequest) -> ModelReply | ModelFailure:
        """Ask the model on the host's own behalf, and log it."""
        reply, log = self._ask(request)
        log()
        return reply

    def _ask(self, request: ModelRequest) -> tuple[ModelReply | ModelFailure, Callable[[], None]]:
        """Relay one request to the model; return the reply, and what logs it once the reply is passed on."""
        started = time.monotonic()

        def sent() -> None:
            self._tell()
            number, count = request.request_id, len(request.messages)
            self._log.emit(
                ModelAsked(
                    request_id=number, role=request.role, messages=count, layers=request.layers or _measure(request)
                )
            )

        reply = self._model.ask(request, self._on_progress, when_sent=sent, when_slow=self._start_the_rest)
        seconds = round(time.monotonic() - started, 4)
        return reply, lambda: self._log_reply(reply, seconds)

    def _log_reply(self, reply: ModelReply | ModelFailure, seconds: float) -> None:
        if isinstance(reply, ModelFailure):
            self._log.emit(ModelGaveUp(request_id=reply.request_id, cause=reply.cause, message=reply.message))
            return
        with self._counting:
            is_first = not self.usage.requests
            self.usage += reply.usage
            total = self.usage
        if reply.usage.cost_usd is None and is_first:
            self._log.notice("the price of this model is not known: `--max-cost` can't hold, `--max-tokens` does")
        answered = ModelAnswered(
            request_id=reply.request_id,
            seconds=seconds,
            usage=reply.usage,
            total=total,
            tool_calls=tuple(call.name for call in reply.tool_calls),
            model=reply.model,
        )
        self._log.emit(answered)

    def _relay(self) -> tuple[Finished, bytes]:
        """Pass messages on first and log them afterwards: the model and the agent need not wait for that."""
        while True:
            message, body = receive(self._box)
            match message:
                case Happened(event=event):
                    self._hear(event)
                    if not self._box.channel.has_message():
                        self._tell()
                case ModelRequest():
                    self._count_request()
                    if message.agent:
                        self._helpers.submit(self._serve, message)
                        continue
                    reply, log = self._ask(message)
                    self._box.channel.send(reply)
                    log()
                case Finished():
                    self._tell()
                    self._start_the_rest()
                    return message, body
                case _:
                    raise unexpected(self._box, message)

    @cached_property
    def _helpers(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(MOST_HELPERS, "model-request")

    def _serve(self, request: ModelRequest) -> None:
        """Answer an agent that works for another; others may be answered meanwhile."""
        try:
            reply, log = self._ask(request)
        except AyBotError as error:
            reply = ModelFailure(request_id=request.request_id, cause="unreachable", message=error.message)
            log = _nothing
        with suppress(OSError, ValueError):  # the box is gone, which its own thread will find out
            self._box.channel.send(reply)
        log()

    def _hear(self, event: AgentEvent) -> None:
        self._told += len(event.model_dump_json())
        if self._told > MOST_TOLD:
            raise ProtocolBroken(f"the box `{self._box.name}` told more than {MOST_TOLD} bytes of events; it was ended")
        self._untold.append(event)

    def _count_request(self) -> None:
        self._requests_left -= 1
        if self._requests_left < 0:
            what = "asked the model more often than its steps allow"
            raise ProtocolBroken(f"the box `{self._box.name}` {what}; it was ended")

    def _tell(self) -> None:
        untold, self._untold = self._untold, []
        for event in untold:
            self._log.emit_from_agent(event)

    def _start_the_rest(self) -> None:
        meanwhile, self._meanwhile = self._meanwhile, ()
        for start in meanwhile:
            start()

    def _on_progress(self, progress: ModelProgress) -> None:
        if switched := progress.switched:
            told = ModelSwitched(request_id=progress.request_id, reason=progress.reason, **switched.model_dump())
            self._log.emit(told)
        if progress.retry_in is not None:
            self._log.emit(
                ModelRetried(request_id=progress.request_id, retry_in=progress.retry_in, reason=progress.reason)
            )


def _measure(request: ModelRequest) -> dict[Layer, int]:
    """Return the parts of a request of which whoever asks says nothing: it has no conversation."""
    sizes: dict[Layer, int] = {"standing": 0, "task": 0}
    for message in request.messages:
        sizes["standing" if message.role == "system" else "task"] += len(message.content.encode("utf-8", "replace"))
    return {layer: size // BYTES_PER_TOKEN for layer, size in sizes.items()}


def _nothing() -> None:
    pass


def send_seed(box: Box, archive: Path, setup: str, timeout: float = 600.0) -> None:
    """Fill a box's workspace with a tar file and run the set-up there. Raises UsageError if the set-up fails."""
    import mmap

    with archive.open("rb") as file:
        # Not closed here: the thread that writes to the box may let go of it a moment after the box has answered.
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    box.channel.send(Seed(body_size=len(content), setup=setup, setup_timeout=timeout), content)
    message, _ = receive(box)
    if not isinstance(message, Seeded):
        raise unexpected(box, message)
    if message.setup_exit_code:
        what = f"the set-up command `{setup}` failed in the box with exit code {message.setup_exit_code}"
        raise UsageError(
            f"{what}:\n{message.setup_output.rstrip()}",
            hint="the box has no network: put what the tests need into the image (`--image`), or mend the command",
        )


def receive(box: Box) -> tuple[BoxToHost, bytes]:
    """Return the box's next message and its body. Raises SandboxUnavailable if the box is gone or broke."""
    try:
        message, body = box.channel.receive()
    except Closed:
        what = f"the box `{box.name}` ended in the middle of the work"
        raise SandboxUnavailable(what, hint="see the log of the engine; a box that ran out of memory ends so") from None
    if isinstance(message, BoxFailed):
        msg = f"the program in the box `{box.name}` failed: {message.message}"
        raise SandboxUnavailable(msg, hint="this is a bug in ay-bot; please report it with this message")
    return message, body


def unexpected(box: Box, message: BoxToHost) -> ProtocolBroken:
    """Return the error for a message that is not due now."""
    return ProtocolBroken(f"the box `{box.name}` said `{message.kind}` when that was not due; it was ended")
