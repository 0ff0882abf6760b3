"""The scripted model speaks the protocol, follows its script, and says so when it can't."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from demo import scripted_model
from demo.scripted_model import ScriptedModel, Turn, parse_script

MESSAGES = [{"role": "user", "content": "hello"}]
TOOLS = [{"type": "function", "function": {"name": "shell"}}]


def post(model: ScriptedModel, body: object, path: str = "/chat/completions") -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(model.api_base + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_turns_go_to_requests_with_tools_and_side_answers_to_the_others():
    script = {"turns": [{"text": "one", "tool_calls": [{"name": "shell", "arguments": {"a": 1}}]}], "side": ["feat: x"]}
    with ScriptedModel(script) as model:
        side = json.loads(post(model, {"messages": MESSAGES})[1])["choices"][0]
        assert (side["message"]["content"], side["finish_reason"]) == ("feat: x", "stop")
        turn = json.loads(post(model, {"messages": MESSAGES, "tools": TOOLS})[1])["choices"][0]
        assert turn["finish_reason"] == "tool_calls"
        assert turn["message"]["tool_calls"][0]["function"] == {"name": "shell", "arguments": '{"a": 1}'}
        assert [bool(request.get("tools")) for request in model.requests] == [False, True]


def test_a_script_that_runs_out_says_so():
    with ScriptedModel([]) as model:
        said = json.loads(post(model, {"messages": MESSAGES, "tools": TOOLS})[1])["choices"][0]["message"]["content"]
    assert "no more turns" in said


def test_a_stream_ends_with_usage_and_done():
    with ScriptedModel(["x", "text " * 1000]) as model:
        request = {"messages": MESSAGES, "tools": TOOLS, "stream": True}
        plain = post(model, request)[1].strip().split("\n\n")
        assert plain[-1] == "data: [DONE]"
        assert not any('"usage"' in event for event in plain)
        counted = post(model, {**request, "stream_options": {"include_usage": True}})[1].strip().split("\n\n")
        assert json.loads(counted[-2].removeprefix("data: "))["usage"]["completion_tokens"] > 1000
        assert len(counted) > 5


@pytest.mark.parametrize(
    "body", [b"not json", [], {"messages": "x"}, {"messages": []}, {"messages": [{"content": "x"}]}]
)
def test_what_is_no_request_is_refused_and_costs_no_turn(body):
    with ScriptedModel(["kept"]) as model:
        status, said = post(model, body)
        assert (status, "scripted model:" in said) == (400, True)
        assert model.requests == []
        assert "kept" in post(model, {"messages": MESSAGES, "tools": TOOLS})[1]


def test_other_paths_are_not_found():
    with ScriptedModel([]) as model:
        status, said = post(model, {"messages": MESSAGES}, "/embeddings")
    assert (status, "/v1/embeddings" in said) == (404, True)


@pytest.mark.parametrize("script", [{"steps": []}, "text", [{"say": "x"}], [5]])
def test_a_script_that_makes_no_sense_is_refused(script):
    with pytest.raises(ValueError, match=r"script|turn"):
        parse_script(script)


def test_a_turn_may_be_given_as_it_is():
    assert parse_script([Turn(text="x")]).turns == [Turn(text="x")]


def test_the_program_prints_its_address_and_serves(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('{"side": ["feat: y"]}')
    command = [sys.executable, str(Path(scripted_model.__file__)), str(script), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        request = urllib.request.Request(f"{address}/chat/completions", json.dumps({"messages": MESSAGES}).encode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert "feat: y" in answer.read().decode()
        server.terminate()


def test_the_program_says_what_is_wrong_with_its_script(tmp_path):
    script = tmp_path / "script.json"
    script.write_text("{")
    command = [sys.executable, str(Path(scripted_model.__file__)), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert str(script) in done.stderr
