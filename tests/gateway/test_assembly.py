"""Chunks become one reply, however a provider cuts them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.assembly import Assembly, CallPart, Chunk, Tokens
from ay_bot.gateway.failures import CallFailed


def assemble(*chunks: Chunk) -> Assembly:
    assembly = Assembly()
    for chunk in chunks:
        assembly.add(chunk)
    return assembly


def test_texts_and_calls_are_joined():
    whole = assemble(
        Chunk("Hel"),
        Chunk("lo", (CallPart(0, "a", "read", ""),)),
        Chunk(calls=(CallPart(0, "", "", '{"pa'), CallPart(1, "b", "shell", "{}"))),
        Chunk(calls=(CallPart(0, "", "", 'th": 1}'),)),
        Chunk(finish="tool_calls"),
        Chunk(tokens=Tokens(3, 4, 1, None)),
    )
    whole.check_complete()
    assert whole.text == "Hello"
    assert [(call.id, call.name, call.arguments) for call in whole.tool_calls] == [
        ("a", "read", '{"path": 1}'),
        ("b", "shell", "{}"),
    ]
    assert whole.finish_reason == "tool_calls"
    assert whole.tokens == Tokens(3, 4, 1, None)


def test_two_calls_that_share_a_place_are_told_apart_by_their_ids():
    whole = assemble(Chunk(calls=(CallPart(0, "a", "read", "{}"), CallPart(0, "b", "read", "{}"))))
    assert [call.id for call in whole.tool_calls] == ["a", "b"]


def test_a_call_without_an_id_gets_one():
    assert assemble(Chunk(calls=(CallPart(0, "", "read", "{}"),))).tool_calls[0].id == "call_0"


def test_stop_after_tool_calls_means_tool_calls():
    assert assemble(Chunk(calls=(CallPart(0, "a", "x", ""),), finish="stop")).finish_reason == "tool_calls"
    assert assemble(Chunk("x", finish="stop")).finish_reason == "stop"
    assert assemble(Chunk("x", finish="length")).finish_reason == "length"
    assert assemble(Chunk("x", finish="something new")).finish_reason == "stop"


def test_an_answer_without_an_end_is_half_an_answer():
    with pytest.raises(CallFailed, match="broke off after 5 characters") as caught:
        assemble(Chunk("Hello")).check_complete()
    assert caught.value.cause == "malformed"


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=3), max_size=4), st.data())
def test_arguments_survive_any_cut(arguments, data):
    chunks = []
    for place, value in enumerate(arguments):
        text = json.dumps(value)
        cut = data.draw(st.integers(0, len(text)))
        chunks += [
            Chunk(calls=(CallPart(place, f"id{place}", "tool", text[:cut]),)),
            Chunk(calls=(CallPart(place, "", "", text[cut:]),)),
        ]
    calls = assemble(*chunks).tool_calls
    assert [json.loads(call.arguments) for call in calls] == arguments
