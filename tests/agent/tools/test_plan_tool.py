"""The agent's plan: read leniently, kept whole, told to people."""

import pytest

from ay_bot.agent.loop import Agent
from ay_bot.agent.tools.plan import PLAN
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.events import PlanChanged, PlanStep
from ay_bot.protocol.messages import Work
from tests.agent.scripting import ScriptedModel, calls


@pytest.fixture
def bench(tmp_path):
    return Workbench(root=tmp_path, scratch=tmp_path, run=None)


@pytest.mark.parametrize(
    "written",
    [
        ["[x] look", "[>] mend it", "[ ] test"],
        ["- [X] look", "* [>] mend  it", "test"],
        [
            {"text": "look", "state": "done"},
            {"step": "mend it", "status": "in_progress"},
            {"content": "test", "status": "pending"},
        ],
    ],
)
def test_a_plan_is_read_however_it_is_written(bench, written):
    result = PLAN.run({"steps": written}, bench)
    assert result.ok
    assert result.outcome == "1 of 3 steps done, now: mend it"
    assert bench.plan == (
        PlanStep(text="look", state="done"),
        PlanStep(text="mend it", state="doing"),
        PlanStep(text="test"),
    )


@pytest.mark.parametrize("written", [[], "look", [["x"]], [None]])
def test_what_is_no_plan_is_refused(bench, written):
    assert PLAN.run({"steps": written}, bench).failure == "refused"
    assert bench.plan == ()


def test_a_plan_is_bounded(bench):
    PLAN.run({"steps": ["long " * 1000] * 100}, bench)
    assert len(bench.plan) == 20
    assert all(len(step.text) <= 200 for step in bench.plan)


def test_people_are_told(tmp_path):
    model = ScriptedModel(calls(("plan", {"steps": ["[ ] only this"]})), calls(("finish", {"summary": "x"})))
    events = []
    Agent(Work(task="x"), tmp_path, model, events.append, scratch=tmp_path / "scratch").run()
    assert [event.steps for event in events if isinstance(event, PlanChanged)] == [(PlanStep(text="only this"),)]
