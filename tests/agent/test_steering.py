"""At 80, 90, 95 and 99 % of the budget the agent is told, once each, and what to do about it."""

import pytest

from ay_bot.agent.loop import Agent
from ay_bot.protocol.conversation import ToolMessage
from ay_bot.protocol.messages import Feedback, Work
from tests.agent.scripting import ScriptedModel, calls

SPENT = [0.5, 0.79, 0.81, 0.89, 0.9, 0.94, 0.951, 0.98, 0.991, 0.999]


def notes(model):
    """What each result says of the budget."""
    told = [
        m.content.partition("% of the budget")[0] for m in model.requests[-1].messages if isinstance(m, ToolMessage)
    ]
    return [one.rpartition("[")[2] if "[" in one else "" for one in told]


@pytest.fixture
def start(tmp_path):
    root = tmp_path / "work"
    root.mkdir()

    def start(model, **settings):
        return Agent(Work(task="x", **settings), root, model, [].append, scratch=tmp_path / "scratch")

    return start


def test_each_mark_is_told_once_and_with_what_to_do(start):
    steps = [calls(("shell", {"command": f"echo {n}"}), spent=spent) for n, spent in enumerate(SPENT)]
    model = ScriptedModel(*steps, calls(("finish", {"summary": "done"})))
    start(model).run()
    assert notes(model) == ["", "", "80", "", "90", "", "95", "", "99", ""]
    advice = [
        m.content.partition("budget is spent: ")[2] for m in model.requests[-1].messages if isinstance(m, ToolMessage)
    ]
    assert len(set(advice)) == 5


def test_steps_are_a_budget_too_and_a_round_of_repair_has_its_own(start):
    model = ScriptedModel(*(calls(("shell", {"command": f"echo {n}"})) for n in range(40)))
    agent = start(model, max_steps=20)
    agent.run()
    told = [(n, note) for n, note in enumerate(notes(model), 1) if note]
    assert told == [(16, "80"), (18, "90"), (19, "95")], "what the last one says nobody has asked again yet"
    agent.resume(Feedback(text="1 failed", max_steps=10))
    assert [note for note in notes(model)[19:] if note] == ["99", "80", "90"]
