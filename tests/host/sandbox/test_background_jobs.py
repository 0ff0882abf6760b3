"""Background commands in a real box: what process 1 spares, and what it ends, between two commands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ay_bot.host.sandbox import Box
from ay_bot.protocol.conversation import ToolCall, ToolMessage
from ay_bot.protocol.messages import Finished, Happened, ModelReply, ModelRequest, Work
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER, open_sandbox, seed, spec

SLEEPERS = r"for one in /proc/[0-9]*; do tr '\0' ' ' <$one/cmdline; echo; done 2>/dev/null | grep -c '^sleep 300'"
CALLS = [
    ("shell", {"command": "echo up; while sleep 0.05; do :; done", "background": True}),
    ("shell", {"command": "(setsid sleep 300 &) ; sleep 300 & true"}),
    ("shell", {"command": "exit 7"}),
    ("shell", {"command": "sleep 30", "timeout": 0.3}),
    ("shell", {"command": SLEEPERS}),
    ("job", {"id": 1}),
    ("job", {"id": 1, "end": True}),
    ("finish", {"summary": "done"}),
]


@pytest.fixture(params=[DOCKER, BUBBLEWRAP])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Box]:
    with open_sandbox(request.param, tmp_path) as sandbox, sandbox.open(spec()) as opened:
        yield opened


def converse(box: Box) -> list[str]:
    """Answer each of the agent's requests with the next call; return what it said of the calls."""
    box.channel.send(Work(task="t", command_timeout=20))
    calls = iter(CALLS)
    results: list[str] = []
    while True:
        message, _ = box.channel.receive()
        if isinstance(message, Finished):
            return results
        if isinstance(message, Happened):
            continue
        assert isinstance(message, ModelRequest), message
        results = [one.content for one in message.messages if isinstance(one, ToolMessage)]
        name, arguments = next(calls)
        call = ToolCall(id=f"c{message.request_id}", name=name, arguments=json.dumps(arguments))
        box.channel.send(ModelReply(request_id=message.request_id, tool_calls=(call,), finish_reason="tool_calls"))


def test_jobs_are_spared_and_all_else_is_ended(box: Box) -> None:
    seed(box)
    started, _, code, cut, seen, look, end = converse(box)
    assert "job 1 runs" in started
    assert "exit code 7" in code
    assert "time limit of 0.3 s" in cut
    assert seen.splitlines()[0] == "0", "what the second command left behind is gone"
    assert look.startswith("up")
    assert "job 1 runs" in look
    assert "ended with exit code 137" in end
