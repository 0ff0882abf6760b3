"""Rate limits: whether a reply is one, and how long GitHub wants us to wait."""

import json
import time

from ay_bot.host.github.api_request import Pace, Reply

_SECONDARY = ("secondary rate limit", "retry your request again later", "abuse detection")


def wanted_wait(reply: Reply, pace: Pace) -> float | None:
    """Return the seconds to wait if the reply is a rate limit, which means that nothing was done; None otherwise."""
    if reply.status == 200:
        return _of_graphql(reply, pace)
    if reply.status not in (403, 429):
        return None
    after = reply.headers.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return float(after)
    primary = reply.headers.get("x-ratelimit-remaining") == "0" or "API rate limit exceeded" in reply.text
    if primary and (reset := _reset(reply)) is not None:
        return reset
    if reply.status == 429 or primary or any(words in reply.text for words in _SECONDARY):
        return pace.limit_wait
    return None


def _of_graphql(reply: Reply, pace: Pace) -> float | None:
    if '"RATE_LIMITED"' not in reply.text:
        return None
    errors = json.loads(reply.text).get("errors", [])
    if not any(isinstance(error, dict) and error.get("type") == "RATE_LIMITED" for error in errors):
        return None
    reset = _reset(reply)
    return pace.limit_wait if reset is None else reset


def _reset(reply: Reply) -> float | None:
    reset = reply.headers.get("x-ratelimit-reset", "")
    if not (reset.isascii() and reset.isdigit()):
        return None
    return max(int(reset) - time.time(), 0) + 1  # it is not said when within its second
