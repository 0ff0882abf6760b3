"""The direct route on the import diet asks and understands exactly what all of litellm would."""

import sys
from collections.abc import Iterator

import provider_dialects
import pytest

from ay_bot.gateway import import_diet
from ay_bot.host.gateway_process import Gateway
from ay_bot.protocol.conversation import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from ay_bot.protocol.messages import Configure, ModelReply, ModelRequest, ModelSetting

KEYS = {"OPENAI_API_KEY": "openai-secret", "ANTHROPIC_API_KEY": "anthropic-secret", "GEMINI_API_KEY": "gemini-secret"}
MODELS = {
    "openai/gpt-4.1": "/v1",
    "openai/scripted": "/v1",
    "openai/gpt-5-mini": "/v1",
    "openai/o4-mini": "/v1",
    "anthropic/claude-sonnet-4-5": "",
    "gemini/gemini-2.5-pro": "",
}
CONVERSATION: tuple[Message, ...] = (
    SystemMessage(content="You mend code."),
    UserMessage(content="The tests fail: ünïcödé \u2028 and all."),
    AssistantMessage(
        content="First, the tests.",
        tool_calls=(
            ToolCall(id="call_a", name="run_tests", arguments="{}"),
            ToolCall(id="call_b", name="shell", arguments='{"command": "ls -l"}'),
        ),
    ),
    ToolMessage(tool_call_id="call_a", content="1 failed"),
    ToolMessage(tool_call_id="call_b", content="total 0"),
    AssistantMessage(tool_calls=(ToolCall(id="call_c", name="shell", arguments='{"command": "cat x"}'),)),
    ToolMessage(tool_call_id="call_c", content=""),
)
TOOLS = (
    ToolSpec(name="run_tests", description="Run the tests.", parameters={"type": "object", "properties": {}}),
    ToolSpec(
        name="shell",
        description="Run a command.",
        parameters={
            "type": "object",
            "properties": {"command": {"type": "string"}, "timeout": {"type": "integer"}},
            "required": ["command"],
        },
    ),
)
REQUEST = ModelRequest(request_id=1, messages=CONVERSATION, tools=TOOLS, max_output_tokens=4000)


@pytest.fixture(scope="module")
def provider() -> Iterator[provider_dialects.Provider]:
    with provider_dialects.serve() as provider:
        yield provider


def ask(provider: provider_dialects.Provider, model: str, request: ModelRequest, *, plain: bool) -> ModelReply:
    setting = ModelSetting(model=model, api_base=provider.address + MODELS.get(model, ""))
    with Gateway.start(KEYS, plain=plain) as gateway:
        gateway.configure(Configure(roles={"main": setting}))
        reply = gateway.ask(request)
    assert isinstance(reply, ModelReply), reply
    return reply


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_both_routes_ask_and_understand_the_same(provider, model):
    for request in (
        REQUEST,
        REQUEST.model_copy(update={"tools": (), "messages": CONVERSATION[:2], "max_output_tokens": None}),
    ):
        provider.asked.clear()
        direct = ask(provider, model, request, plain=False)
        plain = ask(provider, model, request, plain=True)
        (direct_path, direct_headers, direct_body), (plain_path, plain_headers, plain_body) = provider.asked
        assert direct_path == plain_path
        assert direct_body == plain_body
        for header in ("authorization", "x-api-key", "x-goog-api-key", "anthropic-version", "anthropic-beta"):
            assert direct_headers.get(header) == plain_headers.get(header)
        if model.startswith("gemini"):  # Gemini gives calls no ids: litellm makes them up
            nameless = [call.model_copy(update={"id": ""}) for call in direct.tool_calls]
            assert nameless == [call.model_copy(update={"id": ""}) for call in plain.tool_calls]
            direct, plain = (reply.model_copy(update={"tool_calls": ()}) for reply in (direct, plain))
        assert direct == plain


@pytest.mark.parametrize("model", MODELS)
def test_each_dialect_is_understood(provider, model):
    reply = ask(provider, model, REQUEST, plain=False)
    assert reply.content == "Let me look."
    assert [(call.name, call.arguments.replace(" ", "")) for call in reply.tool_calls] == [
        ("shell", '{"command":"ls"}')
    ]
    assert reply.finish_reason == "tool_calls"
    usage = reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (1000, 50, 600)
    assert (usage.cost_usd is None) == (model == "openai/scripted")
    assert usage.cost_usd is None or 0 < usage.cost_usd < 0.01


@pytest.mark.slow
def test_a_provider_off_the_direct_route_is_reached_by_the_plain_one(provider):
    setting = ModelSetting(model="deepseek/deepseek-chat", api_base=provider.address)
    with Gateway.start({**KEYS, "DEEPSEEK_API_KEY": "deep-secret"}) as gateway:
        gateway.configure(Configure(roles={"main": setting}))
        reply = gateway.ask(REQUEST)
    assert isinstance(reply, ModelReply), reply
    assert reply.content == "Let me look."
    assert provider.asked[-1][1]["authorization"] == "Bearer deep-secret"


def test_the_diet_leaves_no_trace_once_it_is_undone():
    before = dict(sys.modules)
    assert not any(name.partition(".")[0] in ("litellm", "openai") for name in before)
    import_diet.apply()
    try:
        import aiohttp

        with pytest.raises(import_diet.DietTooThin):
            aiohttp.ClientSession()
        import openai.types.chat

        assert "openai.types.chat.chat_completion" not in sys.modules
        assert openai.types.chat.ChatCompletion.__module__ == "openai.types.chat.chat_completion"
        with pytest.raises(AttributeError):
            _ = openai.types.chat.NoSuchThing
    finally:
        import_diet.undo()
    for name in ("aiohttp", "openai", "httpx._main"):
        assert name not in sys.modules
    assert not any(isinstance(finder, import_diet._Finder) for finder in sys.meta_path)
