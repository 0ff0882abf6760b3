"""A change looked at with fresh eyes before it is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.loop import Agent
from ay_bot.agent.reviewing import parse_review
from ay_bot.protocol.conversation import ToolMessage, UserMessage
from ay_bot.protocol.messages import Feedback, Review, ReviewFinding, Work
from tests.agent.scripting import calls, text
from tests.agent.test_delegating import Company

EDIT = calls(("edit", {"path": "a.py", "edits": [{"search": "1", "replace": "2"}]}))
AGAIN = calls(("edit", {"path": "a.py", "edits": [{"search": "2", "replace": "3"}]}))
BACK = calls(("edit", {"path": "a.py", "edits": [{"search": "3", "replace": "4"}]}))
FINISH = calls(("finish", {"summary": "made it two"}))


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "work"
    root.mkdir()
    (root / "a.py").write_text("x = 1\n")
    return root


def run(place, model, review="on"):
    work = Work(task="the task", review=review)
    return Agent(work, place, model, [].append, scratch=place.parent / "scratch").run()


def says(*lines):
    return [calls(("read", {"path": "a.py"})), calls(("finish", {"summary": "\n".join(lines)}))]


def test_an_approval_ends_it(place):
    model = Company([EDIT, FINISH], change=says("APPROVE"))
    ending = run(place, model)
    assert (ending.reason, ending.review) == ("finished", Review(verdict="approve"))
    asked = model.others[1].requests[0].messages[1].content
    assert "the task" in asked
    assert "made it two" in asked
    assert "+x = 2" in asked


def test_a_long_task_does_not_push_the_change_out_of_a_review(place):
    model = Company([EDIT, FINISH], change=says("APPROVE"))
    work = Work(task="the task " * 20_000, review="on", max_context_tokens=20_000)
    Agent(work, place, model, [].append, scratch=place.parent / "scratch").run()
    asked = model.others[1].requests[0].messages[1].content
    for words in ("the task the task", "made it two", "+x = 2", "</change>"):
        assert words in asked


def test_an_objection_goes_back_once(place):
    objects = says("OBJECT", "a.py:1: it must be three", "- no test")
    model = Company([EDIT, FINISH, AGAIN, FINISH], change=objects)
    ending = run(place, model)
    told = [m.content for m in model.main.requests[-1].messages if isinstance(m, ToolMessage)]
    assert "a.py:1: it must be three\nno test" in told[1]
    assert ending.reason == "finished"
    assert ending.review.verdict == "object"
    assert ending.review.findings[0] == ReviewFinding(path="a.py", line=1, text="it must be three")
    assert len(model.others) == 2
    assert (place / "a.py").read_text() == "x = 3\n"


def test_without_a_change_there_is_nothing_to_review(place):
    model = Company([FINISH])
    assert run(place, model).review is None
    assert not model.seen


def test_a_change_by_a_command_is_reviewed_too(place):
    model = Company([calls(("shell", {"command": "echo 'x = 2' > a.py"})), FINISH], change=says("APPROVE"))
    assert run(place, model).review == Review(verdict="approve")


def test_who_ends_in_words_is_reviewed_too(place):
    objects = says("OBJECT", "a.py:1: it must be three")
    model = Company([EDIT, text("All done."), text("Really."), AGAIN, FINISH], change=objects)
    ending = run(place, model)
    assert (ending.reason, ending.review.verdict) == ("finished", "object")
    assert any("it must be three" in m.content for m in model.main.requests[-1].messages if isinstance(m, UserMessage))
    assert len(model.others) == 2


def test_an_approval_is_of_what_was_looked_at(place):
    model = Company([EDIT, FINISH, AGAIN, FINISH, BACK, FINISH], change=says("APPROVE"))
    agent = Agent(Work(task="the task", review="strict"), place, model, [].append, scratch=place.parent / "scratch")
    verdicts = [agent.run().review.verdict]
    verdicts += [agent.resume(Feedback(text="1 failed", max_steps=40)).review.verdict for _ in range(2)]
    assert verdicts == ["approve", "approve", "none"], "two are made; the third change nobody has seen"


def test_a_reviewer_that_fails_stops_nobody(place):
    model = Company([EDIT, FINISH], change=["provider"])
    ending = run(place, model)
    assert (ending.reason, ending.review) == ("finished", Review(verdict="none"))


@pytest.mark.parametrize(
    ("text", "verdict", "findings"),
    [
        ("APPROVE", "approve", 0),
        ("**Object**\n\n`src/a.py`:12: wrong\nall in all bad", "object", 2),
        ("Verdict first: I think this is fine", "none", 0),
        ("", "none", 0),
        ("Here it is:\nAPPROVED\n", "approve", 0),
    ],
)
def test_verdicts(text, verdict, findings):
    review = parse_review(text)
    assert (review.verdict, len(review.findings)) == (verdict, findings)


@given(st.text(max_size=5_000))
def test_any_words_are_read(text):
    assert parse_review(text).verdict in {"approve", "object", "none"}
    assert parse_review("OBJECT\n" + text).verdict == "object"
