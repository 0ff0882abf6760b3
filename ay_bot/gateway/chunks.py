"""litellm's chunks freed from its classes: the one reader of objects whose shape only litellm knows."""

from collections.abc import Callable, Mapping
from typing import Protocol

from ay_bot.gateway.assembly import CallPart, Chunk, Tokens


class RawUsage(Protocol):
    """A `litellm.Usage`."""

    prompt_tokens: int
    completion_tokens: int


def chunk_of(raw: object, cost: Callable[[RawUsage], float | None]) -> Chunk:
    """Read a `litellm.ModelResponseStream`."""
    choices = _part_of(raw, "choices")
    usage: RawUsage | None = getattr(raw, "usage", None)
    tokens = _tokens(usage, cost) if usage is not None else None
    if not isinstance(choices, list) or not choices:
        return Chunk(tokens=tokens)
    delta = _part_of(choices[0], "delta")
    calls = _part_of(delta, "tool_calls")
    parts = tuple(_call(number, call) for number, call in enumerate(calls if isinstance(calls, list) else ()))
    return Chunk(_text(delta, "content"), parts, _text(choices[0], "finish_reason"), tokens)


def _call(number: int, call: object) -> CallPart:
    function = _part_of(call, "function")
    index = _part_of(call, "index")
    place = index if isinstance(index, int) else number
    return CallPart(place, _text(call, "id"), _text(function, "name"), _text(function, "arguments"))


def _tokens(usage: RawUsage, cost: Callable[[RawUsage], float | None]) -> Tokens:
    cached = _part_of(_part_of(usage, "prompt_tokens_details"), "cached_tokens")
    known = cached if isinstance(cached, int) else 0
    return Tokens(usage.prompt_tokens or 0, usage.completion_tokens or 0, known, cost(usage))


def _part_of(whole: object, name: str) -> object:
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)


def _text(whole: object, name: str) -> str:
    value = _part_of(whole, name)
    return value if isinstance(value, str) else ""
