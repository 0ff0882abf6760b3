"""What models think, sealed for the way through a box and opened for the model that thought it."""

import json
from typing import Literal, NamedTuple

from pydantic import JsonValue

from ay_bot.protocol.conversation import Thought

Kind = Literal[
    "thinking",  # Anthropic: a block, {"thinking", "signature"} or {"data"} where it is redacted
    "signature",  # Gemini: {"signature", "call"}: the one of a tool call's part, or of the text without `call`
    "reasoning",  # Responses: {"item", "before"}: the item, and before how many items of the answer it came
    "content",  # DeepSeek and others: {"text"}
    "details",  # OpenRouter: {"items"}
]
KINDS = frozenset(("thinking", "signature", "reasoning", "content", "details"))
MOST_SEALED = 4_000_000
JsonDict = dict[str, JsonValue]


class Piece(NamedTuple):
    """A thought, or a part of one."""

    kind: Kind
    value: JsonDict


def joined(pieces: list[Piece]) -> list[Piece]:
    """Put the pieces of a stream together: a thought of Anthropic's ends with its signature; nothing unsigned stays."""
    whole: list[Piece] = []
    said: list[str] = []
    content: list[str] = []
    details: list[JsonValue] = []
    for piece in pieces:
        if piece.kind == "content":
            content.append(str(piece.value.get("text", "")))
        elif piece.kind == "details":
            items = piece.value.get("items")
            details += items if isinstance(items, list) else []
        elif piece.kind == "thinking" and "data" not in piece.value:
            said.append(str(piece.value.get("thinking", "")))
            if signature := piece.value.get("signature"):
                whole.append(Piece("thinking", {"thinking": "".join(said), "signature": signature}))
                said.clear()
        else:
            whole.append(piece)
    if details:
        whole.append(Piece("details", {"items": details}))
    if content:
        whole.append(Piece("content", {"text": "".join(content)}))
    return whole


def sealed(pieces: list[Piece], model: str) -> tuple[Thought, ...]:
    """Return whole thoughts as a conversation keeps them; one that is too long for that is left out."""
    texts = (json.dumps([piece.kind, piece.value], ensure_ascii=False) for piece in pieces)
    return tuple(Thought(by=model, data=text) for text in texts if len(text) <= MOST_SEALED)


def opened(thoughts: tuple[Thought, ...], model: str) -> list[Piece]:
    """Return the thoughts of this model; what another one thought, or nobody, is left out."""
    return [piece for thought in thoughts if thought.by == model and (piece := _open(thought.data))]


def _open(data: str) -> Piece | None:
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, list) or len(read) != 2 or read[0] not in KINDS or not isinstance(read[1], dict):
        return None
    return Piece(read[0], read[1])
