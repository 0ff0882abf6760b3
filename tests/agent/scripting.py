"""A scripted model for the loop: it answers with what the test wrote, and checks that every request is well formed."""

import json

from ay_bot.protocol.conversation import AssistantMessage, ToolCall, ToolMessage, Usage
from ay_bot.protocol.messages import Budget, ModelFailure, ModelReply


def calls(*wanted, content="", spent=0.0, finish_reason="tool_calls"):
    """A reply that calls tools: (name, arguments) each; arguments as text stay as they are."""
    return content, wanted, spent, finish_reason


def text(content, finish_reason="stop"):
    """A reply without tool calls."""
    return content, (), 0.0, finish_reason


class ScriptedModel:
    """Answers in order; the last answer is given for ever."""

    def __init__(self, *script, prompt_tokens=0):
        self.script = script
        self.requests = []
        self.prompt_tokens = prompt_tokens

    def __call__(self, request):
        check(request)
        self.requests.append(request)
        answer = self.script[min(len(self.requests), len(self.script)) - 1]
        if isinstance(answer, str):
            return ModelFailure(request_id=request.request_id, cause=answer, message=f"it was {answer}")
        content, wanted, spent, finish_reason = answer
        number = len(self.requests)
        return ModelReply(
            request_id=request.request_id,
            content=content,
            tool_calls=tuple(
                ToolCall(
                    id=f"c{number}-{index}", name=name, arguments=given if isinstance(given, str) else json.dumps(given)
                )
                for index, (name, given) in enumerate(wanted)
            ),
            finish_reason=finish_reason,
            usage=Usage(requests=1, prompt_tokens=self.prompt_tokens),
            budget=Budget(spent=spent),
        )


def check(request):
    """What every provider demands: each call has one result right after it, ids are unique, arguments are objects."""
    request.model_dump_json()
    waiting, seen = [], set()
    for message in request.messages:
        if isinstance(message, ToolMessage):
            assert waiting, "a result without a call"
            assert message.tool_call_id == waiting.pop(0)
            continue
        assert not waiting, f"calls without a result: {waiting}"
        if isinstance(message, AssistantMessage):
            assert message.content or message.tool_calls
            waiting = [call.id for call in message.tool_calls]
            assert not seen & set(waiting)
            seen |= set(waiting)
            assert all(isinstance(json.loads(call.arguments), dict) for call in message.tool_calls)
    assert not waiting
