"""OpenAI's Responses: what streams and what comes at once mean the same, and failures inside of an answer are failures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.assembly import Assembly
from ay_bot.gateway.failures import ProviderSaid, failure_of_status
from ay_bot.gateway.question import Question
from ay_bot.gateway.responses import Reader, body_of
from tests.loopback_models import responses
from tests.loopback_models.turns import Memory, Turn

BODY = {"model": "m", "include": ["reasoning.encrypted_content"]}
words = st.text(max_size=30)
turns = st.builds(
    Turn,
    text=words,
    calls=st.lists(
        st.tuples(st.sampled_from(["shell", "read"]), st.dictionaries(words, words, max_size=2)), max_size=3
    ).map(tuple),
    thought=words,
    refusal=words,
    cut=st.booleans(),
)


def read(turn: Turn, *, streamed: bool) -> Assembly:
    assembly, reader = Assembly(), Reader()
    if streamed:
        chunks = [
            reader.read(event) for _, event in responses.events(turn, 1, BODY, Memory()) if isinstance(event, dict)
        ]
    else:
        chunks = list(reader.whole(responses.whole(turn, 1, BODY, Memory())))
    for chunk in chunks:
        if chunk:
            assembly.add(chunk)
    assembly.check_complete()
    return assembly


@given(turns)
def test_streamed_or_not_an_answer_is_the_same(turn):
    one, other = read(turn, streamed=True), read(turn, streamed=False)
    assert (one.text, one.tool_calls, one.finish_reason, one.tokens, one.thoughts) == (
        other.text,
        other.tool_calls,
        other.finish_reason,
        other.tokens,
        other.thoughts,
    )
    assert one.text == (turn.refusal or turn.text)
    assert [call.name for call in one.tool_calls] == [name for name, _ in turn.calls]
    if turn.refusal:
        assert one.finish_reason == "content_filter"


@pytest.mark.parametrize(
    ("code", "cause", "transient"),
    [
        ("rate_limit_exceeded", "rate_limit", True),
        ("server_error", "provider", True),
        ("server_is_overloaded", "provider", True),
        ("context_length_exceeded", "context_window", False),
        ("insufficient_quota", "payment", False),
        ("invalid_prompt", "refused", False),
        ("something_new", "invalid_request", False),
    ],
)
def test_a_failure_inside_of_an_answer(code, cause, transient):
    error = {"code": code, "message": "no"}
    response = {"status": "failed", "error": error, "output": [], "usage": None}
    events = (
        {"type": "response.failed", "response": response},
        {"type": "error", "error": error},
        {"type": "error", **error},
    )
    for event in events:
        with pytest.raises(ProviderSaid) as caught:
            Reader().read(event)
        failure = failure_of_status(caught.value.status, {}, str(caught.value.event), model="m", key="k")
        assert (failure.cause, failure.transient) == (cause, transient)
    with pytest.raises(ProviderSaid):
        Reader().whole(response)


def test_events_that_nobody_knows_say_nothing():
    for kind in ("response.created", "response.in_progress", "response.web_search_call.searching", "new", None):
        assert Reader().read({"type": kind, "response": {}}) is None


def test_a_model_that_does_not_reason_is_not_asked_to():
    question = Question([{"role": "user", "content": "x"}], [], 5, effort="high")
    assert "reasoning" not in body_of(question, "m", reasons=False)
    body = body_of(question, "m", reasons=True)
    assert (body["reasoning"], body["max_output_tokens"], body["store"]) == ({"effort": "high"}, 16, False)
