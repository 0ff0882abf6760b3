"""The direct route on the import diet asks and understands exactly what all of litellm would."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import provider_dialects
import pytest

from ay_bot.gateway import import_diet
from ay_bot.gateway.assembly import Assembly, CallPart, Chunk, Tokens
from ay_bot.gateway.thoughts import Piece
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

KEYS = {
    f"{provider}_API_KEY": f"{provider.lower()}-secret"
    for provider in ("OPENAI", "ANTHROPIC", "GEMINI", "DEEPSEEK", "MISTRAL", "OPENROUTER", "XAI")
}
MODELS = {
    "openai/gpt-4.1": "/v1",
    "openai/scripted": "/v1",
    "openai/gpt-5-mini": "/v1",
    "openai/o4-mini": "/v1",
    "anthropic/claude-sonnet-4-5": "",
    "gemini/gemini-2.5-pro": "",
    "deepseek/deepseek-chat": "/v1",
    "mistral/mistral-large-latest": "/v1",
    "openrouter/openai/gpt-4.1": "/v1",
    "xai/grok-3": "/v1",
}
UNPRICED = ("openai/scripted", "openrouter/openai/gpt-4.1", "xai/grok-3")
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
REQUESTS = (
    ModelRequest(request_id=1, messages=CONVERSATION, tools=TOOLS, max_output_tokens=4000),
    ModelRequest(request_id=2, messages=CONVERSATION[:2]),
)


def run(command: list[str], order: object) -> subprocess.CompletedProcess[str]:
    """Run a program that reads JSON, with every key and nothing else in its environment."""
    text = json.dumps(order)
    said = subprocess.run(command, input=text, env=KEYS, cwd="/", capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return said


class Run:
    """What one route asked of a server and made of its answers, for every model and request, in order."""

    def __init__(self, *, direct: bool) -> None:
        program = Path(__file__).with_name("ask_every_model.py")
        with provider_dialects.serve() as provider:
            order = {
                "direct": direct,
                "stream": True,
                "models": [(model, provider.address + path) for model, path in MODELS.items()],
                "requests": [request.model_dump(mode="json") for request in REQUESTS],
            }
            command = [sys.executable, "-I", str(program)]
            said = run(command, order)
        self.asked = provider.asked
        self.answers = [(model, assembled(chunks)) for model, chunks in json.loads(said.stdout)]


def assembled(chunks: list[list[Any]]) -> Assembly:
    assembly = Assembly()
    for text, calls, finish, tokens, thoughts in chunks:
        parts = tuple(CallPart(*call) for call in calls)
        pieces = tuple(Piece(*thought) for thought in thoughts)
        assembly.add(Chunk(text, parts, finish, tokens and Tokens(*tokens), pieces))
    return assembly


@pytest.fixture(scope="module")
def direct() -> Run:
    return Run(direct=True)


@pytest.fixture(scope="module")
def plain() -> Run:
    return Run(direct=False)


@pytest.mark.slow
def test_both_routes_ask_the_same(direct, plain):
    assert len(direct.asked) == len(plain.asked) == len(MODELS) * len(REQUESTS)
    for (path, headers, body), (plain_path, plain_headers, plain_body) in zip(direct.asked, plain.asked, strict=True):
        assert path == plain_path
        assert body == plain_body
        for header in ("authorization", "x-api-key", "x-goog-api-key", "anthropic-version", "anthropic-beta"):
            assert headers.get(header) == plain_headers.get(header)


@pytest.mark.slow
def test_both_routes_understand_the_same(direct, plain):
    for (model, one), (_, other) in zip(direct.answers, plain.answers, strict=True):
        assert (one.text, one.finish_reason, one.tokens) == (other.text, other.finish_reason, other.tokens)
        made_up = model.startswith("gemini")  # Gemini gives calls no ids: litellm makes them up
        one_calls, other_calls = (
            [(call.name, call.arguments, "" if made_up else call.id) for call in side.tool_calls]
            for side in (one, other)
        )
        assert one_calls == other_calls


def test_every_dialect_is_understood(direct):
    assert [model for model, _ in direct.answers] == [model for model in MODELS for _ in REQUESTS]
    for model, answer in direct.answers:
        answer.check_complete()
        assert (answer.text, answer.finish_reason) == ("Let me look.", "tool_calls")
        assert [(call.name, json.loads(call.arguments)) for call in answer.tool_calls] == [("shell", {"command": "ls"})]
        assert answer.tokens is not None
        assert answer.tokens[:3] == (1000, 50, 600)
        if model in UNPRICED:
            assert answer.tokens.cost_usd is None
        else:
            assert 0 < (answer.tokens.cost_usd or 0) < 0.02


def test_the_diet_leaves_the_heavy_parts_out():
    program = (
        "import sys\n"
        "from ay_bot.gateway import providers\n"
        "from ay_bot.protocol.messages import ModelSetting\n"
        "from ay_bot.protocol.model_facts import ModelFacts\n"
        "assert providers.load_on_diet()\n"
        "for model in ('openai/gpt-4.1', 'anthropic/claude-sonnet-4-5', 'gemini/gemini-2.5-pro'):\n"
        "    providers.open_route(ModelSetting(model=model), ModelFacts(model=model), direct=True)\n"
        "print(*sys.modules)\n"
    )
    command = [sys.executable, "-I", "-c", program]
    loaded = set(run(command, None).stdout.split())
    assert not loaded & {
        "litellm.main",
        "litellm.router",
        "litellm.litellm_core_utils.litellm_logging",
        "openai.resources",
    }
    assert not any(name.startswith(("aiohttp.", "mcp", "rich", "tokenizers", "boto", "google.")) for name in loaded)
    assert len(loaded) < 1500


@pytest.mark.slow
def test_the_addresses_are_those_that_litellm_knows():
    program = (
        "from ay_bot.gateway import accounts, providers\n"
        "providers.load_on_diet()\n"
        "from litellm.litellm_core_utils.get_llm_provider_logic import get_llm_provider\n"
        "for name, address in accounts.ADDRESSES.items():\n"
        "    known = get_llm_provider(name + '/model')[3]\n"
        "    assert known in (None, address), (name, known)\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], env=KEYS, cwd="/", check=True)


@pytest.mark.slow
def test_a_provider_off_the_direct_route_is_reached_by_the_plain_one():
    with provider_dialects.serve() as provider, Gateway.start({"TOGETHERAI_API_KEY": "together-secret"}) as gateway:
        setting = ModelSetting(model="together_ai/some/model", api_base=f"{provider.address}/v1")
        gateway.configure(Configure(roles={"main": setting}))
        reply = gateway.ask(REQUESTS[0])
    assert isinstance(reply, ModelReply), reply
    assert reply.content == "Let me look."
    assert provider.asked[-1][1]["authorization"] == "Bearer together-secret"


@pytest.mark.slow
def test_a_diet_that_turns_out_too_thin_is_given_up():
    """An import that fails in the middle of a call leads to all of litellm, and the call is answered all the same."""
    program = (
        "import json, sys, threading\n"
        "from ay_bot.gateway import providers, service\n"
        "from ay_bot.protocol.messages import Configure, ModelRequest\n"
        "assert providers.load_on_diet()\n"
        "class Told:\n"
        "    def send(self, message):\n"
        "        print(message.model_dump_json())\n"
        "order = json.load(sys.stdin)\n"
        "gateway = service.Service(Told(), Configure.model_validate(order['configure']), on_diet=True)\n"
        "def broken(*_, **__):\n"
        "    raise ImportError('not on the diet')\n"
        "providers.DirectRoute.wire = broken\n"
        "gateway._answer(ModelRequest.model_validate(order['request']))\n"
        "assert 'litellm.main' in sys.modules\n"
    )
    with provider_dialects.serve() as provider:
        roles = {"main": ModelSetting(model="openai/gpt-4.1", api_base=f"{provider.address}/v1")}
        order = {
            "configure": Configure(roles=roles).model_dump(mode="json"),
            "request": REQUESTS[0].model_dump(mode="json"),
        }
        command = [sys.executable, "-I", "-c", program]
        said = run(command, order)
    assert ModelReply.model_validate_json(said.stdout.splitlines()[-1]).content == "Let me look."


def test_the_diet_leaves_out_a_tokenizer_and_nothing_else_takes_its_place():
    program = (
        "from ay_bot.gateway import providers\n"
        "assert providers.load_on_diet()\n"
        "import litellm.utils\n"
        "assert not {'json_data', 'claude_json_str'} & set(vars(litellm.utils))\n"
        "providers.load_plain()\n"
        "import litellm.utils\n"
        "assert len(litellm.utils.claude_json_str) > 1_000_000\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=60)


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
