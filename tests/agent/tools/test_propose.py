"""The `propose` tool: what it takes, what it tells the model, what it costs, and that nobody else pays for it."""

import hashlib
import json
from typing import get_args

import pytest

from ay_bot.agent.prompt import ANSWERING, SYSTEM, build_instructions, build_task
from ay_bot.agent.tools.propose import Propose, build_spec
from ay_bot.agent.tools.registry import READING, SPECS, TOOLS, choose_tools
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.messages import Work
from ay_bot.protocol.outputs import MOST_OUTPUTS, CommentOutput, OutputType

ALL = get_args(OutputType)
BEFORE_THERE_WERE_OUTPUTS = "f1f78a76140f4444ccf4c6fdb3abb646b944fa08a4c9353d10d99e5b7c8e54a1"


@pytest.fixture
def bench(tmp_path):
    return Workbench(root=tmp_path, scratch=tmp_path, run=None)


@pytest.fixture
def propose(bench):
    tool = Propose(Work(task="t", outputs=ALL, output_limits={"comment": 2, "create_pull_request": 1}))
    return lambda **values: (tool.run(values, bench), tool.outputs)


def test_without_outputs_nothing_that_the_model_is_told_has_changed():
    text = SYSTEM + build_task("t") + "\n\n" + build_instructions("i", (), "c")
    text += json.dumps([spec.model_dump() for spec in SPECS])
    assert hashlib.sha256(text.encode()).hexdigest() == BEFORE_THERE_WERE_OUTPUTS
    assert tuple(tool.spec for tool in choose_tools("change").values()) == SPECS


def test_what_it_costs(count):
    def cost(types):
        spec = build_spec(types)
        function = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
        return count(json.dumps({"type": "function", "function": function}, separators=(",", ":")))

    assert cost(("comment", "labels", "noop", "blocked", "ask")) <= 170
    assert cost(ALL) <= 330
    reading = [tool.spec.model_dump() for tool in READING.values()]
    assert count(ANSWERING) + count(json.dumps(reading, separators=(",", ":"))) <= 300


def test_only_what_is_allowed_is_told():
    spec = build_spec(("labels", "noop"))
    assert spec.parameters["properties"].keys() == {"type", "labels", "number", "reason"}
    assert spec.parameters["properties"]["type"]["enum"] == ["labels", "noop"]
    assert "review" not in spec.description


def test_every_type_can_be_proposed_with_the_fields_that_the_model_is_told_of(bench):
    fields = {
        "body": "b", "number": 1, "comment": 2, "title": "t", "labels": ["bug"], "reason": "r", "question": "q",
        "comments": [{"path": "a.py", "line": 1, "body": "x"}],
    }  # fmt: skip
    for kind in ALL:
        told = build_spec((kind,)).parameters["properties"].keys() - {"type"}
        tool = Propose(Work(task="t", outputs=(kind,)))
        result = tool.run({"type": kind, **{name: fields[name] for name in told}}, bench)
        assert result.ok, result.text
        assert tool.outputs[0].type == kind


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"type": "merge"}, "there is no type 'merge'"),
        ({}, "there is no type 'None'"),
        ({"type": "comment"}, "`body` is missing. Expected comment: body, number?"),
        ({"type": "comment", "body": "x", "repository": "a/b"}, "`repository` is not known"),
        ({"type": "comment", "body": "x", "number": "seven"}, "`number`"),
        ({"type": "labels", "labels": []}, "`labels`"),
        ({"type": "labels", "labels": "[not json"}, "`labels`"),
        ({"type": "review", "body": "b", "comments": [{"path": "a.py", "body": "x"}]}, "`comments.0.line` is missing"),
        ({"type": "update_pull_request", "number": 1}, "neither `title` nor `body`"),
    ],
)
def test_what_is_wrong_is_told(propose, values, says):
    result, outputs = propose(**values)
    assert result.failure == "refused"
    assert says in result.text
    assert not outputs


def test_what_models_write_otherwise_is_understood(propose):
    _, outputs = propose(type="comment", body="x", number=None, title=None)
    propose(type="labels", labels='["bug"]')
    assert outputs[0] == CommentOutput(body="x")
    assert outputs[1].labels == ("bug",)


def test_too_many_of_a_type_are_not_taken(propose):
    for _ in range(2):
        assert propose(type="comment", body="x")[0].ok
    result, outputs = propose(type="comment", body="x")
    assert "at most 2 of the type comment" in result.text
    assert len(outputs) == 2


def test_the_only_one_of_a_type_is_replaced(propose):
    propose(type="create_pull_request", title="one", body="b")
    result, outputs = propose(type="create_pull_request", title="two", body="b")
    assert "in place of" in result.text
    assert [output.title for output in outputs] == ["two"]


def test_at_52_no_more_than_the_host_would_read(propose):
    for number in range(1, MOST_OUTPUTS + 1):
        assert propose(type="close_own_pull_request", number=number, body="x")[0].ok
    result, outputs = propose(type="labels", labels=["bug"])
    assert f"at most {MOST_OUTPUTS} proposals" in result.text
    assert len(outputs) == MOST_OUTPUTS


@pytest.mark.parametrize(("kind", "field"), [("noop", "reason"), ("blocked", "reason"), ("ask", "question")])
def test_an_answer_in_place_of_work_ends_the_task(propose, kind, field):
    result, _ = propose(**{"type": kind, field: "Which of the two?"})
    assert result.ends
    assert result.text == "Which of the two?"


def test_an_answer_is_given_without_tools_that_edit(bench):
    assert list(choose_tools("answer")) == ["read", "search", "shell", "run_tests", "finish"]
    assert list(choose_tools("change")) == list(TOOLS)
    empty = READING["finish"].run({"summary": " "}, bench)
    assert not empty.ends
    assert "summary is the answer" in empty.text
    assert READING["finish"].run({"summary": "It is so."}, bench).ends
