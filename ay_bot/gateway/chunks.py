"""litellm's answers, in chunks or whole, freed from its classes: the one reader of shapes that only litellm knows."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from ay_bot.gateway.assembly import CallPart, Chunk, Tokens
from ay_bot.gateway.thoughts import Piece

SIGNED_ID = "__thought__"  # with which litellm hides Gemini's signature in the id of a call
KEEP_CONTENT = frozenset({"deepseek", "moonshot", "zai"})
"""Providers that want the reasoning back as plain text."""


class RawUsage(Protocol):
    """A `litellm.Usage`."""

    prompt_tokens: int
    completion_tokens: int


def chunk_of(raw: object, cost: Callable[[RawUsage], float | None], provider: str = "") -> Chunk:
    """Read a `litellm.ModelResponseStream`, or a whole `litellm.ModelResponse`."""
    choices = _part_of(raw, "choices")
    usage: RawUsage | None = getattr(raw, "usage", None)
    tokens = _tokens(usage, cost) if usage is not None else None
    if not isinstance(choices, list) or not choices:
        return Chunk(tokens=tokens)
    delta = _part_of(choices[0], "delta") or _part_of(choices[0], "message")
    calls = _part_of(delta, "tool_calls")
    parts = tuple(_call(number, call) for number, call in enumerate(calls if isinstance(calls, list) else ()))
    thoughts = tuple(_thoughts(delta, provider))
    return Chunk(_text(delta, "content"), parts, _text(choices[0], "finish_reason"), tokens, thoughts)


def _call(number: int, call: object) -> CallPart:
    function = _part_of(call, "function")
    index = _part_of(call, "index")
    place = index if isinstance(index, int) else number
    identity, _, hidden = _text(call, "id").partition(SIGNED_ID)
    signature = _text(_part_of(call, "provider_specific_fields"), "thought_signature") or hidden
    return CallPart(place, identity, _text(function, "name"), _text(function, "arguments"), signature)


def _thoughts(delta: object, provider: str) -> Iterator[Piece]:
    blocks = _part_of(delta, "thinking_blocks") if provider != "gemini" else None  # which wants only signatures back
    for block in blocks if isinstance(blocks, list) else ():
        if data := _text(block, "data"):
            yield Piece("thinking", {"data": data})
        else:
            said = {"thinking": _text(block, "thinking"), "signature": _text(block, "signature")}
            yield Piece("thinking", {name: text for name, text in said.items() if text})
    own = _part_of(delta, "provider_specific_fields")
    signatures = _part_of(own, "thought_signatures")
    if isinstance(signatures, list) and signatures and isinstance(signatures[0], str):
        yield Piece("signature", {"signature": signatures[0]})
    details = _part_of(delta, "reasoning_details") or _part_of(own, "reasoning_details")
    if provider == "openrouter" and isinstance(details, list):
        yield Piece("details", {"items": details})
    if provider in KEEP_CONTENT and (text := _text(delta, "reasoning_content")):
        yield Piece("content", {"text": text})


def _tokens(usage: RawUsage, cost: Callable[[RawUsage], float | None]) -> Tokens:
    cached = _part_of(_part_of(usage, "prompt_tokens_details"), "cached_tokens")
    known = cached if isinstance(cached, int) else 0
    return Tokens(usage.prompt_tokens or 0, usage.completion_tokens or 0, known, cost(usage))


def _part_of(whole: object, name: str) -> object:
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)


def _text(whole: object, name: str) -> str:
    value = _part_of(whole, name)
    return value if isinstance(value, str) else ""
