"""No call is sent that could cost more than what is left, however many run at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.budget import LEAST_ANSWER, Estimator, Price, Purse, Refused, Reservation
from ay_bot.protocol.conversation import Usage

PRICE = Price(1e-6, 4e-6)


def reserve(purse: Purse, size: int, wanted: int = 1000, price: Price | None = None) -> Reservation:
    reservation = purse.reserve(size, wanted, price)
    assert isinstance(reservation, Reservation)
    return reservation


def test_without_caps_everything_fits_and_no_limit_is_sent():
    purse = Purse(0, 0)
    assert not purse.capped
    assert reserve(purse, 10**9, price=PRICE).answer_limit is None


def test_tokens_are_refused_once_they_would_not_fit():
    purse = Purse(0, 2000)
    refused = purse.reserve(9000, 1000, None)
    assert isinstance(refused, Refused)
    assert "2,000" in refused.message


def test_money_is_refused_once_it_would_not_fit():
    purse = Purse(0.001, 0)
    refused = purse.reserve(9000, 1000, PRICE)
    assert isinstance(refused, Refused)
    assert "$" in refused.message


def test_an_unknown_price_caps_tokens_alone():
    assert isinstance(Purse(0.000001, 0).reserve(9000, 1000, None), Reservation)
    assert isinstance(Purse(0.000001, 100).reserve(9000, 1000, None), Refused)


def test_the_answer_is_limited_to_what_is_left():
    assert reserve(Purse(0, 2000), 3000, wanted=50_000).answer_limit == 999
    cheap = reserve(Purse(0.005, 0), 3000, wanted=50_000, price=PRICE)
    assert cheap.answer_limit == pytest.approx((0.005 - 0.001) / 4e-6, rel=0.01)


def test_calls_that_run_at_once_share_what_is_left():
    purse = Purse(0, 5000)
    first = reserve(purse, 3000, wanted=3500)
    assert isinstance(purse.reserve(3000, 3500, None), Refused)
    purse.release(first)
    reserve(purse, 3000, wanted=3500)


def test_what_was_used_counts_and_not_what_was_promised():
    purse = Purse(1.0, 10_000)
    purse.settle(
        reserve(purse, 3000, price=PRICE), Usage(requests=1, prompt_tokens=900, completion_tokens=100, cost_usd=0.5)
    )
    state = purse.state()
    assert (state.tokens, state.cost_usd, state.spent) == (1000, 0.5, 0.5)


def test_one_unknown_cost_makes_the_cost_unknown():
    purse = Purse(0, 0)
    purse.settle(reserve(purse, 10), Usage(requests=1, cost_usd=0.25))
    purse.settle(reserve(purse, 10), Usage(requests=1, cost_usd=None))
    assert purse.state().cost_usd is None


def test_the_estimate_learns_from_what_providers_count():
    estimator = Estimator()
    assert estimator.prompt_tokens(3000) >= 1000
    estimator.learn(4000, 1000)
    assert 750 <= estimator.prompt_tokens(3000) <= 850
    estimator.learn(4000, 2000)
    assert estimator.prompt_tokens(3000) >= 1500


@given(
    st.integers(1, 100_000),
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 8000), st.booleans()), max_size=30),
)
def test_honest_calls_never_pass_the_cap(cap, calls):
    """A model that uses at most what was reserved for it can't bring the run over its cap."""
    purse = Purse(0, cap)
    open_calls: list[Reservation] = []
    for size, wanted, at_once in calls:
        reservation = purse.reserve(size, wanted, None)
        if isinstance(reservation, Refused):
            continue
        assert reservation.answer_limit is not None
        assert reservation.answer_limit >= min(wanted, LEAST_ANSWER)
        open_calls.append(reservation)
        if not at_once:
            paid = open_calls.pop(0)
            prompt = paid.tokens - (paid.answer_limit or 0)
            purse.settle(paid, Usage(prompt_tokens=prompt, completion_tokens=paid.answer_limit or 0, cost_usd=None))
    for paid in open_calls:
        prompt = paid.tokens - (paid.answer_limit or 0)
        purse.settle(paid, Usage(prompt_tokens=prompt, completion_tokens=paid.answer_limit or 0, cost_usd=None))
    assert purse.state().tokens <= cap
