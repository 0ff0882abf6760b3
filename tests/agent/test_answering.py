"""Sessions that say more than a change: proposals beside it, answers in place of it."""

from ay_bot.agent.loop import Agent
from ay_bot.protocol.messages import Feedback, Work
from ay_bot.protocol.outputs import AskOutput, LabelsOutput, NoopOutput, answer_of
from tests.agent.scripting import ScriptedModel, calls, text

FINISH = calls(("finish", {"summary": "It is so."}))


def start(tmp_path, model, **settings):
    (tmp_path / "a.py").write_text("x = 1\n")
    work = Work(task="do it", **settings)
    return Agent(work, tmp_path, model, lambda _: None, scratch=tmp_path.parent / "scratch")


def test_proposals_leave_with_the_ending(tmp_path):
    labels = {"type": "labels", "labels": ["bug"]}
    model = ScriptedModel(calls(("propose", labels), ("propose", {"type": "issue"})), FINISH)
    ending = start(tmp_path, model, outputs=("labels",)).run()
    assert (ending.reason, ending.summary) == ("finished", "It is so.")
    assert ending.outputs == (LabelsOutput(labels=("bug",)),)
    said = [message.content for message in model.requests[-1].messages if message.role == "tool"]
    assert said == ["noted", "error: there is no type 'issue'; it is labels"]
    assert answer_of(ending.outputs) is None


def test_without_outputs_there_is_no_such_tool(tmp_path):
    model = ScriptedModel(calls(("propose", {"type": "labels", "labels": ["bug"]})), FINISH)
    ending = start(tmp_path, model).run()
    assert ending.outputs == ()
    assert "there is no tool 'propose'" in model.requests[-1].messages[-1].content


def test_a_question_ends_the_session_as_finished(tmp_path):
    ask = {"type": "ask", "question": "Which of the two?"}
    model = ScriptedModel(calls(("propose", ask), ("shell", {"command": "touch late"})))
    ending = start(tmp_path, model, outputs=("ask",)).run()
    assert (ending.reason, ending.summary) == ("finished", "Which of the two?")
    assert answer_of(ending.outputs) == AskOutput(question="Which of the two?")
    assert not (tmp_path / "late").exists()


def test_proposals_survive_a_round_of_repair(tmp_path):
    model = ScriptedModel(
        calls(("propose", {"type": "labels", "labels": ["bug"]})), FINISH,
        calls(("propose", {"type": "noop", "reason": "It is right as it is."})),
    )  # fmt: skip
    agent = start(tmp_path, model, outputs=("labels", "noop"))
    assert len(agent.run().outputs) == 1
    ending = agent.resume(Feedback(text="tests failed", max_steps=5))
    assert [output.type for output in ending.outputs] == ["labels", "noop"]
    assert isinstance(answer_of(ending.outputs), NoopOutput)


def test_a_session_that_was_cut_off_keeps_what_it_had_proposed(tmp_path):
    model = ScriptedModel(calls(("propose", {"type": "labels", "labels": ["bug"]})), "budget")
    ending = start(tmp_path, model, outputs=("labels",)).run()
    assert (ending.reason, len(ending.outputs)) == ("budget", 1)


def test_an_answer_is_asked_for_in_other_words_and_with_other_tools(tmp_path):
    model = ScriptedModel(calls(("edit", {"path": "a.py", "edits": []})), FINISH)
    ending = start(tmp_path, model, mode="answer").run()
    assert ending.summary == "It is so."
    request = model.requests[0]
    assert [spec.name for spec in request.tools] == ["read", "search", "shell", "run_tests", "finish"]
    assert "change no code" in request.messages[0].content
    assert "there is no tool 'edit'" in model.requests[1].messages[-1].content


def test_an_empty_answer_is_none(tmp_path):
    model = ScriptedModel(calls(("finish", {})), text("It is so."), text("It is so, because of a.py:1."))
    ending = start(tmp_path, model, mode="answer").run()
    assert (ending.reason, ending.summary) == ("finished", "It is so, because of a.py:1.")
