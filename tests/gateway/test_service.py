"""The gateway process against a real server: every way to fail, the budget, progress, and calls side by side."""

import threading
import time
from collections.abc import Iterator

import pytest

from ay_bot.host.gateway_process import Gateway
from ay_bot.protocol.conversation import ToolSpec, UserMessage
from ay_bot.protocol.messages import Configure, ModelFailure, ModelProgress, ModelReply, ModelRequest, ModelSetting
from demo.scripted_model import ScriptedModel, Turn, parse_script

KEY = "sk-very-secret"
TOOLS = (ToolSpec(name="shell", description="Run.", parameters={"type": "object", "properties": {}}),)
REQUEST = ModelRequest(request_id=42, messages=(UserMessage(content="Mend it."),), tools=TOOLS)


def settings(api_base: str | None, model: str = "openai/scripted") -> Configure:
    return Configure(
        roles={"main": ModelSetting(model=model, api_base=api_base)},
        idle_timeout=1.5,
        total_timeout=4,
        max_retry_wait=5,
    )


class Setup:
    """One gateway and one model for all tests here; each test writes the script."""

    def __init__(self, model: ScriptedModel, gateway: Gateway) -> None:
        self.model = model
        self.gateway = gateway
        self.progress: list[ModelProgress] = []

    def ask(self, *turns: object) -> ModelReply | ModelFailure:
        self.model.script = parse_script(list(turns))
        self.model.requests.clear()
        self.progress.clear()
        return self.gateway.ask(REQUEST, self.progress.append)


@pytest.fixture(scope="module")
def setup() -> Iterator[Setup]:
    with ScriptedModel([]) as model, Gateway.start({"OPENAI_API_KEY": KEY}) as gateway:
        gateway.configure(settings(model.api_base))
        yield Setup(model, gateway)


def test_an_answer_with_tool_calls(setup):
    calls = [{"name": "shell", "arguments": {"command": "ls"}}, {"name": "shell", "arguments": "{not json"}]
    reply = setup.ask({"text": "Look.", "tool_calls": calls, "usage": {"prompt_tokens": 12, "completion_tokens": 3}})
    assert isinstance(reply, ModelReply)
    assert reply.request_id == 42
    assert [call.arguments for call in reply.tool_calls] == ['{"command": "ls"}', "{not json"]
    assert len({call.id for call in reply.tool_calls}) == 2
    assert (reply.content, reply.finish_reason) == ("Look.", "tool_calls")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cost_usd) == (12, 3, None)
    assert setup.model.heads[-1]["Authorization"] == f"Bearer {KEY}"


def test_a_long_answer_comes_in_many_pieces_and_whole(setup):
    text = "naïve \u2028 and 中文 " * 2000
    reply = setup.ask({"text": text})
    assert isinstance(reply, ModelReply)
    assert reply.content == text


def test_an_answer_that_hit_its_limit(setup):
    reply = setup.ask({"text": "and then", "finish": "length"})
    assert isinstance(reply, ModelReply)
    assert reply.finish_reason == "length"


@pytest.mark.parametrize(
    ("turn", "cause", "requests"),
    [
        (Turn(status=400, text="no such parameter"), "invalid_request", 1),
        (Turn(status=400, text="maximum context length is 8192 tokens"), "context_window", 1),
        (Turn(status=401, text=f"the key {KEY} is wrong"), "authentication", 1),
        (Turn(status=402), "payment", 1),
        (Turn(status=403), "permission", 1),
        (Turn(status=404), "not_found", 1),
        (Turn(status=429, headers={"Retry-After": "90"}), "rate_limit", 1),
        (Turn(status=429, headers={"Retry-After": "0"}), "rate_limit", 5),
        (Turn(status=500, headers={"Retry-After": "0"}), "provider", 5),
        (Turn(status=529, headers={"Retry-After": "0.1"}), "provider", 5),
        (Turn(fault="garbage"), "malformed", 2),
        (Turn(fault="half_stream", text="half " * 100), "malformed", 2),
        (Turn(fault="hang", delay=3), "timeout", 1),
    ],
)
def test_every_failure_has_its_cause(setup, turn, cause, requests):
    failure = setup.ask(*[turn] * 6)
    assert isinstance(failure, ModelFailure)
    assert (failure.request_id, failure.cause) == (42, cause)
    assert len(setup.model.requests) == requests
    assert len(setup.progress) == requests - 1
    assert KEY not in failure.message
    assert isinstance(setup.ask("still alive"), ModelReply)


def test_the_wish_to_wait_is_honoured_and_told(setup):
    started = time.monotonic()
    reply = setup.ask(Turn(status=429, headers={"Retry-After": "1"}), Turn(text="now"))
    assert isinstance(reply, ModelReply)
    assert time.monotonic() - started >= 1
    assert [progress.retry_in for progress in setup.progress] == [1]
    assert "429" in setup.progress[0].reason


def test_a_connection_that_breaks_before_the_answer_is_tried_again(setup):
    assert isinstance(setup.ask(Turn(fault="disconnect"), Turn(text="now")), ModelReply)
    assert len(setup.model.requests) == 2


