"""How a session of an agent ends."""

from dataclasses import dataclass

from ay_bot.protocol.messages import EndReason, ModelFailure, Review
from ay_bot.protocol.outputs import Output


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended."""

    reason: EndReason
    summary: str = ""
    steps: int = 0
    failure: ModelFailure | None = None
    outputs: tuple[Output, ...] = ()
    review: Review | None = None
