"""Chunks of a streamed answer put together to one reply, in the form that all rooms understand."""

from typing import Literal, NamedTuple

from ay_bot.gateway.failures import CallFailed
from ay_bot.gateway.thoughts import Piece, joined
from ay_bot.protocol.conversation import ToolCall

FinishReason = Literal["stop", "tool_calls", "length", "content_filter"]

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
}


class CallPart(NamedTuple):
    """A piece of a tool call; `place` tells calls apart, `id`, `name` and `signature` come once."""

    place: int
    id: str
    name: str
    arguments: str
    signature: str = ""


class Tokens(NamedTuple):
    """What a provider says that a call used."""

    prompt: int
    completion: int
    cached: int
    cost_usd: float | None


class Chunk(NamedTuple):
    """One event of a stream, freed from any provider's shape."""

    text: str = ""
    calls: tuple[CallPart, ...] = ()
    finish: str = ""
    tokens: Tokens | None = None
    thoughts: tuple[Piece, ...] = ()


class Assembly:
    """The reply so far."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._calls: list[list[CallPart]] = []
        self._finish = ""
        self._thoughts: list[Piece] = []
        self.tokens: Tokens | None = None
        self.characters = 0

    def add(self, chunk: Chunk) -> None:
        """Take the next chunk."""
        if chunk.text:
            self._texts.append(chunk.text)
            self.characters += len(chunk.text)
        for part in chunk.calls:
            self._parts_of(part).append(part)
            self.characters += len(part.arguments)
        self._thoughts += chunk.thoughts
        self.characters += sum(len(str(piece.value)) for piece in chunk.thoughts)
        if self._finish != "content_filter":  # whatever is said after it
            self._finish = chunk.finish or self._finish
        self.tokens = chunk.tokens or self.tokens

    def _parts_of(self, part: CallPart) -> list[CallPart]:
        for parts in reversed(self._calls):
            if parts[0].place == part.place and part.id in ("", parts[0].id):
                return parts
        self._calls.append([])
        return self._calls[-1]

    def check_complete(self) -> None:
        """Raise if the stream ended before the provider said why it ended."""
        if not self._finish:
            message = f"the stream broke off after {self.characters} characters of the answer"
            raise CallFailed("malformed", message, transient=True)

    @property
    def text(self) -> str:
        """What the model said."""
        return "".join(self._texts)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """What the model wants done."""
        return tuple(_whole_call(number, parts) for number, parts in enumerate(self._calls))

    @property
    def thoughts(self) -> list[Piece]:
        """What the model thought, as far as its provider wants it back."""
        signed = [(place, part.signature) for place, parts in enumerate(self._calls) for part in parts]
        calls = [Piece("signature", {"call": place, "signature": text}) for place, text in signed if text]
        known = {piece.value["signature"] for piece in calls}
        others = [piece for piece in joined(self._thoughts) if piece.value.get("signature") not in known]
        return [*others, *calls]

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped; a server that says `stop` after tool calls means tool calls."""
        reason = FINISH_REASONS.get(self._finish, "stop")
        return "tool_calls" if self._calls and reason == "stop" else reason


def _whole_call(number: int, parts: list[CallPart]) -> ToolCall:
    name = next((part.name for part in parts if part.name), "")
    identity = next((part.id for part in parts if part.id), "") or f"call_{number}"
    return ToolCall(id=identity, name=name, arguments="".join(part.arguments for part in parts))
