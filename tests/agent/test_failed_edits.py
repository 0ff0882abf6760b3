"""Edits of a file that fail again and again: what the model is shown, what is taken then, and who answers."""

import json

import pytest

from ay_bot.agent.commands import run_command
from ay_bot.agent.loop import Agent
from ay_bot.agent.tools.edit_text import EDIT_TEXT
from ay_bot.agent.tools.registry import TOOLS
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import ToolMessage
from ay_bot.protocol.messages import Feedback, Work
from tests.agent.scripting import ScriptedModel, calls

WRONG = {"path": "a", "edits": [{"search": "gamma", "replace": "x"}]}
RIGHT = {"path": "a", "edits": [{"search": "alpha", "replace": "x"}]}
FINISH = calls(("finish", {"summary": "done"}))


@pytest.fixture
def bench(tmp_path):
    root, scratch = tmp_path / "work", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    (root / "a").write_text("alpha\nbeta\n")
    return Workbench(root=root, scratch=scratch, run=run_command)


def use(bench, tool, arguments):
    return {**TOOLS, "edit_text": EDIT_TEXT}[tool].run(arguments, bench)


def fail_twice(bench):
    first, second = use(bench, "edit", WRONG), use(bench, "edit", WRONG)
    assert "is now" not in first.text
    assert "a is now:\nalpha\nbeta\n" in second.text
    assert "read it again, or write it whole" in second.text


def test_after_two_failures_a_file_must_be_read_first(bench):
    fail_twice(bench)
    refused = use(bench, "edit", RIGHT)
    assert not refused.ok
    assert "read it first, or write it whole" in refused.text
    assert (bench.root / "a").read_text() == "alpha\nbeta\n"
    assert use(bench, "read", {"path": "a", "start": 2}).ok
    assert use(bench, "edit", RIGHT).ok
    assert (bench.root / "a").read_text() == "x\nbeta\n"
    assert bench.failed_edits.counts == {}


def test_looking_at_it_with_a_command_is_reading_too(bench):
    fail_twice(bench)
    assert use(bench, "shell", {"command": "cat ./a"}).ok
    assert use(bench, "edit", RIGHT).ok


def test_other_files_may_be_edited(bench):
    fail_twice(bench)
    (bench.root / "b").write_text("alpha\n")
    assert use(bench, "edit", RIGHT | {"path": "b"}).ok


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("apply_patch", {"patch": "*** Begin Patch\n*** Add File: a\n+new\n*** End Patch"}),
        ("edit_text", {"form": "whole", "text": "./a\n```\nnew\n```\n"}),
    ],
)
def test_or_it_may_be_written_whole(bench, tool, arguments):
    fail_twice(bench)
    assert use(bench, tool, arguments).ok
    assert (bench.root / "a").read_text() == "new\n"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("search_replace", "a\n<<<<<<< SEARCH\nalpha\n=======\nx\n>>>>>>> REPLACE\n"),
        ("udiff", "```diff\n--- a\n+++ a\n@@ @@\n-alpha\n+x\n```\n"),
        ("apply_patch", "*** Begin Patch\n*** Update File: a\n@@\n-alpha\n+x\n*** End Patch"),
        ("edit", json.dumps(RIGHT)),
        ("edit", json.dumps(RIGHT | {"path": "./a"})),
    ],
)
def test_no_other_format_is_a_way_around(bench, form, text):
    fail_twice(bench)
    assert "read it first" in use(bench, "edit_text", {"form": form, "text": text}).text


def test_a_long_file_is_not_sent(bench):
    (bench.root / "a").write_text("alpha\n" * 402)
    use(bench, "edit", WRONG)
    assert "is now" not in use(bench, "edit", WRONG).text


def test_an_edit_that_is_made_begins_the_count_again(bench):
    use(bench, "edit", WRONG)
    assert use(bench, "edit", RIGHT).ok
    assert "is now" not in use(bench, "edit", WRONG).text


def test_after_four_failures_the_step_has_failed(bench):
    patterns = [use(bench, "edit", {**WRONG, "edits": [{"search": f"no {n}", "replace": "x"}]}).pattern for n in (1, 2)]
    patterns += [use(bench, "edit", WRONG).pattern, use(bench, "edit", RIGHT).pattern]
    assert patterns == ["", "", "", "4 edits of a failed in a row"]


# ----------------------------------------------------------------- in a session


def start(bench, *script, **settings):
    model = ScriptedModel(*script)
    return Agent(Work(task="x", **settings), bench.root, model, [].append, scratch=bench.scratch), model


def edits(*searches):
    """One edit for each, between looks at other things, so that nothing but the failing is a pattern."""
    for n, search in enumerate(searches):
        yield calls(("edit", {"path": "a", "edits": [{"search": search, "replace": "x"}]}))
        yield calls(("read", {"path": "a", "start": n % 2 + 1, "end": n % 2 + 1}))


def test_four_failures_are_told_and_the_next_one_ends_it(bench):
    agent, model = start(bench, *edits("q", "some", "lines (that)", "[no]", "such"), FINISH)
    ending = agent.run()
    assert ending.reason == "stuck"
    assert "5 edits of a failed in a row" in ending.summary
    told = [m.content for m in model.requests[-1].messages if isinstance(m, ToolMessage)]
    assert ["going in circles: 4 edits of a failed" in content for content in told].count(True) == 1


def test_the_stronger_model_answers_after_two_failures_until_an_edit_is_made(bench):
    script = [*edits("q", "some", "alpha"), calls(("search", {"pattern": "b"})), FINISH]
    agent, model = start(bench, *script, has_stronger=True)
    assert agent.run().reason == "finished"
    assert [request.escalate for request in model.requests] == [False] * 3 + [True] * 2 + [False] * 3
    agent, model = start(bench, *edits("q", "some"), FINISH)
    agent.run()
    assert not any(request.escalate for request in model.requests)


def test_the_stronger_model_answers_after_two_proofs_that_failed(bench):
    agent, model = start(bench, FINISH, has_stronger=True)
    agent.run()
    for _ in range(2):
        agent.resume(Feedback(text="1 failed", max_steps=5))
    assert [request.escalate for request in model.requests] == [False, False, True]
