"""The conversation: its estimate, and what goes first when it must shrink."""

import pytest

from ay_bot.agent.context import Conversation
from ay_bot.protocol.conversation import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage


def conversation(ceiling=2_000):
    made = Conversation(ceiling, 400)
    made.append(SystemMessage(content="rules"))
    made.append(UserMessage(content="the task"))
    return made


def add(made, number, size=4_000, **marks):
    made.append(AssistantMessage(tool_calls=(ToolCall(id=f"c{number}", name="read", arguments="{}"),)))
    made.append(ToolMessage(tool_call_id=f"c{number}", content=f"{number}\n" * (size // 2)), **marks)


def kept(made):
    return [len(message.content) > 100 for message in made.messages if isinstance(message, ToolMessage)]


def test_the_oldest_results_go_first():
    made = conversation(5_000)
    for number in range(5):
        add(made, number)
    reduction = made.reduce()
    assert kept(made) == [True, False, False, False, True]
    assert reduction.after < reduction.before
    assert "left out; rerun to see it" in made.messages[5].content


def test_errors_and_the_last_read_of_a_file_go_last():
    made = conversation(5_000)
    add(made, 0, keep=True)
    add(made, 1, read="a.py")
    add(made, 2, read="a.py")
    for number in range(3, 6):
        add(made, number)
    made.reduce(3_500)
    assert kept(made) == [True, False, True, False, False, True]


def test_the_newest_result_is_shortened_when_it_alone_is_too_long():
    made = conversation(2_000)
    add(made, 0, size=40_000)
    assert not made.fits()
    made.reduce()
    assert made.fits()
    last = made.messages[-1].content
    assert "the conversation is too long" in last
    assert last.startswith("0\n0\n")


def test_the_estimate_learns_within_bounds():
    made = conversation()
    add(made, 0)
    before = made.estimate()
    made.calibrate(before * 2)
    assert made.estimate() == pytest.approx(2 * before, abs=2), "what was counted for more is believed at once"
    made.calibrate(before * 1_000)
    assert made.estimate() <= 4 * before + 4, "a token has a byte at least"
    made.calibrate(before)
    assert 3 * before < made.estimate() < 3.2 * before
    for _ in range(50):
        made.calibrate(1)
    assert 0.69 * before <= made.estimate() < 0.75 * before
    made.calibrate(0)


def test_the_estimate_follows_every_change():
    made = conversation(100_000)
    empty = made.estimate()
    add(made, 0, size=40_000)
    assert 9_900 < made.estimate() - empty < 10_100
