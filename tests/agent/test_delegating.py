"""Agents that work for another: at once, with budgets of their own, in trees of their own."""

import json
import threading
from pathlib import Path

import pytest

from ay_bot.agent.loop import Agent
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.agent.worktree import TooLarge, Worktree
from ay_bot.protocol.conversation import ToolMessage
from ay_bot.protocol.events import Delegated, DelegateFinished
from ay_bot.protocol.messages import ModelReply, Work
from tests.agent.scripting import ScriptedModel, calls

FINISH = calls(("finish", {"summary": "done"}))


class Company:
    """A model for several agents: the main one has a script, each other one by a word of its task."""

    def __init__(self, main, **others):
        self.main = ScriptedModel(*main)
        self.scripts = others
        self.others = {}
        self.lock = threading.Lock()
        self.seen = []

    def __call__(self, request):
        if not request.agent:
            return self.main(request)
        with self.lock:
            self.seen.append(request.agent)
            if request.agent not in self.others:
                task = request.messages[1].content
                name = next(name for name in self.scripts if name in task)
                self.others[request.agent] = ScriptedModel(*self.scripts[name])
        return self.others[request.agent](request)


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "work"
    root.mkdir()
    (root / "a.py").write_text("one\ntwo\nthree\nfour\nfive\n")
    return root


def start(place, model, **settings):
    events = []
    work = Work(task="the task", delegation=True, **settings)
    return Agent(work, place, model, events.append, scratch=place.parent / "scratch"), events


def delegate(*tasks):
    return calls(("delegate", {"tasks": [{"role": role, "task": task} for role, task in tasks]}))


def result_of(model):
    last = [m.content for m in model.main.requests[-1].messages if isinstance(m, ToolMessage)][-1]
    return json.loads(last.partition("\n[")[0]) if last.startswith("[") else last


def edit(search, replace, path="a.py"):
    return calls(("edit", {"path": path, "edits": [{"search": search, "replace": replace}]}))


def test_three_explore_at_once_and_report(place):
    together = threading.Barrier(3, timeout=20)

    class AtOnce(Company):
        def __call__(self, request):
            if request.agent and len(request.messages) == 2:
                together.wait()
            return super().__call__(request)

    look = [calls(("read", {"path": "a.py"})), calls(("finish", {"summary": "found it"}))]
    model = AtOnce(
        [delegate(("explore", "north"), ("explore", "south"), ("review", "west")), FINISH],
        north=look,
        south=look,
        west=look,
    )
    agent, events = start(place, model)
    assert agent.run().reason == "finished"
    assert [(one["agent"], one["role"], one["status"], one["summary"]) for one in result_of(model)] == [
        (1, "explore", "finished", "found it"),
        (2, "explore", "finished", "found it"),
        (3, "review", "finished", "found it"),
    ]
    assert sorted(event.agent for event in events if isinstance(event, DelegateFinished)) == [1, 2, 3]
    assert {event.agent for event in events if isinstance(event, Delegated)} == {1, 2, 3}


def test_what_comes_back_is_bounded_and_has_evidence(place):
    for n in range(60):
        (place / f"{n}-{'l' * 150}.py").write_text("x\n")
    look = [calls(("read", {"path": "a.py", "start": n})) for n in (1, 2)]
    change = calls(("shell", {"command": "for f in *.py; do echo y > $f; done; seq 3"}))
    model = Company(
        [delegate(("fix", "north"), ("explore", "south")), FINISH],
        north=[change, calls(("finish", {"summary": "\u4e2d" * 50_000}))],
        south=[*look, calls(("finish", {"summary": 'so "it" is\n' * 5_000}))],
    )
    start(place, model)[0].run()
    told = [m.content for m in model.main.requests[-1].messages if isinstance(m, ToolMessage)][-1]
    first, second = json.loads(told)
    for one in (first, second):
        assert 4_000 < len(json.dumps(one, ensure_ascii=False, indent=1).encode()) <= 6_000
        assert one["summary"].endswith("\u2026")
    assert first["files"][-1].startswith("and ")
    assert first["evidence"] == ["shell for f in *.py; do echo y > $f; done; seq 3: exit code 0: 3"]
    assert second["evidence"] == ["read a.py:1-", "read a.py:2-"]
    assert len(told.encode()) < 12_100


