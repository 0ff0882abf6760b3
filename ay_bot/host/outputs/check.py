"""The judgement of a batch of outputs: six stages in order, without any effect; the seventh is the API call.

Whoever makes that call carries out what is `Allowed`, as it stands there, and nothing else.
"""

from collections.abc import Sequence

from ay_bot.host.outputs.decision import Decision
from ay_bot.host.outputs.policy import OutputContext, OutputPolicy


def check(outputs: Sequence[object], policy: OutputPolicy, context: OutputContext) -> tuple[Decision, ...]:
    """Return a decision for each output, in order; one for all of them where the batch is over a limit.

    An output is an `Output`, or what a bundle's JSON holds in its place.
    """
    raise NotImplementedError
