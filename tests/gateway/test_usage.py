"""What a call is taken to have used, whatever its provider counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.assembly import Assembly, Chunk, Tokens
from ay_bot.gateway.budget import Reservation
from ay_bot.gateway.usage import MOST_ANSWER, UNSEEN, usage_of
from ay_bot.protocol.model_facts import ModelFacts

PRICED = ModelFacts(model="m", input_price=1, output_price=4)
ASKED = Reservation(5_000, 0.0, None, 4_000)


def used(tokens, facts=PRICED, text="x" * 400):
    assembly = Assembly()
    assembly.add(Chunk(text, tokens=tokens))
    return usage_of(assembly, ASKED, facts)


def test_a_count_that_can_be_true_is_taken_with_its_cost():
    usage = used(Tokens(900, 90, 800, 0.005))
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.cost_usd) == (900, 90, 800, 0.005)


@pytest.mark.parametrize("tokens", [None, Tokens(0, 0, 0, 0.0), Tokens(-5, -5, -5, -1.0)])
def test_who_counts_nothing_is_paid_by_size(tokens):
    usage = used(tokens)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (1_000, 100, 0)
    assert usage.cost_usd == pytest.approx((1_000 * 1 + 100 * 4) / 1_000_000)
    assert used(tokens, ModelFacts(model="m")).cost_usd is None


def test_an_answer_without_a_word_costs_its_question():
    usage = used(Tokens(900, 0, 0, 0.0009), text="")
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cost_usd) == (900, 0, 0.0009)


@given(st.builds(Tokens, st.integers(), st.integers(), st.integers(), st.none() | st.floats(-1e9, 1e9)))
def test_any_count_is_bounded(tokens):
    usage = used(tokens)
    assert 0 < usage.prompt_tokens <= 4_000 + UNSEEN
    assert 0 < usage.completion_tokens <= MOST_ANSWER
    assert 0 <= usage.cached_tokens <= usage.prompt_tokens
    assert usage.cost_usd is None or usage.cost_usd >= 0
