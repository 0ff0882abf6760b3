"""Google's generateContent."""

from tests.loopback_models.turns import Json, Memory, Turn, known_fields, pieces, require

ERRORS = {
    "rate_limit": (
        429,
        {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": "RESOURCE_EXHAUSTED"},
    ),
    "overloaded": (
        503,
        {"code": 503, "message": "The model is overloaded. Please try again later.", "status": "UNAVAILABLE"},
    ),
    "server": (500, {"code": 500, "message": "An internal error has occurred.", "status": "INTERNAL"}),
    "authentication": (401, {"code": 401, "message": "API key not valid.", "status": "UNAUTHENTICATED"}),
    "payment": (402, {"code": 402, "message": "Billing is not enabled.", "status": "FAILED_PRECONDITION"}),
    "permission": (403, {"code": 403, "message": "Permission denied.", "status": "PERMISSION_DENIED"}),
    "not_found": (404, {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}),
    "too_long": (
        400,
        {
            "code": 400,
            "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "status": "INVALID_ARGUMENT",
        },
    ),
    "invalid": (400, {"code": 400, "message": "Invalid JSON payload received.", "status": "INVALID_ARGUMENT"}),
    "filter": (400, {"code": 400, "message": "Blocked: content_filter", "status": "INVALID_ARGUMENT"}),
}

UNCHECKED = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""What Google takes for a call that another model made."""


def error_body(error: Json) -> Json:
    """Return an error as it is said."""
    return {"error": error}


def streams(path: str, body: Json) -> bool:
    """Whether a stream is wanted."""
    return ":streamGenerateContent" in path


def snake(value: object) -> object:
    """Return the same with the names that Google writes in either of two ways written in one."""
    if isinstance(value, dict):
        return {
            "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
            if name not in ("args", "response")
            else name: inner if name in ("args", "response", "parameters") else snake(inner)
            for name, inner in value.items()
        }
    return [snake(one) for one in value] if isinstance(value, list) else value


def judge(path: str, headers: dict[str, str], body: Json, memory: Memory) -> None:
    """Raise Misasked for what Google would refuse."""
    require(headers.get("x-goog-api-key"), "no key")
    require(":generateContent" in path or path.endswith("alt=sse"), "a stream is only one with alt=sse")
    known_fields(
        body, "contents", "systemInstruction", "system_instruction", "tools", "generationConfig", "generation_config"
    )
    contents = snake(body)["contents"]
    require(contents and contents[0]["role"] == "user", "contents begin with the user")
    for before, content in zip([None, *contents], contents, strict=False):
        _judge_content(content, before, memory)
    require(contents[-1]["role"] == "user", "contents end with the user")
    for tool in snake(body).get("tools", ()):
        require(all(one["name"] and "parameters" in one for one in tool["function_declarations"]), "functions")


def _judge_content(content: Json, before: Json | None, memory: Memory) -> None:
    require(content["parts"], "parts must not be empty")
    calls = [part["function_call"]["name"] for part in (before or {"parts": ()})["parts"] if "function_call" in part]
    answers = [part["function_response"]["name"] for part in content["parts"] if "function_response" in part]
    require(calls == answers, f"the number of function response parts: {answers} for {calls}")
    for part in content["parts"]:
        require("text" not in part or part["text"], "an empty part")
        require(not part.get("thought"), "a thought is not sent back as text")
    if content["role"] == "model":
        made = [part for part in content["parts"] if "function_call" in part]
        if made:
            require("thought_signature" in made[0], "Function call is missing a thought_signature")
            if made[0]["thought_signature"] != UNCHECKED:
                memory.check(made[0]["thought_signature"], made[0]["function_call"]["name"])
        for part in content["parts"]:
            if "text" in part and "thought_signature" in part:
                memory.check(part["thought_signature"], "text")


def _parts(turn: Turn, number: int, memory: Memory) -> list[Json]:
    parts: list[Json] = [{"text": turn.thought, "thought": True}] if turn.thought else []
    if turn.text:
        parts.append({"text": turn.text})
    for place, (name, arguments) in enumerate(turn.calls):
        seal = {} if place else {"thoughtSignature": memory.seal(number, name)}
        parts.append({"functionCall": {"name": name, "args": arguments}, **seal})
    return parts


def whole(turn: Turn, number: int, body: Json, memory: Memory) -> Json:
    """Return the answer at once."""
    return _frame(turn, number, _parts(turn, number, memory), last=True)


def _frame(turn: Turn, number: int, parts: list[Json], *, last: bool) -> Json:
    candidate: Json = {"index": 0, "content": {"role": "model", "parts": parts}}
    if last:
        candidate["finishReason"] = "SAFETY" if turn.refusal else "MAX_TOKENS" if turn.cut else "STOP"
    if turn.refusal:
        del candidate["content"]
    count = turn.count
    usage = {
        "promptTokenCount": count.sent,
        "candidatesTokenCount": count.received,
        "totalTokenCount": count.sent + count.received,
        "cachedContentTokenCount": count.cached,
    }
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": f"r{number}"}


def events(turn: Turn, number: int, body: Json, memory: Memory) -> list[tuple[str, Json | str]]:
    """Return the answer as the events of a stream."""
    parts = [
        cut
        for part in _parts(turn, number, memory)
        for cut in ([{**part, "text": piece} for piece in pieces(part["text"])] if "text" in part else [part])
    ]
    frames = [_frame(turn, number, [part], last=False) for part in parts]
    return [("", frame) for frame in [*frames, _frame(turn, number, [{"text": ""}], last=True)]]
