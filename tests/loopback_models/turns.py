"""What the loopback model answers, in no provider's format."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal[
    "rate_limit",
    "overloaded",
    "server",
    "authentication",
    "payment",
    "permission",
    "not_found",
    "too_long",
    "invalid",
    "filter",
]
Fault = Literal["", "reset", "garbage", "hang", "drip", "closed"]


class Misasked(Exception):
    """A request that the real provider would refuse, and why."""


@dataclass(frozen=True)
class Count:
    """What the provider counts; `cached` is part of `sent`."""

    sent: int = 1000
    cached: int = 600
    received: int = 50


@dataclass(frozen=True)
class Turn:
    """One answer.

    `thought` comes before it, sealed. `cut` ends it at its limit, `full` at that of the window, where a provider tells
    the two apart. `fails` is an error in place of it, or in its midst with `midway`.
    """

    text: str = ""
    calls: tuple[tuple[str, Json], ...] = ()
    thought: str = ""
    refusal: str = ""
    cut: bool = False
    full: bool = False
    count: Count = field(default_factory=Count)
    fails: Kind | Literal[""] = ""
    midway: bool = False
    retry_after: str = ""
    fault: Fault = ""
    wait: float = 0.0


@dataclass
class Memory:
    """What the server remembers of its answers: each seal, and what stood behind it."""

    seals: dict[str, str] = field(default_factory=dict)

    def seal(self, number: int, what: str) -> str:
        """Return a seal for something, which has to come back as it is."""
        seal = f"U2VhbA{number:06d}=="
        self.seals[seal] = what
        return seal

    def check(self, seal: object, what: str) -> None:
        """Raise if a seal was never given, or for something else."""
        if self.seals.get(str(seal)) != what:
            raise Misasked(f"Invalid signature or encrypted content: {seal!r} does not seal {what[:80]!r}")


def turns_of(script: Json) -> tuple[list[Turn], list[Turn]]:
    """Return the turns and the side answers of a script as the demo has it."""

    def turn(said: Any) -> Turn:
        if isinstance(said, str):
            return Turn(said)
        calls = tuple((call["name"], call.get("arguments", {})) for call in said.get("tool_calls", ()))
        return Turn(said.get("text", ""), calls, thought="First I look, then I act.")

    return [turn(said) for said in script["turns"]], [turn(said) for said in script.get("side", ())]


def require(condition: object, problem: str) -> None:
    """Raise unless something holds of a request."""
    if not condition:
        raise Misasked(problem)


def known_fields(body: Json, *names: str) -> None:
    """Raise for a field that the provider does not know: real ones refuse the request."""
    require(not (extra := set(body) - set(names)), f"Unknown parameter: {sorted(extra)}")


def pieces(text: str, size: int = 7) -> list[str]:
    """Cut a text as a stream does."""
    return [text[start : start + size] for start in range(0, len(text), size)]
