"""The gate with GitHub behind it: each login is asked about once, however often a run decides."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ay_bot.host.config import Settings
from ay_bot.host.gate import Decision, Outcome, Rules, decide
from ay_bot.host.github.runner_context import RunnerContext
from ay_bot.host.permissions import Standing

if TYPE_CHECKING:
    from ay_bot.host.github.forge import Forge


def is_for_us(context: RunnerContext, payload: object) -> bool:
    """Whether an event asks the bot for anything, whoever asks; nobody is asked about that."""
    inputs = context.inputs
    rules = Rules(inputs.mention, inputs.label, admission=inputs.admission())
    anybody = Standing("admin", "admin")
    decision = decide(context.event_name, payload, rules, lambda _: anybody, context.triggering_actor)
    return decision.decision != Outcome.IGNORE


class Gatekeeper:
    """Decides about one event: first by the workflow's inputs, then by the settings of the base commit too."""

    def __init__(self, context: RunnerContext, payload: object, forge: "Callable[[], Forge]") -> None:
        self._context = context
        self._payload = payload
        self._forge = forge
        self._standings: dict[str, Standing | None] = {}

    def decide(self, settings: Settings | None = None) -> Decision:
        """Return the decision; GitHub is asked only if all else speaks for a run."""
        inputs = self._context.inputs
        rules = Rules(inputs.mention, inputs.label, admission=inputs.admission(settings))
        return decide(self._context.event_name, self._payload, rules, self._ask, self._context.triggering_actor)

    def _ask(self, login: str) -> Standing | None:
        if login.lower() not in self._standings:
            self._standings[login.lower()] = self._forge().standing(login)
        return self._standings[login.lower()]
