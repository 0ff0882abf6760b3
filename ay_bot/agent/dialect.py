"""How a model says what it wants done: by native tool calls, or by calls and edits that it writes into its text."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ay_bot.agent import prompt
from ay_bot.agent.edits.formats import MARKS, Format, parse_reply
from ay_bot.agent.edits.search_replace import Command
from ay_bot.agent.tools.edit_text import EDIT_TEXT
from ay_bot.agent.tools.tool import Offered
from ay_bot.protocol.conversation import AssistantMessage, Message, ToolCall, ToolMessage, ToolSpec, UserMessage
from ay_bot.protocol.messages import EditFormat, ModelReply

EDITING: Final = ("edit", "apply_patch")
THINKING: Final = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
CALL: Final = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*tool(?:_call|_code)?[ \t]*\n(?P<fenced>.*?)(?:^[ \t]*(?P=fence)[ \t]*$|\Z)"
    r"|<tool_call>(?P<tagged>.*?)(?:</tool_call>|\Z)",
    re.DOTALL | re.MULTILINE,
)


class Dialect:
    """What a model is offered, how its replies are read, and how a conversation is written for it.

    Inside, a conversation always has tool calls with their results; a model without native calls gets both as text.
    """

    def __init__(self, tools: Mapping[str, Offered], form: EditFormat = "auto", *, native: bool = True) -> None:
        self._native = native
        self._form = _text_format(form, native=native) if set(EDITING) & set(tools) else None
        self._said: set[str] = set()
        dropped = _dropped(form, self._form)
        offered = {name: tool for name, tool in tools.items() if name not in dropped}
        self.tools = {**offered, **({EDIT_TEXT.spec.name: EDIT_TEXT} if self._form else {})}
        self._offered = tuple(tool.spec for tool in offered.values())

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools that a request offers."""
        return self._offered if self._native else ()

    @property
    def instructions(self) -> str:
        """What the model has to be told of how to call tools and make edits; empty where its tools say it."""
        parts = [] if self._native else [prompt.describe_tools(self._offered)]
        if self._form:
            parts.append(prompt.EDIT_FORMATS[self._form])
        return "\n\n".join(parts)

    def read(self, reply: ModelReply) -> ModelReply:
        """The reply with the calls and edits of its text among its tool calls: edits first, then calls in order."""
        if self._native and not self._form:
            return reply
        text = THINKING.sub("", reply.content)
        found = [] if self._native else [self._call(match) for match in CALL.finditer(text)]
        prose = text if self._native else CALL.sub("", text)
        edits = [self._edit(prose)] if self._form and _asks_for_edits(prose, self._form) else []
        return reply.model_copy(update={"tool_calls": (*edits, *reply.tool_calls, *found)})

    def write(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The conversation as this model takes it; it only grows where `messages` only grows."""
        return tuple(self._rewritten(messages)) if self._said or not self._native else tuple(messages)

    def _rewritten(self, messages: Sequence[Message]) -> Iterator[Message]:
        results: list[str] = []
        names: dict[str, str] = {}
        for message in messages:
            if isinstance(message, ToolMessage) and message.tool_call_id in self._said:
                results.append(prompt.fence_result(names.get(message.tool_call_id, ""), message.content))
                continue
            if results and not isinstance(message, ToolMessage):
                yield UserMessage(content="\n".join(results))
                results = []
            if isinstance(message, AssistantMessage):
                names = {call.id: call.name for call in message.tool_calls}
                native = tuple(call for call in message.tool_calls if call.id not in self._said)
                yield message.model_copy(update={"tool_calls": native})
            else:
                yield message
        if results:
            yield UserMessage(content="\n".join(results))

    def _call(self, match: re.Match[str]) -> ToolCall:
        text = (match["fenced"] or match["tagged"] or "").strip()
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            return self._new_call(_likely_name(text), text)
        name = next((value[key] for key in ("name", "tool", "function") if isinstance(value.get(key), str)), "")
        given: object = next((value[key] for key in ("arguments", "parameters", "input") if key in value), {})
        return self._new_call(name, given if isinstance(given, str) else json.dumps(given))

    def _edit(self, text: str) -> ToolCall:
        return self._new_call(EDIT_TEXT.spec.name, json.dumps({"form": self._form, "text": text.strip()}))

    def _new_call(self, name: str, arguments: str) -> ToolCall:
        identifier = f"said_{len(self._said) + 1}"
        self._said.add(identifier)
        return ToolCall(id=identifier, name=name, arguments=arguments)


def _text_format(form: EditFormat, *, native: bool) -> Format | None:
    """The format in which edits come as text; None where they come by a tool."""
    if form == "auto":
        return None if native else "search_replace"
    if form == "edit" or (form == "apply_patch" and native):
        return None
    return form


def _dropped(form: EditFormat, text_format: Format | None) -> tuple[str, ...]:
    if text_format:
        return EDITING
    return tuple(name for name in EDITING if form in EDITING and name != form)


def _asks_for_edits(text: str, form: Format) -> bool:
    if form in MARKS and not MARKS[form].search(text):
        return False
    return any(not isinstance(item, Command) for item in parse_reply(text, form))


def _likely_name(text: str) -> str:
    found = re.search(r'"(?:name|tool|function)"\s*:\s*"([a-zA-Z0-9_-]{1,64})"', text)
    return found[1] if found else "unreadable"
