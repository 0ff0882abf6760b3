"""Long conversations made short: what must survive, what may go, and that no call ever loses its result."""

import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.agent.condensing import Condenser, build_ledger, newest
from ay_bot.agent.context import Conversation
from ay_bot.agent.loop import Agent
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from ay_bot.protocol.events import ContextReduced, PlanStep, StepStarted
from ay_bot.protocol.messages import Feedback, ModelReply, Work
from tests.agent.scripting import ScriptedModel, calls, text

ROOT = Path(__file__).parents[2]
CASES = Path(os.environ.get("AY_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "openhands-condenser"


def bench(tmp_path=Path("/nowhere")):
    return Workbench(root=tmp_path, scratch=tmp_path, run=None)


def condenser(conversation, tell=None, summary="", workbench=None):
    return Condenser(conversation, workbench or bench(), lambda _: summary, tell or (lambda _: None))


def begin(ceiling):
    made = Conversation(ceiling, 400)
    made.append(SystemMessage(content="rules"))
    made.append(UserMessage(content="the task"), said=True)
    return made


def step(made, number, sizes=(1000,)):
    names = [f"c{number}-{index}" for index in range(len(sizes))]
    made.append(AssistantMessage(tool_calls=tuple(ToolCall(id=name, name="shell", arguments="{}") for name in names)))
    for name, size in zip(names, sizes, strict=True):
        made.append(ToolMessage(tool_call_id=name, content="x" * size))


def broken(messages):
    """What a provider would refuse: calls without results, results without calls."""
    waiting = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if not waiting or message.tool_call_id != waiting.pop(0):
                return f"a result without its call: {message.tool_call_id}"
            continue
        if waiting:
            return f"calls without results: {waiting}"
        waiting = [call.id for call in message.tool_calls] if isinstance(message, AssistantMessage) else []
    return f"calls without results: {waiting}" if waiting else ""


def test_nothing_is_cut_while_there_is_room():
    made = begin(10_000)
    for number in range(20):
        step(made, number)
    before = made.messages
    condenser(made).make_room()
    assert made.messages == before


def test_what_frees_too_little_is_not_paid_for_again_at_each_step():
    made = begin(10_000)
    made.append(UserMessage(content="f" * 33_000), said=True)  # more than 80 % of the ceiling, and never to be cut
    asked = []
    watcher = Condenser(made, bench(), lambda text: asked.append(text) or "s" * 200, lambda _: None)
    steps = 0
    while made.fits():
        step(made, steps, (120,))
        watcher.make_room()
        steps += 1
    assert steps > 15
    assert len(asked) <= 3


def test_two_cuts_in_a_row_that_free_little_end_it(tmp_path):
    agent = Agent(
        Work(task="x"),
        tmp_path,
        ScriptedModel(calls(("shell", {"command": "date +%N"}))),
        [].append,
        scratch=tmp_path / "s",
    )

    class Vain:
        def make_room(self):
            pass

        def condense(self, target=None):
            return False

    fits = itertools.cycle([False, True])
    agent._condenser = Vain()
    agent._conversation.fits = lambda: next(fits)
    ending = agent.run()
    assert (ending.reason, ending.steps) == ("context", 1)


def test_old_results_go_first():
    made = begin(10_000)
    for number in range(60):
        step(made, number, (500,))
    events = []
    condenser(made, events.append).make_room()
    assert [event.how for event in events] == ["masked"]
    masked = ["rerun to see it" in m.content for m in made.messages if isinstance(m, ToolMessage)]
    assert masked == [False] + [True] * 39 + [False] * 20


def test_the_middle_goes_next_and_what_a_model_says_of_it_stays():
    made = begin(10_000)
    for number in range(18):
        step(made, number, (2000,))
    events = []
    condenser(made, events.append, summary="looked at everything").make_room()
    assert [event.how for event in events] == ["summarised"]
    assert made.messages[1].content == "the task"
    assert any("looked at everything" in message.content for message in made.messages)
    assert made.estimate() < 0.7 * 10_000
    assert not broken(made.messages)


def test_without_a_model_it_is_an_outline_of_what_was_done():
    made = begin(10_000)
    for number in range(18):
        step(made, number, (2000,))
    events = []
    condenser(made, events.append).make_room()
    assert [event.how for event in events] == ["outlined"]
    assert any("shell {}\n  → xxx" in message.content for message in made.messages)


def test_the_ledger_is_of_what_holds_now(tmp_path):
    work = bench(tmp_path)
    assert build_ledger(work) == ""
    work.plan = (PlanStep(text="look", state="done"), PlanStep(text="mend", state="doing"))
    work.edited.add(tmp_path / "a.py")
    work.tests = "tests FAILED, exit code 1: 1 failed\ntest_a.py::test_x"
    work.rejected.append("shell: git push is forbidden")
    ledger = build_ledger(work)
    for part in ("[x] look", "[>] mend", "a.py", "test_a.py::test_x", "git push is forbidden"):
        assert part in ledger


def test_what_people_said_is_kept_the_newest_first():
    assert newest(("a" * 10, "b" * 10, "c" * 10), 25) == ("b" * 10, "c" * 10)
    assert newest(("a" * 10, "b" * 40), 25) == ("b" * 25,)
    assert newest((), 25) == ()


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_is_condensed_nothing_that_matters_is_lost(data):
    made = begin(data.draw(st.sampled_from([1_500, 4_000, 20_000])))
    work = bench()
    work.plan = (PlanStep(text="the plan"),)
    events = []
    condense = condenser(made, events.append, data.draw(st.sampled_from(["", "told by a model"])), work)
    said = []
    for number in range(data.draw(st.integers(5, 60))):
        step(made, number, tuple(data.draw(st.lists(st.integers(0, 4000), min_size=1, max_size=4))))
        if data.draw(st.booleans()) and len(said) < 5:
            said.append(f"words {number}")
            made.append(UserMessage(content=said[-1]), said=True)
        condense.make_room()
        if not made.fits():
            condense.condense()
        assert not broken(made.messages)
        assert [message.content for message in made.messages[:2]] == ["rules", "the task"]
    everything = "\n".join(message.content for message in made.messages)
    assert all(word in everything for word in said)
    if any(event.how in {"summarised", "outlined"} for event in events):
        assert "the plan" in everything


def test_in_a_session_a_summary_is_asked_for_once_and_then_history_only_grows(tmp_path):
    class Model(ScriptedModel):
        def __call__(self, request):
            if request.role == "summary":
                asked.append(request)
                return ModelReply(request_id=request.request_id, content="SUMMARY OF IT")
            return super().__call__(request)

    asked = []
    (tmp_path / "work").mkdir()
    for number in range(30):
        (tmp_path / "work" / f"{number}.txt").write_text(f"{number} " * 800)
    model = Model(
        calls(("plan", {"steps": ["[>] read all"]})),
        *(calls(("shell", {"command": f"cat {number}.txt"})) for number in range(30)),
        calls(("finish", {"summary": "done"})),
        text("more"),
        calls(("finish", {"summary": "again"})),
    )
    events = []
    work = Work(task="read it all", max_context_tokens=10_000)
    agent = Agent(work, tmp_path / "work", model, events.append, scratch=tmp_path / "scratch")
    assert agent.run().reason == "finished"
    cuts = [event for event in events if isinstance(event, ContextReduced)]
    assert cuts
    assert len(asked) == len(cuts)
    assert "cat 0.txt" in asked[0].messages[1].content
    assert max(event.estimated_tokens for event in events if isinstance(event, StepStarted)) <= 10_000
    changed = 0
    for one, other in zip(model.requests, model.requests[1:], strict=False):
        changed += other.messages[: len(one.messages)] != one.messages
    assert changed == len(cuts), "between two cuts each request repeats the one before it"
    last = "\n".join(message.content for message in model.requests[-1].messages)
    assert "SUMMARY OF IT" in last
    assert "[>] read all" in last
    agent.resume(Feedback(text="the tests fail", max_steps=5))
    assert "the tests fail" in "".join(message.content for message in model.requests[-1].messages)


# ----------------------------------------------------------------- logs of another system


def converse(events, ceiling):
    """A log as a conversation: actions of one reply are one message, each result follows in its order."""
    made = Conversation(ceiling, 0)
    made.append(SystemMessage(content="rules"))
    results = {event["call"]: event["text"] for event in events if event["k"] in {"obs", "err"} and "call" in event}
    groups, open_group = [], None
    for event in events:
        if event["k"] == "action" and event["call"] in results:
            if open_group != event["resp"]:
                groups.append([])
                open_group = event["resp"]
            groups[-1].append(event)
        elif event["k"] in {"user", "agent"}:
            groups.append(event)
            open_group = None
    for group in groups:
        if isinstance(group, dict):
            message = UserMessage if group["k"] == "user" else AssistantMessage
            made.append(message(content=group["text"] or "x"), said=group["k"] == "user")
            continue
        made.append(
            AssistantMessage(
                tool_calls=tuple(ToolCall(id=one["call"], name="x", arguments=json.dumps({})) for one in group)
            )
        )
        for one in group:
            made.append(ToolMessage(tool_call_id=one["call"], content=results[one["call"]]))
    return made


@pytest.mark.skipif(not CASES.exists(), reason="the cases of other systems are not beside the project")
def test_openhands_condenser(capsys):
    logs = [json.loads(line) for line in (CASES / "cases.jsonl").read_text().splitlines()]
    faults = []
    for log in logs:
        whole = converse(log["events"], 10**9)
        assert not broken(whole.messages), "the adapter"
        for share in (0.9, 0.5, 0.25):
            made = converse(log["events"], max(int(whole.estimate() * share), 2_000))
            first = made.messages[:4]
            condense = condenser(made)
            for _ in range(3):
                condense.make_room()
                if not made.fits():
                    condense.condense()
            fault = broken(made.messages)
            kept = made.messages[: len(first)] == first or len(made.messages) == len(whole.messages)
            if fault or not kept or not made.fits():
                faults.append((log["id"], share, fault, kept, made.estimate(), made.ceiling))
    with capsys.disabled():
        print(f"\nopenhands-condenser {len(logs) - len({fault[0] for fault in faults})}/{len(logs)}")
    assert not faults


@given(
    st.integers(8_000, 30_000),
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 9_000), st.booleans()), min_size=4, max_size=30),
    st.integers(0, 20_000),
)
@settings(max_examples=60, deadline=None)
def test_what_stands_for_the_middle_never_fills_a_small_window(ceiling, steps, summary):
    made = begin(ceiling)
    shortener = condenser(made, summary="s" * summary)
    for number, (said, output, kept) in enumerate(steps):
        shortener.make_room()
        assert made.fits() or (shortener.condense() or made.fits())
        assert made.fits()
        step(made, number, (min(output, ceiling), 100))
        if kept:
            made.append(UserMessage(content="u" * min(said, ceiling // 2)), said=True)
    assert not broken(made.messages)


def test_what_people_said_is_cut_with_what_stands_for_the_middle():
    made = begin(8_000)
    for number in range(12):
        step(made, number, (2_000,))
        made.append(UserMessage(content=f"word {number} " * 400), said=True)
    condenser(made).condense()
    assert made.fits()
    words = made.messages[made.messages.index(next(m for m in made.messages if "condensed" in m.content))].content
    assert "word 0 " not in words


def test_a_model_that_gives_no_summary_is_not_waited_for_again_and_again():
    asked, told = [], []
    made = begin(8_000)
    shortener = Condenser(made, bench(), lambda text: asked.append(text) or " ", told.append)
    for number in range(80):
        shortener.make_room()
        step(made, number, (3_000,))
    assert len(asked) == 2
    assert [cut.how for cut in told].count("outlined") > 3


def test_long_feedback_leaves_room_for_the_work(tmp_path):
    model = ScriptedModel(calls(("finish", {"summary": "a"})), calls(("finish", {"summary": "x"})))
    agent = Agent(Work(task="t", max_context_tokens=6_000), tmp_path, model, [].append, scratch=tmp_path / "scratch")
    agent.run()
    report = "FAILED test_it\n" + "trace\n" * 20_000
    assert agent.resume(Feedback(text=report, max_steps=3)).reason == "finished"
    told = model.requests[-1].messages[-1].content
    assert "FAILED test_it" in told
    assert len(told) < 4_500
    assert (tmp_path / "scratch" / "feedback.txt").read_text() == report
    assert str(tmp_path / "scratch" / "feedback.txt") in told
