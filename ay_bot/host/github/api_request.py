"""One request to GitHub and its reply, as values, and how fast and how often requests are sent."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Pace(NamedTuple):
    """How hard GitHub is asked. Times are seconds."""

    between_writes: float = 1.0
    """GitHub asks for a second between two writes."""
    attempts: int = 4
    """How often a request is sent in all, where sending it again does no harm."""
    backoff: float = 1.0
    """The wait before the second attempt; it doubles from one to the next."""
    limit_wait: float = 60.0
    """The wait after a rate limit that names none."""
    longest_wait: float = 60.0
    """If GitHub asks for a longer wait than this, the request fails."""
    timeout: int = 20
    """For a connection, and for each silence on it."""
    idle: float = 20.0
    """A connection that was silent for longer is not trusted with a write."""
    sleep: Callable[[float], None] = time.sleep


class Asked(NamedTuple):
    """What is sent. `again` says that sending it twice is the same as once, as with everything that only reads."""

    verb: str
    path: str
    parameters: Mapping[str, str] = {}
    body: object = None
    again: bool = True

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return f"{self.verb} {self.path}"


class Reply(NamedTuple):
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class Unsent(Exception):
    """The request did not get out: no connection came about."""


class Unanswered(Exception):
    """The request was sent, at least in part, and no whole answer came back."""


Send = Callable[[Asked], Reply]
"""Sends one request, once. Raises Unsent or Unanswered; a reply with an error is a reply."""