def test_steps_that_the_parent_says_are_the_most(place):
    busy = [calls(("read", {"path": "a.py", "start": n, "end": n})) for n in range(1, 6)] * 20
    asks = {
        "tasks": [{"role": "explore", "task": "north", "steps": 2}, {"role": "explore", "task": "south", "steps": 99}]
    }
    model = Company([calls(("delegate", asks)), FINISH], north=busy, south=busy)
    agent, events = start(place, model, max_steps=20)
    agent.run()
    assert {event.agent: event.steps for event in events if isinstance(event, DelegateFinished)} == {1: 2, 2: 4}


def test_a_dear_model_spends_its_share_sooner(place):
    class Dear(Company):
        def __call__(self, request):
            reply = super().__call__(request)
            price = 0.09 if request.agent else 0.01
            self.cost, self.tokens = getattr(self, "cost", 0.0) + price, getattr(self, "tokens", 0) + 100
            usage = reply.usage.model_copy(update={"prompt_tokens": 100, "cost_usd": price})
            budget = reply.budget.model_copy(update={"spent": self.cost, "tokens": self.tokens, "cost_usd": self.cost})
            return ModelReply.model_validate(reply.model_dump() | {"usage": usage, "budget": budget})

    busy = [calls(("read", {"path": "a.py", "start": n, "end": n + 1})) for n in range(1, 5)] * 20
    model = Dear(
        [*[calls(("search", {"pattern": str(n)})) for n in range(20)], delegate(("explore", "north")), FINISH],
        north=busy,
    )
    start(place, model, max_steps=400)[0].run()
    assert result_of(model)[0]["status"] == "budget"
    assert len(model.others[1].requests) == 2, "a quarter of the 79 cents that are left is 20, and it pays 9 each time"


def test_a_part_has_no_parts_and_no_reviewer(place):
    approve = {"the task": [calls(("finish", {"summary": "APPROVE"}))]}
    model = Company([delegate(("fix", "north")), FINISH], north=[edit("one", "ONE"), FINISH], **approve)
    start(place, model, review="on")[0].run()
    assert sorted(set(model.seen)) == [1, 2]
    assert "delegate" not in {tool.name for tool in model.others[1].requests[0].tools}
    assert model.seen.count(1) == 2


def test_who_explores_can_only_read(place):
    model = Company(
        [delegate(("explore", "north")), FINISH],
        north=[calls(("shell", {"command": "touch x"})), edit("one", "1"), delegate(("explore", "north")), FINISH],
    )
    start(place, model)[0].run()
    asked = model.others[1].requests
    assert {tool.name for tool in asked[0].tools} == {"read", "search", "finish"}
    answers = [m.content for m in asked[-1].messages if isinstance(m, ToolMessage)]
    assert all("there is no tool" in answer for answer in answers)
    assert sorted(path.name for path in place.iterdir() if path.name != ".git") == ["a.py"]
    assert "the task" not in asked[0].messages[1].content, "nothing of the parent's conversation"


def test_fixes_are_made_apart_and_merged(place):
    model = Company(
        [delegate(("fix", "north"), ("fix", "south")), FINISH],
        north=[edit("one", "ONE"), edit("", "new\n", "n.txt"), FINISH],
        south=[edit("five", "FIVE"), FINISH],
    )
    agent, _ = start(place, model)
    assert agent.run().reason == "finished"
    assert (place / "a.py").read_text() == "ONE\ntwo\nthree\nfour\nFIVE\n"
    assert (place / "n.txt").read_text() == "new\n"
    assert [one["conflicts"] for one in result_of(model)] == [[], []]
    assert not list((place.parent / "scratch").glob("tree-*"))


def test_a_conflict_goes_to_the_parent(place):
    model = Company(
        [delegate(("fix", "north"), ("fix", "south")), FINISH],
        north=[edit("three", "drei"), FINISH],
        south=[edit("three", "trois"), FINISH],
    )
    start(place, model)[0].run()
    first, second = result_of(model)
    assert first["files"] == ["a.py"]
    assert second["files"] == []
    kept = second["conflicts"][0].partition("theirs: ")[2].rstrip(")")
    assert "trois" in Path(kept).read_text()
    assert "drei" in (place / "a.py").read_text()


