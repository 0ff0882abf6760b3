"""The agent's side of a model call: numbering the requests, and making replies safe to keep in a conversation."""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from ay_bot.agent import prompt
from ay_bot.agent.dialect import Dialect
from ay_bot.agent.tools.arguments import parse_object
from ay_bot.agent.tools.workbench import Refusal
from ay_bot.protocol.conversation import AssistantMessage, Message, Role, SystemMessage, ToolCall, UserMessage
from ay_bot.protocol.layers import Layer
from ay_bot.protocol.messages import ModelFailure, ModelReply, ModelRequest

Ask = Callable[[ModelRequest], ModelReply | ModelFailure]
SUMMARY_TOKENS = 2_000
MOST_KEPT = 400_000
KEPT_OF_LONG = 2_000
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Model:
    """Asks the model behind a role, in its dialect."""

    def __init__(self, ask: Ask, dialect: Dialect, role: Role = "main") -> None:
        self._ask = ask
        self._role = role
        self._dialect = dialect
        self._request_id = 0
        self._identifiers: set[str] = set()

    def reply(
        self, messages: Sequence[Message], layers: Mapping[Layer, int], *, escalate: bool = False
    ) -> ModelReply | ModelFailure:
        """Send the conversation, and wait; `layers` are its parts in tokens, `escalate` asks the stronger model."""
        self._request_id += 1
        written = self._dialect.write(messages)
        request = ModelRequest(
            request_id=self._request_id,
            role=self._role,
            messages=written,
            tools=self._dialect.specs,
            escalate=escalate,
            layers=dict(layers),
        )
        answer = self._ask(request)
        return self._dialect.read(answer) if isinstance(answer, ModelReply) else answer

    def summarise(self, transcript: str) -> str:
        """Ask the model for summaries for one; empty where it gives none."""
        self._request_id += 1
        messages = (
            SystemMessage(content=prompt.SUMMARISE),
            UserMessage(content=prompt.build_transcript(transcript.encode("utf-8", "replace").decode())),
        )
        request = ModelRequest(
            request_id=self._request_id, role="summary", messages=messages, max_output_tokens=SUMMARY_TOKENS
        )
        answer = self._ask(request)
        return answer.content if isinstance(answer, ModelReply) else ""

    def keep(self, reply: ModelReply, most: int = MOST_KEPT) -> AssistantMessage:
        """The reply as history: providers refuse repeated ids, odd names, and arguments that are not an object.

        What is longer than `most` characters was carried out, but would be paid for in every request: it is cut.
        """
        calls = tuple(_shortened(self._kept(call), most) for call in reply.tool_calls)
        content = reply.content or ("" if calls else "(empty reply)")
        if len(content) > most:
            content = f"{content[:KEPT_OF_LONG]}\n[… {len(content) - KEPT_OF_LONG:,} characters left out …]"
        return AssistantMessage(content=content, tool_calls=calls, thoughts=reply.thoughts)

    def _kept(self, call: ToolCall) -> ToolCall:
        identifier = call.id
        while not identifier or identifier in self._identifiers:
            identifier = f"call_{len(self._identifiers)}_{self._request_id}"
            if identifier in self._identifiers:
                identifier += "x"
        self._identifiers.add(identifier)
        name = call.name if NAME.fullmatch(call.name) else "invalid"
        if (identifier, name) == (call.id, call.name) and _is_object(call.arguments):
            return call
        arguments = call.arguments if _is_object(call.arguments) else json.dumps({"invalid": call.arguments[:2_000]})
        return ToolCall(id=identifier, name=name, arguments=arguments if call.arguments.strip() else "{}")


def _shortened(call: ToolCall, most: int) -> ToolCall:
    if len(call.arguments) <= most:
        return call
    cut = {"cut": call.arguments[:KEPT_OF_LONG], "characters": len(call.arguments)}
    return call.model_copy(update={"arguments": json.dumps(cut)})


def _is_object(arguments: str) -> bool:
    if not arguments.strip():
        return False
    try:
        json.loads(arguments)
        parse_object(arguments)
    except (ValueError, RecursionError, Refusal):
        return False
    return True