def test_the_total_time_is_limited_too():
    """A server that sends a byte now and then is never idle, but it is not allowed to go on for ever."""
    import socketserver

    class Trickle(socketserver.StreamRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 10000\r\n\r\n")
            try:
                for _ in range(40):
                    self.wfile.write(b": x\n")
                    time.sleep(0.25)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Trickle) as server, Gateway.start({}) as gateway:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        gateway.configure(settings(f"http://127.0.0.1:{server.server_address[1]}/v1"))
        gateway.wait_ready()
        started = time.monotonic()
        failure = gateway.ask(REQUEST)
        server.shutdown()
    assert isinstance(failure, ModelFailure)
    assert failure.cause == "timeout"
    assert "4 s" in failure.message
    assert 3.5 < time.monotonic() - started < 20


def test_several_calls_run_side_by_side(setup):
    setup.model.script = parse_script([{"text": "late", "delay": 1}, {"text": "late", "delay": 1}, "soon"])
    replies: list[ModelReply | ModelFailure] = []

    def ask() -> None:
        replies.append(setup.gateway.ask(REQUEST))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    contents = [reply.content for reply in replies if isinstance(reply, ModelReply)]
    assert contents == ["soon", "late", "late"], "the answer that is quick does not wait for those that are not"


def test_progress_while_a_slow_answer_arrives():
    import socketserver

    def event(delta: str, finish: str = "null") -> bytes:
        choice = f'{{"index":0,"delta":{{"content":"{delta}"}},"finish_reason":{finish}}}'
        return f'data: {{"id":"c","created":1,"model":"m","choices":[{choice}]}}\n\n'.encode()

    class Slow(socketserver.StreamRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for _ in range(4):
                self.wfile.write(event("12345"))
                time.sleep(0.4)
            self.wfile.write(event("", '"stop"') + b"data: [DONE]\n\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Slow) as server, Gateway.start({}) as gateway:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        gateway.configure(settings(f"http://127.0.0.1:{server.server_address[1]}/v1"))
        progress: list[ModelProgress] = []
        reply = gateway.ask(REQUEST, progress.append)
        server.shutdown()
    assert isinstance(reply, ModelReply)
    assert reply.content == "12345" * 4
    assert [step.received_characters for step in progress] == sorted({step.received_characters for step in progress})
    assert 0 < progress[0].received_characters < 20


def outcome(configure: Configure, environment: dict[str, str]) -> ModelFailure:
    with Gateway.start(environment) as gateway:
        gateway.configure(configure)
        gateway.wait_ready()
        failure = gateway.ask(REQUEST)
    assert isinstance(failure, ModelFailure)
    return failure


def test_a_server_that_is_not_there():
    configure = settings("http://127.0.0.1:9/v1").model_copy(update={"max_retries": 1})
    failure = outcome(configure, {})
    assert failure.cause == "unreachable"
    assert "127.0.0.1:9" in failure.message


def test_a_missing_key_is_named():
    failure = outcome(settings(None, "openai/gpt-4.1"), {})
    assert (failure.cause, "OPENAI_API_KEY" in failure.message) == ("configuration", True)
    failure = outcome(settings(None, "anthropic/claude-sonnet-4-5"), {})
    assert (failure.cause, "ANTHROPIC_API_KEY" in failure.message) == ("configuration", True)


def test_an_unknown_provider_is_named():
    failure = outcome(settings(None, "nonsense"), {})
    assert (failure.cause, "nonsense" in failure.message) == ("configuration", True)


def test_a_server_of_ones_own_needs_no_key():
    with ScriptedModel(["hello"]) as model, Gateway.start({}) as gateway:
        gateway.configure(settings(model.api_base))
        assert isinstance(gateway.ask(REQUEST), ModelReply)


def test_what_could_break_the_budget_is_never_sent():
    turn = {"text": "ok", "usage": {"prompt_tokens": 900, "completion_tokens": 50}}
    with ScriptedModel([turn] * 3) as model, Gateway.start({}) as gateway:
        gateway.configure(settings(model.api_base).model_copy(update={"max_tokens": 3000}))
        first = gateway.ask(REQUEST)
        assert isinstance(first, ModelReply)
        assert first.budget.spent == pytest.approx(950 / 3000)
        long = REQUEST.model_copy(update={"messages": (UserMessage(content="word " * 2000),)})
        failure = gateway.ask(long)
        assert isinstance(failure, ModelFailure)
        assert failure.cause == "budget"
        assert failure.budget.tokens == 950
        assert len(model.requests) == 1
        second = gateway.ask(REQUEST)
        assert isinstance(second, ModelReply)
        assert 256 <= model.requests[-1]["max_tokens"] <= 3000 - 950


def test_money_is_counted_by_litellms_prices():
    turn = {"text": "ok", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}
    with ScriptedModel([turn] * 3) as model, Gateway.start({}) as gateway:
        configure = settings(model.api_base, "openai/gpt-4.1").model_copy(update={"max_cost_usd": 0.005})
        gateway.configure(configure)
        ready = gateway.wait_ready()
        assert ready.priced == ("main",)
        assert ready.context_windows["main"] > 500_000
        reply = gateway.ask(REQUEST)
        assert isinstance(reply, ModelReply)
        assert reply.usage.cost_usd == pytest.approx(1000 * 2e-6 + 100 * 8e-6)
        assert reply.budget.spent == pytest.approx(0.0028 / 0.005)
        failure = gateway.ask(REQUEST.model_copy(update={"messages": (UserMessage(content="word " * 2000),)}))
        assert isinstance(failure, ModelFailure)
        assert failure.cause == "budget"
        assert len(model.requests) == 1