def test_its_steps_are_the_parents(place):
    busy = [calls(("read", {"path": "a.py", "start": n, "end": n})) for n in range(1, 6)] * 20
    model = Company([delegate(("explore", "north")), calls(("read", {"path": "a.py"})), FINISH], north=busy)
    agent, events = start(place, model, max_steps=40)
    ending = agent.run()
    spent = next(event.steps for event in events if isinstance(event, DelegateFinished))
    assert spent <= 10
    assert result_of(model)
    assert ending.steps == 3 + spent


def test_its_share_of_the_budget_ends_it(place):
    class Costly(Company):
        def __call__(self, request):
            reply = super().__call__(request)
            usage = reply.usage.model_copy(update={"prompt_tokens": 1000})
            self.tokens = getattr(self, "tokens", 0) + 1000
            budget = reply.budget.model_copy(update={"spent": self.tokens / 20_000, "tokens": self.tokens})
            return ModelReply.model_validate(reply.model_dump() | {"usage": usage, "budget": budget})

    busy = [calls(("read", {"path": "a.py", "start": n, "end": n + 1})) for n in range(1, 5)] * 20
    model = Costly([delegate(("explore", "north")), FINISH], north=busy)
    start(place, model, max_steps=400)[0].run()
    assert result_of(model)[0]["status"] == "budget"
    assert 3 <= len(model.others[1].requests) <= 6


@pytest.mark.parametrize(
    "arguments",
    [{}, {"tasks": []}, {"tasks": [{"role": "boss", "task": "x"}]}, {"tasks": [{"role": "fix", "task": ""}]}, {"tasks": "x"},
     {"tasks": [{"role": "fix", "task": "x"}] * 4}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(place, arguments):
    model = Company([calls(("delegate", arguments)), FINISH])
    start(place, model)[0].run()
    assert "error: " in result_of(model)
    assert not model.seen


def test_it_is_not_offered_unless_wanted(place):
    model = ScriptedModel(FINISH)
    Agent(Work(task="x"), place, model, [].append, scratch=place.parent / "scratch").run()
    assert "delegate" not in {tool.name for tool in model.requests[0].tools}


def test_a_copy_that_fails_is_told(place, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ay_bot.agent.worktree.shutil.copytree", full)
    model = Company([delegate(("fix", "north")), FINISH, FINISH])
    start(place, model)[0].run()
    assert result_of(model).startswith("error: No space left on device")


def test_who_reads_for_an_architect_is_none(place):
    model = Company([delegate(("explore", "north")), FINISH], north=[FINISH])
    start(place, model, architect=True)[0].run()
    asked = model.others[1].requests[0]
    assert asked.role == "main"
    assert "implement" not in asked.messages[0].content


def test_a_large_workspace_is_not_copied(place, monkeypatch):
    monkeypatch.setattr("ay_bot.agent.worktree.LARGEST", 10)
    with pytest.raises(TooLarge, match="too much for a copy"):
        Worktree.copy(place, place.parent / "copy", ())


def test_deletions_links_and_modes_are_merged(place):
    (place / "gone").write_text("x")
    (place / "both").write_text("x")
    bench = Workbench(root=place, scratch=place.parent / "scratch", run=None)
    bench.scratch.mkdir()
    tree = Worktree.copy(place, place.parent / "copy", ())
    (tree.root / "gone").unlink()
    (tree.root / "both").unlink()
    (place / "both").write_text("changed")
    (tree.root / "link").symlink_to("a.py")
    (tree.root / "run.sh").write_text("#!/bin/sh\n")
    (tree.root / "run.sh").chmod(0o755)
    merged = tree.merge_into(bench)
    tree.remove()
    assert sorted(merged.taken) == ["gone", "link", "run.sh"]
    assert merged.conflicts == ["both (deleted there, changed here)"]
    assert not (place / "gone").exists()
    assert (place / "link").readlink().name == "a.py"
    assert (place / "run.sh").stat().st_mode & 0o111
