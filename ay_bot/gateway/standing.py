"""How the models of a run stand: who rests after a failure, who is out for good, who answers which conversation."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ay_bot.gateway.candidates import Candidate
from ay_bot.protocol.conversation import Role
from ay_bot.protocol.messages import FailureCause, ModelRequest

FOR_GOOD: frozenset[FailureCause] = frozenset({"authentication", "payment", "permission", "not_found", "configuration"})
OF_THE_ACCOUNT: frozenset[FailureCause] = frozenset({"authentication", "payment"})
"""What the other models of the provider fail of as well."""
FOR_A_WHILE: frozenset[FailureCause] = frozenset({"rate_limit", "provider", "timeout", "unreachable", "malformed"})
MOST_CONVERSATIONS = 1_000


class Conversation(NamedTuple):
    """What tells a conversation from others through all its requests: who is asked, and how it begins."""

    role: Role
    beginning: int


def conversation_of(request: ModelRequest) -> Conversation:
    """Return the conversation that a request goes on with."""
    return Conversation(request.role, hash(tuple(message.content for message in request.messages[:2])))


class Standing:
    """The state of all models of a run; safe to use from several threads."""

    def __init__(self, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._back: dict[str, float] = {}
        self._closed: set[str] = set()
        self._answered: dict[Conversation, str] = {}
        self._too_long: set[Conversation] = set()
        self._windows: dict[tuple[Conversation, str], int] = {}
        self._cut: dict[Conversation, int] = {}

    def failed(self, candidate: Candidate, cause: FailureCause, wish: float | None) -> None:
        """Take in that a model failed, and for how long its provider wants to be left alone."""
        with self._lock:
            if cause in OF_THE_ACCOUNT and candidate.facts.provider:
                self._closed.add(candidate.facts.provider)
            if cause in FOR_GOOD:
                self._back[candidate.name] = float("inf")
            elif cause in FOR_A_WHILE:
                self._back[candidate.name] = self._clock() + max(self._rest, wish or 0)

    def awake(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those that don't rest, in order; if all do, those that are not out for good, or else all."""
        with self._lock:
            now = self._clock()
            back = {
                one.name: float("inf") if one.facts.provider in self._closed else self._back.get(one.name, 0.0)
                for one in candidates
            }
        for limit in (now, float("1e300")):
            if found := [one for one in candidates if back[one.name] <= limit]:
                return found
        return list(candidates)

    def who_answered(self, conversation: Conversation) -> str:
        """Return the model that this conversation was with, or nothing."""
        with self._lock:
            return self._answered.get(conversation, "")

    def answers(self, conversation: Conversation, model: str) -> None:
        """Take in who answers this conversation now."""
        with self._lock:
            self._answered.pop(conversation, None)
            self._answered[conversation] = model
            if len(self._answered) > MOST_CONVERSATIONS:
                del self._answered[next(iter(self._answered))]

    def was_cut(self, conversation: Conversation, limit: int) -> None:
        """Take in that an answer was cut off at a model's limit; 0 if it was not."""
        with self._lock:
            self._cut.pop(conversation, None)
            if limit:
                self._cut[conversation] = limit

    def limit_of_the_last(self, conversation: Conversation) -> int:
        """Return the limit at which the last answer was cut off, or 0."""
        with self._lock:
            return self._cut.get(conversation, 0)

    def did_not_fit(self, conversation: Conversation, model: str, tokens: int) -> None:
        """Take in that a model did not take so many tokens, whatever is known of its window."""
        with self._lock:
            key = (conversation, model)
            self._windows[key] = min(self._windows.get(key, tokens), tokens)

    def too_small(self, conversation: Conversation, tokens: int) -> frozenset[str]:
        """Return the models that did not take so many tokens of this conversation before."""
        with self._lock:
            return frozenset(
                model for (known, model), window in self._windows.items() if known == conversation and tokens >= window
            )

    def is_too_long_again(self, conversation: Conversation) -> bool:
        """Take in that a conversation did not fit; True if that is not news, and cutting it did not help."""
        with self._lock:
            known = conversation in self._too_long
            self._too_long.add(conversation)
            return known
