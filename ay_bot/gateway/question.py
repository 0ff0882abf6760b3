"""A request in the form of OpenAI's chat completions, which is litellm's own, for one certain model.

It is a function of the conversation and the model alone, and a message never changes by what comes after it, but for
the marks of the cache: so the next request begins with the bytes of this one.
"""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

from ay_bot.gateway.thoughts import opened
from ay_bot.protocol.conversation import AssistantMessage, ImagePart, Message, ToolCall, UserMessage
from ay_bot.protocol.messages import Image, ModelRequest, ReasoningEffort
from ay_bot.protocol.model_facts import ModelFacts

JsonDict = dict[str, Any]
MARK: JsonDict = {"type": "ephemeral"}
MOST_MARKS = 4  # that Anthropic takes


class Question(NamedTuple):
    """A conversation and its tools, and how they are asked. `answer_limit` None leaves that to the provider."""

    messages: list[JsonDict]
    tools: list[JsonDict]
    answer_limit: int | None
    stream: bool = True
    effort: ReasoningEffort = "default"


def question_of(
    request: ModelRequest, facts: ModelFacts, images: Mapping[str, Image], *, stream: bool, effort: ReasoningEffort
) -> Question:
    """Put a request into the form that litellm translates."""
    messages = [_message(message, facts, images) for message in request.messages]
    if wants_marks(facts):
        _mark(messages)
    tools = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    return Question(messages, tools, request.max_output_tokens, stream, effort)


def wants_marks(facts: ModelFacts) -> bool:
    """Say whether the provider caches only what is marked: it does for Anthropic's models, wherever they are."""
    return facts.caching and "claude" in facts.model


def _message(message: Message, facts: ModelFacts, images: Mapping[str, Image]) -> JsonDict:
    match message:
        case AssistantMessage():
            return _said(message, facts.model)
        case UserMessage() if message.images:
            return {"role": "user", "content": _with_images(message, facts, images)}
        case UserMessage():
            return {"role": "user", "content": message.content}
        case _:
            return message.model_dump()


def _said(message: AssistantMessage, model: str) -> JsonDict:
    said: JsonDict = {"role": "assistant", "content": message.content}
    if message.tool_calls:
        if not message.content:
            del said["content"]  # as litellm does: servers take a missing content, not all take an empty one
        said["tool_calls"] = [_call(call) for call in message.tool_calls]
    for kind, value in opened(message.thoughts, model):
        match kind:
            case "thinking":
                type_ = "redacted_thinking" if "data" in value else "thinking"
                said.setdefault("thinking_blocks", []).append({"type": type_, **value})
            case "signature":
                _sign(said, value.get("call"), value.get("signature"))
            case "reasoning":
                said.setdefault("reasoning_items", []).append(value)
            case "content":
                said["reasoning_content"] = value.get("text")
            case "details":
                said["reasoning_details"] = value.get("items")
    return said


def _call(call: ToolCall) -> JsonDict:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _sign(said: JsonDict, place: object, signature: object) -> None:
    calls: list[JsonDict] = said.get("tool_calls", [])
    if place is None:
        said["provider_specific_fields"] = {"thought_signatures": [signature]}
    elif isinstance(place, int) and 0 <= place < len(calls):
        calls[place]["provider_specific_fields"] = {"thought_signature": signature}


def _with_images(message: UserMessage, facts: ModelFacts, images: Mapping[str, Image]) -> str | list[JsonDict]:
    shown = [images[part.digest] for part in message.images if facts.vision and part.digest in images]
    hidden = [part for part in message.images if not facts.vision or part.digest not in images]
    text = "\n\n".join((message.content, *(_note(part) for part in hidden)))
    if not shown:
        return text
    return [{"type": "text", "text": text}, *({"type": "image_url", "image_url": {"url": _url(one)}} for one in shown)]


def _note(part: ImagePart) -> str:
    what = f"{part.media_type.removeprefix('image/').upper()}, {part.width} by {part.height}"
    return f"[an image is left out, since this model can't see: {part.name or 'without a name'} ({what})]"


def _url(image: Image) -> str:
    return f"data:{image.part.media_type};base64,{base64.b64encode(image.data).decode()}"


def _mark(messages: list[JsonDict]) -> None:
    """Mark the ends of what is cached: of the instructions, of the conversation, and where it ended before.

    Anthropic finds an older end by itself only within 20 blocks, which one turn with many tool calls can pass.
    """
    ends = [place for place, message in enumerate(messages) if message["role"] in ("user", "tool")]
    turns = [place for place in ends if place + 1 == len(messages) or messages[place + 1]["role"] == "assistant"]
    first = [0] if messages and messages[0]["role"] == "system" else []
    for place in {*first, *turns[-(MOST_MARKS - 1) :]}:
        message = messages[place]
        target = message["content"][-1] if isinstance(message["content"], list) else message
        if target is not message or message["content"]:  # an empty text can't be marked
            target["cache_control"] = MARK
