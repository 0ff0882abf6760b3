"""A request is written for a model as a function of the conversation alone, and hostile thoughts do no harm."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.question import question_of
from ay_bot.gateway.thoughts import Piece, joined, opened, sealed
from ay_bot.protocol.conversation import (
    AssistantMessage,
    ImagePart,
    Message,
    SystemMessage,
    Thought,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from ay_bot.protocol.messages import Image, ModelRequest
from ay_bot.protocol.model_facts import ModelFacts

CLAUDE = ModelFacts(model="anthropic/claude-x", provider="anthropic", known=True, caching=True, vision=True)
BLIND = ModelFacts(model="openai/blind", provider="openai", known=True)
PART = ImagePart(digest=hashlib.sha256(b"").hexdigest(), media_type="image/png", width=640, height=480, name="a.png")
CALL = ToolCall(id="a", name="shell", arguments="{}")


def messages_for(facts: ModelFacts, *messages: Message, images: dict[str, Image] | None = None) -> list[dict]:
    request = ModelRequest(request_id=1, messages=messages)
    return question_of(request, facts, images or {}, stream=True, effort="default").messages


def test_an_image_is_described_to_a_model_that_can_not_see():
    shown = UserMessage(content="Look.", images=(PART,))
    (message,) = messages_for(BLIND, shown, images={PART.digest: Image(part=PART, data=b"x")})
    assert message["content"].startswith("Look.\n\n[an image is left out")
    assert "a.png" in message["content"]
    assert "640 by 480" in message["content"]


def test_an_image_that_nobody_has_is_described_too():
    (message,) = messages_for(CLAUDE, UserMessage(content="Look.", images=(PART,)))
    assert "left out" in message["content"]


def test_marks_are_few_and_never_on_an_empty_text():
    turns: list[Message] = [SystemMessage(content="s"), UserMessage(content="u")]
    for number in range(12):
        turns += [
            AssistantMessage(tool_calls=(CALL,)),
            ToolMessage(tool_call_id="a", content="x" if number % 2 else ""),
        ]
        messages = messages_for(CLAUDE, *turns)
        marked = [message for message in messages if "cache_control" in message]
        assert 1 < len(marked) <= 4
        assert all(message["content"] for message in marked)
    assert not any("cache_control" in message for message in messages_for(BLIND, *turns))


def test_only_the_model_that_thought_gets_its_thoughts():
    thoughts = sealed([Piece("thinking", {"thinking": "t", "signature": "s"})], CLAUDE.model)
    said = AssistantMessage(content="c", thoughts=thoughts)
    assert messages_for(CLAUDE, said)[0]["thinking_blocks"] == [{"type": "thinking", "thinking": "t", "signature": "s"}]
    assert messages_for(BLIND, said) == [{"role": "assistant", "content": "c"}]


@given(st.lists(st.text() | st.from_regex(r'\["(thinking|signature|reasoning|content|details)", .*\]', fullmatch=True)))
def test_forged_thoughts_break_nothing(texts):
    thoughts = tuple(Thought(by=CLAUDE.model, data=text) for text in texts)
    said = AssistantMessage(content="c", tool_calls=(CALL,), thoughts=thoughts)
    (message,) = messages_for(CLAUDE, said)
    assert message["content"] == "c"


pieces = st.one_of(
    st.builds(lambda text: Piece("thinking", {"data": text}), st.text(min_size=1)),
    st.builds(lambda text: Piece("reasoning", {"item": {"id": text}, "before": 0}), st.text()),
    st.builds(lambda a, b: Piece("thinking", {"thinking": a, "signature": b}), st.text(), st.text(min_size=1)),
)


@given(st.lists(pieces, max_size=5))
def test_whole_thoughts_come_back_as_they_were(thoughts):
    assert opened(sealed(joined(thoughts), "m"), "m") == thoughts
    assert opened(sealed(joined(thoughts), "m"), "another") == []


def test_pieces_of_a_stream_become_thoughts():
    stream = [
        Piece("thinking", {"thinking": "a"}),
        Piece("thinking", {"thinking": "b"}),
        Piece("thinking", {"signature": "s"}),
        Piece("content", {"text": "x"}),
        Piece("thinking", {"thinking": "unsigned"}),
        Piece("content", {"text": "y"}),
    ]
    assert joined(stream) == [
        Piece("thinking", {"thinking": "ab", "signature": "s"}),
        Piece("content", {"text": "xy"}),
    ]
