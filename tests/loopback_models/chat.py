"""OpenAI's chat completions."""

import json

from tests.loopback_models.turns import Json, Memory, Turn, known_fields, pieces, require

ERRORS = {
    "rate_limit": (429, {"message": "Rate limit reached for gpt", "type": "requests", "code": "rate_limit_exceeded"}),
    "overloaded": (503, {"message": "The engine is currently overloaded", "type": "server_error", "code": None}),
    "server": (500, {"message": "The server had an error", "type": "server_error", "code": None}),
    "authentication": (
        401,
        {"message": "Incorrect API key provided", "type": "invalid_request_error", "code": "invalid_api_key"},
    ),
    "payment": (
        429,
        {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"},
    ),
    "permission": (403, {"message": "Your organization may not use it", "type": "invalid_request_error", "code": None}),
    "not_found": (
        404,
        {"message": "The model does not exist", "type": "invalid_request_error", "code": "model_not_found"},
    ),
    "too_long": (
        400,
        {
            "message": "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
        },
    ),
    "invalid": (400, {"message": "Invalid value", "type": "invalid_request_error", "code": "invalid_value"}),
    "filter": (
        400,
        {"message": "The response was filtered", "type": "invalid_request_error", "code": "content_filter"},
    ),
}
FIELDS = (
    "model",
    "messages",
    "tools",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
)


def error_body(error: Json) -> Json:
    """Return an error as it is said."""
    return {"error": {"param": None, **error}}


def streams(path: str, body: Json) -> bool:
    """Whether a stream is wanted."""
    return bool(body.get("stream"))


def judge(path: str, headers: dict[str, str], body: Json, memory: Memory) -> None:
    """Raise Misasked for what OpenAI would refuse."""
    require(headers.get("authorization", "").startswith("Bearer "), "no key")
    known_fields(body, *FIELDS)
    require("stream_options" not in body or body.get("stream"), "stream_options without stream")
    require(body.get("model") and "/" not in body["model"], "model")
    for tool in body.get("tools", ()):
        require(tool["type"] == "function" and tool["function"]["parameters"]["type"] == "object", "tool")
    open_calls: list[str] = []
    for message in body["messages"]:
        _judge_message(message, open_calls)
    require(not open_calls, f"An assistant message with 'tool_calls' must be followed by tool messages: {open_calls}")


def _judge_message(message: Json, open_calls: list[str]) -> None:
    role = message["role"]
    if role == "tool":
        require(message["tool_call_id"] in open_calls, "tool message without its call")
        require(isinstance(message["content"], str), "content of a tool message")
        open_calls.remove(message["tool_call_id"])
        return
    require(not open_calls, f"tool calls without an answer: {open_calls}")
    known_fields(message, "role", "content", *(("tool_calls",) if role == "assistant" else ()))
    if role == "assistant":
        for call in message.get("tool_calls", ()):
            known_fields(call, "id", "type", "function")
            require(isinstance(json.loads(call["function"]["arguments"]), dict), "arguments")
            open_calls.append(call["id"])
        require(message.get("content") or message.get("tool_calls"), "an empty message")
    elif isinstance(message["content"], list):
        for part in message["content"]:
            require(part["type"] == "text" or part["image_url"]["url"].startswith("data:image/"), "part")


def whole(turn: Turn, number: int, body: Json, memory: Memory) -> Json:
    """Return the answer at once."""
    message: Json = {"role": "assistant", "content": turn.text or None, "refusal": turn.refusal or None}
    if turn.calls:
        message["tool_calls"] = [{**call, "index": None} for call in _calls(turn, number)]
        for call in message["tool_calls"]:
            del call["index"]
    choice = {"index": 0, "message": message, "finish_reason": _finish(turn), "logprobs": None}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [choice],
        "usage": _usage(turn),
    }


def events(turn: Turn, number: int, body: Json, memory: Memory) -> list[tuple[str, Json | str]]:
    """Return the answer as the events of a stream."""
    frame = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

    def event(delta: Json, finish: str | None = None) -> tuple[str, Json]:
        return "", {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}

    said = [event({"role": "assistant", "content": "", "refusal": None})]
    said += [event({"content": piece}) for piece in pieces(turn.text)]
    said += [event({"refusal": piece}) for piece in pieces(turn.refusal)]
    for place, call in enumerate(_calls(turn, number)):
        arguments = call["function"]["arguments"]
        said.append(
            event({"tool_calls": [{**call, "index": place, "function": {**call["function"], "arguments": ""}}]})
        )
        said += [
            event({"tool_calls": [{"index": place, "function": {"arguments": piece}}]}) for piece in pieces(arguments)
        ]
    said.append(event({}, _finish(turn)))
    if body.get("stream_options", {}).get("include_usage"):
        said.append(("", {**frame, "choices": [], "usage": _usage(turn)}))
    return [*said, ("", "[DONE]")]


def _calls(turn: Turn, number: int) -> list[Json]:
    return [
        {
            "id": f"call_{number}_{place}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for place, (name, arguments) in enumerate(turn.calls)
    ]


def _finish(turn: Turn) -> str:
    return "length" if turn.cut else "tool_calls" if turn.calls else "stop"


def _usage(turn: Turn) -> Json:
    count = turn.count
    return {
        "prompt_tokens": count.sent,
        "completion_tokens": count.received,
        "total_tokens": count.sent + count.received,
        "prompt_tokens_details": {"cached_tokens": count.cached},
    }
