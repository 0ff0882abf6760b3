"""When a failed model call is tried again: 2, 4, 8, 16 seconds with jitter, or what the provider asks for."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ay_bot.gateway.failures import CallFailed

Result = TypeVar("Result")


class RetryPolicy(NamedTuple):
    """At most `tries` more attempts, and at most `max_wait` seconds of waiting over them all, from `first_wait` on."""

    tries: int  # for a stream that broke, one
    max_wait: float
    first_wait: float = 2.0

    def pause(self, attempt: int, failure: CallFailed, waited: float) -> float | None:
        """Return the seconds to wait after the failed attempt number `attempt` (from 0), or None to give up."""
        tries = min(self.tries, 1) if failure.cause == "malformed" else self.tries
        if not failure.transient or attempt >= tries:
            return None
        pause = failure.retry_after
        if pause is None:
            pause = self.first_wait * 2.0**attempt * random.uniform(0.75, 1.0)  # noqa: S311 - jitter, not a secret
        return pause if waited + pause <= self.max_wait else None


def call_with_retries(
    attempt: Callable[[], Result],
    policy: RetryPolicy,
    on_wait: Callable[[float, str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Call `attempt` until it succeeds or the policy gives up; the last failure is raised."""
    waited = 0.0
    number = 0
    while True:
        try:
            return attempt()
        except CallFailed as failure:
            pause = policy.pause(number, failure, waited)
            if pause is None:
                raise
            on_wait(pause, failure.message)
        sleep(pause)
        waited += pause
        number += 1
