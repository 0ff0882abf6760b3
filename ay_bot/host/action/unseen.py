"""The place of a tracking comment in a job that may write nothing: what would be shown is let go."""

# ruff: noqa: ARG002 - what it hears it lets go

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from ay_bot.host.github.thread import HiddenText
from ay_bot.host.github.tracking_marker import State
from ay_bot.host.report import Result
from ay_bot.protocol.events import Record


class Follower(AbstractContextManager["Follower"], Protocol):
    """Whoever shows people on the thread how a request goes; see Tracker."""

    problems: list[str]

    @property
    def settled(self) -> bool:
        """Whether the request was carried out or refused before."""
        ...

    def __call__(self, record: Record) -> None:
        """Hear an event of the run."""
        ...

    def caps(self, max_cost: float, max_tokens: int) -> None:
        """Tell what the run may spend."""
        ...

    def hidden(self, found: Sequence[HiddenText], left_out: int = 0) -> None:
        """Tell what was hidden on the thread, and how many comments came too late."""
        ...

    def blocked(self, lines: Sequence[str]) -> None:
        """Tell what was asked for and not done."""
        ...

    def propose(self, plan: str) -> str:
        """Show a plan for approval and return its hash."""
        ...

    def finish(self, result: Result) -> bool:
        """Tell the result and return whether people can see it."""
        ...

    def end(self, state: State, reason: str, hint: str = "", url: str = "") -> bool:
        """End without a result."""
        ...


class Unseen:
    """Shows nothing."""

    def __init__(self, *, settled: bool) -> None:
        self.problems: list[str] = []
        self._settled = settled

    @property
    def settled(self) -> bool:
        """Whether the request was carried out or refused before."""
        return self._settled

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    def __call__(self, record: Record) -> None:
        """Hear an event."""

    def caps(self, max_cost: float, max_tokens: int) -> None:
        """Hear the caps."""

    def hidden(self, found: Sequence[HiddenText], left_out: int = 0) -> None:
        """Hear of hidden text."""

    def blocked(self, lines: Sequence[str]) -> None:
        """Hear what was denied."""

    def propose(self, plan: str) -> str:
        """Hear a plan, which the job that publishes shows."""
        return ""

    def finish(self, result: Result) -> bool:
        """Hear the result, which is in the bundle."""
        return True

    def end(self, state: State, reason: str, hint: str = "", url: str = "") -> bool:
        """Hear the end."""
        return True
