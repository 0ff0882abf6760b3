"""Anthropic's messages."""

import json
import re

from tests.loopback_models.turns import Json, Memory, Turn, known_fields, pieces, require

ERRORS = {
    "rate_limit": (429, {"type": "rate_limit_error", "message": "This request would exceed your rate limit"}),
    "overloaded": (529, {"type": "overloaded_error", "message": "Overloaded"}),
    "server": (500, {"type": "api_error", "message": "Internal server error"}),
    "authentication": (401, {"type": "authentication_error", "message": "invalid x-api-key"}),
    "payment": (
        400,
        {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."},
    ),
    "permission": (403, {"type": "permission_error", "message": "Your API key does not have permission"}),
    "not_found": (404, {"type": "not_found_error", "message": "model: claude"}),
    "too_long": (
        400,
        {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"},
    ),
    "invalid": (400, {"type": "invalid_request_error", "message": "messages.0: Input should be valid"}),
    "filter": (
        400,
        {"type": "invalid_request_error", "message": "Output blocked by content filtering policy: content_filter"},
    ),
}
FIELDS = ("model", "messages", "system", "tools", "max_tokens", "stream", "thinking")
BLOCKS = {
    "text": ("type", "text", "cache_control"),
    "image": ("type", "source", "cache_control"),
    "tool_use": ("type", "id", "name", "input", "cache_control"),
    "tool_result": ("type", "tool_use_id", "content", "is_error", "cache_control"),
    "thinking": ("type", "thinking", "signature"),
    "redacted_thinking": ("type", "data"),
}


def error_body(error: Json) -> Json:
    """Return an error as it is said."""
    return {"type": "error", "error": error, "request_id": "req_1"}


def streams(path: str, body: Json) -> bool:
    """Whether a stream is wanted."""
    return bool(body.get("stream"))


def judge(path: str, headers: dict[str, str], body: Json, memory: Memory) -> None:
    """Raise Misasked for what Anthropic would refuse."""
    require(headers.get("x-api-key"), "x-api-key header is required")
    require(headers.get("anthropic-version") == "2023-06-01", "anthropic-version header is required")
    require(headers.get("content-type") == "application/json", "content-type")
    known_fields(body, *FIELDS)
    require(isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 0, "max_tokens: Field required")
    require(json.dumps(body).count('"cache_control"') <= 4, "A maximum of 4 blocks with cache_control may be provided")
    thinking = body.get("thinking", {}).get("type") == "enabled"
    if thinking:
        require(1024 <= body["thinking"]["budget_tokens"] < body["max_tokens"], "budget_tokens")
    messages = body["messages"]
    require(
        [one["role"] for one in messages] == [("user", "assistant")[n % 2] for n in range(len(messages))],
        "roles must alternate",
    )
    for before, message in zip([None, *messages], messages, strict=False):
        _judge_message(message, before, memory)
    require(messages[-1]["role"] == "user", "the last message")
    if thinking and len(messages) > 1 and any(one["type"] == "tool_use" for one in messages[-2]["content"]):
        first = messages[-2]["content"][0]["type"]
        require("thinking" in first, f"Expected `thinking` or `redacted_thinking`, but found `{first}`")


def _judge_message(message: Json, before: Json | None, memory: Memory) -> None:
    content = message["content"]
    require(isinstance(content, list) and content, "content must be non-empty")
    asked = {one["id"] for one in (before or {"content": ()})["content"] if one["type"] == "tool_use"}
    answered = [one["tool_use_id"] for one in content if one["type"] == "tool_result"]
    require(sorted(answered) == sorted(asked), f"`tool_use` ids {asked} were answered by {answered}")
    require(all(one["type"] == "tool_result" for one in content[: len(answered)]), "tool results come first")
    for block in content:
        known_fields(block, *BLOCKS[block["type"]])
        match block["type"]:
            case "text":
                require(block["text"].strip(), "text content blocks must be non-empty")
            case "tool_use":
                require(re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]) and isinstance(block["input"], dict), "tool_use")
            case "thinking":
                memory.check(block["signature"], block["thinking"])
            case "redacted_thinking":
                memory.check(block["data"], "redacted")
            case "image":
                require(
                    block["source"]["type"] == "base64" and block["source"]["media_type"].startswith("image/"), "image"
                )


def _blocks(turn: Turn, number: int, memory: Memory) -> list[Json]:
    blocks: list[Json] = []
    if turn.thought:
        blocks.append(
            {"type": "thinking", "thinking": turn.thought, "signature": memory.seal(10 * number, turn.thought)}
        )
        blocks.append({"type": "redacted_thinking", "data": memory.seal(10 * number + 1, "redacted")})
    if said := turn.text or turn.refusal:
        blocks.append({"type": "text", "text": said})
    blocks += [
        {"type": "tool_use", "id": f"toolu_{number}_{place}", "name": name, "input": arguments}
        for place, (name, arguments) in enumerate(turn.calls)
    ]
    return blocks


def whole(turn: Turn, number: int, body: Json, memory: Memory) -> Json:
    """Return the answer at once."""
    return {
        **_frame(turn, number, body),
        "content": _blocks(turn, number, memory),
        "stop_reason": _stop(turn),
        "usage": _usage(turn),
    }


def _frame(turn: Turn, number: int, body: Json) -> Json:
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "stop_sequence": None,
    }


def _usage(turn: Turn) -> Json:
    count = turn.count
    return {
        "input_tokens": count.sent - count.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": count.cached,
        "output_tokens": count.received,
    }


def _stop(turn: Turn) -> str:
    if turn.full:
        return "model_context_window_exceeded"
    return "refusal" if turn.refusal else "max_tokens" if turn.cut else "tool_use" if turn.calls else "end_turn"


def events(turn: Turn, number: int, body: Json, memory: Memory) -> list[tuple[str, Json | str]]:
    """Return the answer as the events of a stream."""
    opening = {
        **_frame(turn, number, body),
        "content": [],
        "stop_reason": None,
        "usage": {**_usage(turn), "output_tokens": 1},
    }
    said: list[tuple[str, Json]] = [("message_start", {"message": opening}), ("ping", {})]
    for place, block in enumerate(_blocks(turn, number, memory)):
        empty, deltas = _cut(block)
        said.append(("content_block_start", {"index": place, "content_block": empty}))
        said += [("content_block_delta", {"index": place, "delta": delta}) for delta in deltas]
        said.append(("content_block_stop", {"index": place}))
    said.append(
        (
            "message_delta",
            {
                "delta": {"stop_reason": _stop(turn), "stop_sequence": None},
                "usage": {"output_tokens": turn.count.received},
            },
        )
    )
    said.append(("message_stop", {}))
    return [(name, {"type": name, **data}) for name, data in said]


def _cut(block: Json) -> tuple[Json, list[Json]]:
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
        case "tool_use":
            text = json.dumps(block["input"])
            return {**block, "input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces(text))
            ]
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
            return {**block, "thinking": "", "signature": ""}, [
                *deltas,
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case _:
            return block, []
