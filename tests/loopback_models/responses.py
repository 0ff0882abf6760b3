"""OpenAI's Responses."""

import json

from tests.loopback_models import chat
from tests.loopback_models.turns import Json, Memory, Turn, known_fields, pieces, require

ERRORS = chat.ERRORS | {
    "too_long": (
        400,
        {
            "message": "Your input exceeds the context window of this model.",
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
        },
    ),
    "filter": (
        400,
        {
            "message": "Invalid prompt: flagged as potentially violating our usage policy.",
            "type": "invalid_request_error",
            "code": "invalid_prompt",
        },
    ),
}
FIELDS = ("model", "instructions", "input", "tools", "max_output_tokens", "store", "stream", "include", "reasoning")
error_body = chat.error_body
streams = chat.streams


def judge(path: str, headers: dict[str, str], body: Json, memory: Memory) -> None:
    """Raise Misasked for what OpenAI would refuse."""
    require(headers.get("authorization", "").startswith("Bearer "), "no key")
    known_fields(body, *FIELDS)
    require(body.get("store") is False, "whatever is stored can't be sent back sealed")
    require(body.get("max_output_tokens", 16) >= 16, "max_output_tokens is at least 16")
    for tool in body.get("tools", ()):
        known_fields(tool, "type", "name", "description", "parameters", "strict")
    open_calls: list[str] = []
    items = body["input"]
    for place, item in enumerate(items):
        _judge_item(item, items[place + 1] if place + 1 < len(items) else None, open_calls, memory)
    require(not open_calls, f"No tool output found for function call {open_calls}")


def _judge_item(item: Json, following: Json | None, open_calls: list[str], memory: Memory) -> None:
    match item["type"]:
        case "reasoning":
            known_fields(item, "type", "id", "summary", "encrypted_content")
            require(item["id"].startswith("rs_") and isinstance(item["summary"], list), "reasoning")
            require(following and following["type"] in ("function_call", "message"), "reasoning without its item")
            behind = (following or {}).get("call_id") or (following or {})["content"][0]["text"]
            memory.check(item["encrypted_content"], behind)
        case "function_call":
            known_fields(item, "type", "call_id", "name", "arguments")
            require(isinstance(json.loads(item["arguments"]), dict), "arguments")
            open_calls.append(item["call_id"])
        case "function_call_output":
            require(item["call_id"] in open_calls, "No tool call found for function call output")
            require(isinstance(item["output"], str), "output")
            open_calls.remove(item["call_id"])
        case "message":
            known_fields(item, "type", "role", "content")
            kinds = {"user": ("input_text", "input_image"), "assistant": ("output_text",)}[item["role"]]
            require(all(part["type"] in kinds for part in item["content"]), f"Invalid value of a {item['role']}")
        case other:
            require(False, f"Invalid value: {other}")


def whole(turn: Turn, number: int, body: Json, memory: Memory) -> Json:
    """Return the answer at once."""
    count = turn.count
    usage = {
        "input_tokens": count.sent,
        "input_tokens_details": {"cached_tokens": count.cached},
        "output_tokens": count.received,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": count.sent + count.received,
    }
    status = (
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
        if turn.cut
        else {"status": "completed", "incomplete_details": None}
    )
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "error": None,
        "output": _output(turn, number, body, memory),
        "usage": usage,
        **status,
    }


def _output(turn: Turn, number: int, body: Json, memory: Memory) -> list[Json]:
    items: list[Json] = []
    if turn.text or turn.refusal:
        part = (
            {"type": "refusal", "refusal": turn.refusal}
            if turn.refusal
            else {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
        )
        items.append(
            {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [part]}
        )
    for place, (name, arguments) in enumerate(turn.calls):
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{number}_{place}",
                "call_id": f"call_{number}_{place}",
                "name": name,
                "arguments": json.dumps(arguments),
                "status": "completed",
            }
        )
    if turn.thought and "reasoning.encrypted_content" in body.get("include", ()):
        # One before the text and one before the first call: each has to come back where it stood.
        for place in sorted({0, len(items) - len(turn.calls)}, reverse=True):
            if place < len(items):
                behind = items[place].get("call_id") or items[place]["content"][0].get("text", "")
                seal = memory.seal(100 * number + place, behind)
                items.insert(
                    place,
                    {
                        "type": "reasoning",
                        "id": f"rs_{number}_{place}",
                        "summary": [{"type": "summary_text", "text": turn.thought}],
                        "encrypted_content": seal,
                    },
                )
    return items


def events(turn: Turn, number: int, body: Json, memory: Memory) -> list[tuple[str, Json | str]]:
    """Return the answer as the events of a stream."""
    done = whole(turn, number, body, memory)
    said: list[tuple[str, Json]] = [
        ("response.created", {"response": {**done, "status": "in_progress", "output": [], "usage": None}})
    ]
    for place, item in enumerate(done["output"]):
        said += _item_events(place, item)
    end = "response.incomplete" if turn.cut else "response.completed"
    said.append((end, {"response": done}))
    return [(name, {"type": name, "sequence_number": number, **data}) for number, (name, data) in enumerate(said)]


def _item_events(place: int, item: Json) -> list[tuple[str, Json]]:
    at = {"output_index": place, "item_id": item["id"]}
    empty = {"message": {"content": []}, "function_call": {"arguments": ""}, "reasoning": {"summary": []}}[item["type"]]
    said: list[tuple[str, Json]] = [
        ("response.output_item.added", {"output_index": place, "item": {**item, **empty, "status": "in_progress"}})
    ]
    if item["type"] == "message":
        part = item["content"][0]
        kind = "refusal" if part["type"] == "refusal" else "output_text"
        text = part.get("text") or part.get("refusal", "")
        said += [(f"response.{kind}.delta", {**at, "content_index": 0, "delta": piece}) for piece in pieces(text)]
        said.append((f"response.{kind}.done", {**at, "content_index": 0, "text": text}))
    elif item["type"] == "function_call":
        said += [
            ("response.function_call_arguments.delta", {**at, "delta": piece}) for piece in pieces(item["arguments"])
        ]
        said.append(("response.function_call_arguments.done", {**at, "arguments": item["arguments"]}))
    else:
        said += [
            ("response.reasoning_summary_text.delta", {**at, "summary_index": 0, "delta": piece})
            for piece in pieces(item["summary"][0]["text"])
        ]
    return [*said, ("response.output_item.done", {"output_index": place, "item": item})]
