"""The box's line to the host while agents work: several may ask the model at once, and each gets its own answer."""

import threading

from ay_bot.errors import ProtocolBroken
from ay_bot.protocol.channel import Channel, Closed
from ay_bot.protocol.events import AgentEvent, ToolStarted
from ay_bot.protocol.messages import Happened, HostToBox, ModelFailure, ModelReply, ModelRequest
from ay_bot.protocol.plain_messages import Exit

Answer = ModelReply | ModelFailure


class Switchboard:
    """Owns the numbers of model requests. Whoever waits first reads for all; there is no thread of its own."""

    def __init__(self, channel: Channel[HostToBox]) -> None:
        self._channel = channel
        self._changed = threading.Condition()
        self._last = 0
        self._waiting: set[int] = set()
        self._answers: dict[int, Answer] = {}
        self._reading = False
        self._broken: BaseException | None = None
        self._untold: list[Happened] = []

    def ask(self, request: ModelRequest) -> Answer:
        """Send a request, and wait for its answer; both have the number that the caller gave."""
        with self._changed:
            self._last += 1
            number = self._last
            self._waiting.add(number)
            untold, self._untold = self._untold, []
        self._channel.send_together([*untold, request.model_copy(update={"request_id": number})])
        return self._wait(number).model_copy(update={"request_id": request.request_id})

    def tell(self, event: AgentEvent) -> None:
        """Tell of an event; most go with the next request, since nothing that takes long comes before it."""
        with self._changed:
            self._untold.append(Happened(event=event))
        if isinstance(event, ToolStarted):
            self.tell_all()

    def tell_all(self) -> None:
        """Send what was not told yet."""
        with self._changed:
            untold, self._untold = self._untold, []
            self._channel.send_together(untold)

    def _wait(self, number: int) -> Answer:
        with self._changed:
            while self._reading and number not in self._answers:
                self._changed.wait()
            if number in self._answers:
                return self._answers.pop(number)
            if self._broken:
                raise self._broken
            self._reading = True
        try:
            return self._read_until(number)
        except BaseException as error:
            self._broken = error
            raise
        finally:
            with self._changed:
                self._reading = False
                self._changed.notify_all()

    def _read_until(self, number: int) -> Answer:
        while True:
            answer = self._receive()
            with self._changed:
                if answer.request_id not in self._waiting:
                    msg = f"an answer to request {answer.request_id}, which nobody waits for"
                    raise ProtocolBroken(msg)
                self._waiting.discard(answer.request_id)
                if answer.request_id == number:
                    return answer
                self._answers[answer.request_id] = answer
                self._changed.notify_all()

    def _receive(self) -> Answer:
        answer, _ = self._channel.receive()
        match answer:
            case ModelReply() | ModelFailure():
                return answer
            case Exit():
                raise Closed
            case _:
                msg = f"{answer.kind} instead of the answer to a model request"
                raise ProtocolBroken(msg)
