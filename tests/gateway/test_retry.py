"""A failed call is tried again as often, and after as long, as the policy says."""

import pytest

from ay_bot.gateway.failures import CallFailed
from ay_bot.gateway.retry import RetryPolicy, call_with_retries


def run(failures: list[CallFailed], policy: RetryPolicy) -> tuple[object, list[float]]:
    """Call something that fails so often; return its result or failure, and the waits."""
    left = list(failures)
    slept: list[float] = []

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    try:
        return call_with_retries(attempt, policy, lambda seconds, reason: None, slept.append), slept
    except CallFailed as failure:
        return failure, slept


def busy(retry_after: float | None = None) -> CallFailed:
    return CallFailed("rate_limit", "busy", transient=True, retry_after=retry_after)


POLICY = RetryPolicy(tries=4, max_wait=120)


def test_the_waits_double_with_jitter():
    result, slept = run([busy()] * 4, POLICY)
    assert result == "answer"
    for wait, whole in zip(slept, (2, 4, 8, 16), strict=True):
        assert 0.75 * whole <= wait <= whole


def test_the_last_failure_is_raised_when_the_tries_are_used_up():
    last = busy()
    result, slept = run([busy()] * 4 + [last], POLICY)
    assert result is last
    assert len(slept) == 4


def test_a_wish_to_wait_is_honoured():
    assert run([busy(7), busy(0)], POLICY) == ("answer", [7, 0])


def test_nobody_waits_longer_than_allowed_over_all():
    wish = busy(70)
    result, slept = run([busy(70), wish], POLICY)
    assert result is wish
    assert slept == [70]


def test_what_will_not_pass_is_not_tried_again():
    refused = CallFailed("authentication", "no")
    assert run([refused], POLICY) == (refused, [])


def test_a_broken_stream_is_tried_again_once():
    broken = [CallFailed("malformed", "half", transient=True) for _ in range(2)]
    result, slept = run(broken, POLICY)
    assert result is broken[1]
    assert len(slept) == 1


def test_every_wait_is_told_before_it_begins():
    told: list[tuple[float, str]] = []
    left = [busy(3)]

    def attempt() -> int:
        if left:
            raise left.pop()
        return 1

    def sleep(seconds: float) -> None:
        assert told == [(seconds, "busy")]

    assert call_with_retries(attempt, POLICY, lambda *wait: told.append(wait), sleep) == 1


@pytest.mark.parametrize("tries", [0, 1, 3])
def test_the_number_of_tries_is_a_setting(tries):
    _, slept = run([busy(0)] * 10, RetryPolicy(tries, 1))
    assert len(slept) == tries
