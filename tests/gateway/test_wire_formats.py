"""Every provider family, streamed and at once, against a server that speaks its format and judges what it is asked."""

import base64
import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from ay_bot.host.gateway_process import Gateway
from ay_bot.protocol.conversation import (
    AssistantMessage,
    ImagePart,
    Message,
    Role,
    SystemMessage,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from ay_bot.protocol.messages import Configure, Image, ModelFailure, ModelReply, ModelRequest, ModelSetting, RoleModels
from tests.loopback_models import gemini
from tests.loopback_models.server import MODELS, LoopbackModels, serve
from tests.loopback_models.turns import Count, Kind, Turn

KEYS = {f"{name}_API_KEY": f"{name.lower()}-secret" for name in ("OPENAI", "ANTHROPIC", "GEMINI")}
ROLES: dict[str, Role] = {"chat": "main", "responses": "planner", "anthropic": "editor", "gemini": "reviewer"}
TOOLS = (
    ToolSpec(
        name="shell",
        description="Run a command.",
        parameters={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    ),
)
OPENING: tuple[Message, ...] = (SystemMessage(content="You mend code."), UserMessage(content="Mend it: ünï\u2028cödé."))
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PART = ImagePart(digest=hashlib.sha256(PIXEL).hexdigest(), media_type="image/png", width=1, height=1, name="shot.png")
LOOK = Turn("Let me look.", (("shell", {"command": "ls"}), ("shell", {"command": "cat ü"})), thought="What is there?")
AGAIN = Turn("", (("shell", {"command": "cat x"}),), thought="And in x?")


class Stand:
    """A gateway with a role for each format, and the server behind all of them."""

    def __init__(self, gateway: Gateway, models: LoopbackModels, *, streams: bool) -> None:
        self.gateway = gateway
        self.streams = streams
        self.models = models

    def ask(self, wire: str, *turns: Turn, messages: tuple[Message, ...] = OPENING) -> ModelReply | ModelFailure:
        self.models.turns[:] = turns
        self.models.asked.clear()
        self.models.refused.clear()
        return self.gateway.ask(ModelRequest(request_id=1, role=ROLES[wire], messages=messages, tools=TOOLS))

    def answer(self, wire: str, *turns: Turn, messages: tuple[Message, ...] = OPENING) -> ModelReply:
        reply = self.ask(wire, *turns, messages=messages)
        assert isinstance(reply, ModelReply), (reply, self.models.refused)
        return reply


@pytest.fixture(scope="module", params=[True, False], ids=["streamed", "at once"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    with serve() as models, Gateway.start(KEYS) as gateway:
        roles: dict[Role, ModelSetting | RoleModels] = {
            role: RoleModels(models=(ModelSetting(model=MODELS[wire], api_base=models.base(wire)),), reasoning="low")
            for wire, role in ROLES.items()
        }
        gateway.configure(
            Configure(
                roles=roles,
                images=(Image(part=PART, data=PIXEL),),
                stream=request.param,
                idle_timeout=1,
                total_timeout=2,
                max_retries=1,
                max_retry_wait=2.1,
                first_retry_wait=0.1,
                rest=0,
            )
        )
        yield Stand(gateway, models, streams=request.param)


wires = pytest.mark.parametrize("wire", ROLES)


def go_on(history: tuple[Message, ...], reply: ModelReply) -> tuple[Message, ...]:
    said = AssistantMessage(content=reply.content, tool_calls=reply.tool_calls, thoughts=reply.thoughts)
    results = (ToolMessage(tool_call_id=call.id, content=f"result of {call.id}") for call in reply.tool_calls)
    return (*history, said, *results)


@wires
def test_a_conversation_with_tools_and_thoughts_is_taken_by_its_provider(stand, wire):
    """The server refuses a thought that doesn't come back as it was, where it was, and a call without its result."""
    history = OPENING
    for turn in (LOOK, AGAIN, LOOK, Turn("Done.")):
        reply = stand.answer(wire, turn, messages=history)
        assert reply.content == turn.text
        assert [(call.name, json.loads(call.arguments)) for call in reply.tool_calls] == list(turn.calls)
        assert len({call.id for call in reply.tool_calls}) == len(turn.calls)
        assert reply.finish_reason == ("tool_calls" if turn.calls else "stop")
        assert reply.model == MODELS[wire]
        assert gemini.UNCHECKED not in json.dumps(stand.models.asked[-1][2])
        assert bool(reply.thoughts) == (wire != "chat" and bool(turn.calls))
        usage = reply.usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (1000, 50, 600)
        assert 0 < (usage.cost_usd or 0) < 0.01
        history = go_on(history, reply)


@wires
def test_each_request_begins_with_the_one_before_it(stand, wire):
    """To the byte, but for the marks of Anthropic's cache, which are no part of what is cached."""
    history, bodies = OPENING, []
    for turn in (LOOK, AGAIN, AGAIN):
        reply = stand.answer(wire, turn, messages=history)
        bodies.append(stand.models.asked[-1][2])
        history = go_on(history, reply)
    (key,) = {"messages", "input", "contents"} & bodies[0].keys()
    for before, after in itertools.pairwise(bodies):
        one, other = (unmarked(body) for body in (before, after))
        assert other[key][: len(one[key])] == one[key]
        assert {name: one[name] for name in one if name != key} == {name: other[name] for name in other if name != key}
        assert list(one) == list(other)


def unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: unmarked(one) for name, one in value.items() if name != "cache_control"}
    return [unmarked(one) for one in value] if isinstance(value, list) else value


def test_anthropic_is_told_what_to_cache(stand):
    reply = stand.answer("anthropic", LOOK)
    history = go_on(OPENING, reply)
    stand.answer("anthropic", Turn("Done."), messages=history)
    body = stand.models.asked[-1][2]
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" in body["messages"][-1]["content"][-1], "the end of this request"
    assert "cache_control" in body["messages"][0]["content"][-1], "the end of the one before"
    assert json.dumps(body).count("cache_control") == 3


@wires
def test_refusals(stand, wire):
    reply = stand.answer(wire, Turn(refusal="I can't help with that."))
    assert reply.finish_reason == "content_filter"
    assert reply.content == ("" if wire == "gemini" else "I can't help with that.")


@wires
def test_an_answer_that_hit_its_limit(stand, wire):
    reply = stand.answer(wire, Turn("and then", cut=True))
    assert (reply.content, reply.finish_reason) == ("and then", "length")


def test_an_answer_that_filled_the_window(stand):
    reply = stand.answer("anthropic", Turn("and then", full=True))
    assert (reply.content, reply.finish_reason) == ("and then", "length")


@wires
def test_an_image_is_seen(stand, wire):
    shown = UserMessage(content="See.", images=(PART,))
    stand.answer(wire, Turn("I see."), messages=(*OPENING[:1], shown))
    assert base64.b64encode(PIXEL).decode() in json.dumps(stand.models.asked[-1][2])


CAUSES: dict[Kind, str] = {
    "rate_limit": "rate_limit",
    "overloaded": "provider",
    "server": "provider",
    "authentication": "authentication",
    "payment": "payment",
    "permission": "permission",
    "not_found": "not_found",
    "too_long": "context_window",
    "invalid": "invalid_request",
    "filter": "refused",
}
TRANSIENT = ("rate_limit", "overloaded", "server")


@wires
def test_every_error_has_its_cause_in_the_words_of_every_provider(stand, wire):
    assert set(CAUSES) == set(get_args(Kind))
    for kind, cause in CAUSES.items():
        failure = stand.ask(wire, *[Turn(fails=kind, retry_after="0.1")] * 2)
        assert isinstance(failure, ModelFailure)
        assert (failure.cause, len(stand.models.asked)) == (cause, 1 + (kind in TRANSIENT)), failure


@wires
def test_an_error_in_the_midst_of_a_stream(stand, wire):
    if stand.streams:
        reply = stand.answer(wire, Turn("half of it", fails="overloaded", midway=True), Turn("now"))
        assert (reply.content, len(stand.models.asked)) == ("now", 2)


@wires
def test_a_stream_that_breaks_is_begun_again(stand, wire):
    if stand.streams:
        assert stand.answer(wire, Turn("some text to break", fault="reset"), Turn("now")).content == "now"


def test_connections_that_give_nothing(stand):
    assert stand.answer("anthropic", Turn(fault="closed"), Turn("now")).content == "now"
    assert stand.answer("gemini", Turn(fault="garbage"), Turn("now")).content == "now"


def test_silence_and_drips_end(stand):
    failure = stand.ask("responses", Turn(fault="hang", wait=2.6))
    assert isinstance(failure, ModelFailure)
    assert failure.cause == "timeout"
    failure = stand.ask("chat", Turn("never " * 20, fault="drip"))
    if stand.streams:  # at once, nothing drips
        assert isinstance(failure, ModelFailure)
        assert failure.cause == "timeout"


@wires
def test_wrong_counts_neither_end_a_budget_nor_refill_it(stand, wire):
    before = stand.answer(wire, Turn("a")).budget.tokens
    reply = stand.answer(wire, Turn("b", count=Count(10**12, 0, 10**12)))
    assert reply.usage.prompt_tokens < 200_000
    assert reply.usage.completion_tokens <= 1_000_000
    assert reply.budget.tokens > before
    reply = stand.answer(wire, Turn("c", count=Count(-5, 0, -7)))
    assert reply.usage.prompt_tokens >= 0
    assert reply.usage.completion_tokens >= 0


def test_thoughts_of_another_model_are_left_out(stand):
    """A conversation that goes on with another provider is one that this provider takes."""
    history = go_on(OPENING, stand.answer("anthropic", LOOK))
    history = go_on(history, stand.answer("gemini", AGAIN, messages=history))
    history = go_on(history, stand.answer("responses", AGAIN, messages=history))
    history = go_on(history, stand.answer("chat", AGAIN, messages=history))
    stand.answer("anthropic", Turn("Done."), messages=history)


@pytest.mark.slow
def test_a_provider_off_the_direct_route_answers_at_once_too():
    with serve() as models, Gateway.start({"TOGETHERAI_API_KEY": "together-secret"}) as gateway:
        setting = ModelSetting(model="together_ai/plain", api_base=models.base("chat"))
        gateway.configure(Configure(roles={"main": setting}, stream=False))
        stand = Stand(gateway, models, streams=False)
        history = OPENING
        for turn in (LOOK, Turn(refusal="No."), Turn("and", cut=True)):
            reply = stand.answer("chat", turn, messages=history)
            assert [(call.name, json.loads(call.arguments)) for call in reply.tool_calls] == list(turn.calls)
            history = go_on(history, reply) if reply.tool_calls else history
        assert reply.finish_reason == "length"
        assert reply.usage.prompt_tokens == 1000
        failure = stand.ask("chat", Turn(fails="too_long"))
        assert isinstance(failure, ModelFailure)
        assert failure.cause == "context_window"


@pytest.mark.slow
def test_a_drip_of_a_provider_off_the_direct_route_ends_too():
    with serve() as models, Gateway.start({"TOGETHERAI_API_KEY": "together-secret"}) as gateway:
        setting = ModelSetting(model="together_ai/plain", api_base=models.base("chat"))
        gateway.configure(Configure(roles={"main": setting}, idle_timeout=5, total_timeout=5, max_retries=0))
        stand = Stand(gateway, models, streams=True)
        stand.ask("chat", Turn("quick"))  # the first takes as long as litellm takes to get ready
        started = time.monotonic()
        failure = stand.ask("chat", Turn("never " * 40, fault="drip"))
        assert isinstance(failure, ModelFailure)
        assert (failure.cause, "after 5 s" in failure.message) == ("timeout", True)
        assert time.monotonic() - started < 20
