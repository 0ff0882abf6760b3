"""Calls of one reply: those that may run at once do, and results stay in order."""

import threading

import pytest

from ay_bot.agent.calling import MAX_CALLS, Calling
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import AssistantMessage, ToolCall
from ay_bot.protocol.messages import ModelReply


class Named(Arguments):
    """What a test's tool takes."""

    name: str


@pytest.fixture
def run(tmp_path):
    bench = Workbench(root=tmp_path, scratch=tmp_path, run=None)

    def carry_out(tools, *wanted):
        calls = tuple(
            ToolCall(id=f"c{n}", name=tool, arguments=f'{{"name": "{name}"}}') for n, (tool, name) in enumerate(wanted)
        )
        done = Calling(tools, bench, [].append).run(
            ModelReply(request_id=1, tool_calls=calls), AssistantMessage(content="", tool_calls=calls)
        )
        return [one.result.text for one in done]

    return carry_out


def tool(name, action, *, parallel):
    spec = build_spec(name, name, {"name": "string"})
    return Tool(
        spec, Named, lambda given, _: ToolResult(action(given.name)), lambda given: given.name, parallel=parallel
    )


def test_what_may_run_at_once_does_and_answers_in_order(run):
    together = threading.Barrier(3, timeout=20)

    def meet(name):
        together.wait()
        return name

    tools = {"look": tool("look", meet, parallel=True)}
    assert run(tools, ("look", "a"), ("look", "b"), ("look", "c")) == ["a", "b", "c"]


def test_what_changes_something_runs_alone_and_in_its_turn(run):
    order, running = [], []

    def note(name):
        running.append(name)
        assert len(running) == 1 or name.startswith("look")
        order.append(name)
        running.remove(name)
        return name

    tools = {"look": tool("look", note, parallel=True), "do": tool("do", note, parallel=False)}
    wanted = [("look", "look 1"), ("do", "do 1"), ("do", "do 2"), ("look", "look 2"), ("look", "look 3")]
    assert run(tools, *wanted) == [name for _, name in wanted]
    assert order[:3] == ["look 1", "do 1", "do 2"]


def test_there_is_a_result_for_each_of_too_many(run):
    tools = {"look": tool("look", str, parallel=True)}
    texts = run(tools, *[("look", str(n)) for n in range(MAX_CALLS + 5)])
    assert texts[:MAX_CALLS] == [str(n) for n in range(MAX_CALLS)]
    assert set(texts[MAX_CALLS:]) == {f"not run: at most {MAX_CALLS} calls in one message"}
