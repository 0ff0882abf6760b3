"""OpenAI's Responses API: a question as its request, and its answers, streamed or whole, as chunks.

It is stateless here (`store` is off): reasoning goes along sealed by OpenAI, and is sent back where it stood.
litellm's bridge to this API loses reasoning items and refusals, so this dialect is written out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ay_bot.gateway.assembly import CallPart, Chunk, Tokens
from ay_bot.gateway.failures import ProviderSaid, find_error
from ay_bot.gateway.question import JsonDict, Question
from ay_bot.gateway.thoughts import Piece
from ay_bot.gateway.transport import Event

SEALED = "reasoning.encrypted_content"
KEPT = ("type", "id", "summary", "encrypted_content", "content")
REFUSAL_ENDS = "content_filter"


def body_of(question: Question, name: str, *, reasons: bool) -> JsonDict:
    """Return the body of the request."""
    instructions = [message["content"] for message in question.messages if message["role"] == "system"]
    others = [message for message in question.messages if message["role"] != "system"]
    body: JsonDict = {
        "model": name,
        "instructions": "\n\n".join(instructions) or None,
        "input": [item for message in others for item in _items(message)],
        "tools": [{"type": "function", "strict": False, **tool["function"]} for tool in question.tools] or None,
        "max_output_tokens": None if question.answer_limit is None else max(question.answer_limit, 16),
        "store": False,
        "stream": question.stream or None,
        "include": [SEALED] if reasons else None,
        "reasoning": _reasoning(question) if reasons else None,
    }
    return {key: value for key, value in body.items() if value is not None}


def _reasoning(question: Question) -> JsonDict | None:
    return None if question.effort == "default" else {"effort": question.effort}


def _items(message: JsonDict) -> list[JsonDict]:
    content = message.get("content", "")
    if message["role"] == "tool":
        return [{"type": "function_call_output", "call_id": message["tool_call_id"], "output": content}]
    if message["role"] == "user":
        return [{"type": "message", "role": "user", "content": _parts(content)}]
    items = [_text_item(content)] if content else []
    items += [_call_item(call) for call in message.get("tool_calls", ())]
    for place, value in enumerate(message.get("reasoning_items", ())):
        before = value.get("before")
        items.insert(place + before if isinstance(before, int) else place, _kept(value.get("item")))
    return items


def _parts(content: str | Sequence[JsonDict]) -> list[JsonDict]:
    if isinstance(content, str):
        return [{"type": "input_text", "text": content}]
    return [
        {"type": "input_text", "text": part["text"]}
        if part["type"] == "text"
        else {"type": "input_image", "image_url": part["image_url"]["url"]}
        for part in content
    ]


def _text_item(content: str) -> JsonDict:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": content}]}


def _call_item(call: JsonDict) -> JsonDict:
    return {"type": "function_call", "call_id": call["id"], **call["function"]}


def _kept(item: object) -> JsonDict:
    known = item if isinstance(item, Mapping) else {}
    return {name: known[name] for name in KEPT if known.get(name) is not None}


class Reader:
    """Reads one answer, event by event, or whole."""

    def __init__(self) -> None:
        self._items = 0  # that came so far and were no reasoning
        self._written: set[int] = set()
        self._refused = False

    def read(self, event: Event) -> Chunk | None:
        """Return what an event adds, if anything. Raises ProviderSaid."""
        found: dict[str, Any] = event
        match event.get("type"):
            case "response.output_text.delta" | "response.refusal.delta" as kind:
                self._refused = self._refused or kind == "response.refusal.delta"
                return Chunk(str(found["delta"]))
            case "response.output_item.added" if found["item"]["type"] == "function_call":
                return Chunk(calls=(_opening(found),))
            case "response.function_call_arguments.delta":
                self._written.add(found["output_index"])
                return Chunk(calls=(CallPart(found["output_index"], "", "", str(found["delta"])),))
            case "response.output_item.done":
                return self._item_done(found)
            case "response.completed" | "response.incomplete":
                return self._end(found["response"])
            case "response.failed":
                raise _said(found["response"].get("error"))
            case "error":
                raise _said(found.get("error", found))
            case _:
                pass
        return None

    def _item_done(self, event: JsonDict) -> Chunk | None:
        item, place = event["item"], event["output_index"]
        if item["type"] == "reasoning":
            return Chunk(thoughts=(Piece("reasoning", {"item": _kept(item), "before": self._items}),))
        self._items += 1
        if item["type"] == "function_call" and place not in self._written and item.get("arguments"):
            return Chunk(calls=(CallPart(place, "", "", str(item["arguments"])),))
        return None

    def whole(self, response: JsonDict) -> list[Chunk]:
        """Return what an answer says that came at once. Raises ProviderSaid."""
        if response.get("status") == "failed":
            raise _said(response.get("error"))
        chunks: list[Chunk] = []
        for place, item in enumerate(response["output"]):
            if item["type"] == "message":
                chunks += [self._part(part) for part in item["content"]]
            elif item["type"] == "function_call":
                chunks.append(Chunk(calls=(_opening({"item": item, "output_index": place}),)))
            done = self._item_done({"item": item, "output_index": place})
            chunks += [done] if done else []
        return [*chunks, self._end(response)]

    def _part(self, part: JsonDict) -> Chunk:
        self._refused = self._refused or part["type"] == "refusal"
        return Chunk(str(part.get("text") or part.get("refusal") or ""))

    def _end(self, response: JsonDict) -> Chunk:
        why = (response.get("incomplete_details") or {}).get("reason")
        finish = REFUSAL_ENDS if self._refused or why == "content_filter" else "length" if why else "stop"
        return Chunk(finish=finish, tokens=_tokens(response.get("usage")))


def _opening(event: JsonDict) -> CallPart:
    item = event["item"]
    return CallPart(event["output_index"], str(item.get("call_id") or ""), str(item.get("name") or ""), "")


def _tokens(usage: JsonDict | None) -> Tokens | None:
    if not usage:
        return None
    cached = (usage.get("input_tokens_details") or {}).get("cached_tokens") or 0
    return Tokens(usage.get("input_tokens") or 0, usage.get("output_tokens") or 0, cached, None)


def _said(error: object) -> ProviderSaid:
    return find_error({"error": error or "no reason"}, usually=400) or ProviderSaid(500, {})
