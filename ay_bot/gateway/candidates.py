"""Who may answer a request: a role's models in the order that its strategy gives them, without those that can't."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ay_bot.gateway.registry import MILLION
from ay_bot.protocol.messages import ModelSetting, RoleModels
from ay_bot.protocol.model_facts import ModelFacts

USUAL_REPLY = 1_000  # tokens that an answer has, where prices are compared
SMALLER_IF = 0.5  # of a smaller model's window: below that a conversation that shrank goes back to it


class Candidate(NamedTuple):
    """A model that could answer."""

    setting: ModelSetting
    facts: ModelFacts

    @property
    def name(self) -> str:
        """The model, as litellm names it."""
        return self.setting.model


class Need(NamedTuple):
    """What a request asks of a model; tokens are an upper bound.

    `output` is the limit at which the last answer of this conversation was cut off; a longer one is wanted then.
    """

    tokens: int
    tools: bool = False
    images: bool = False
    escalate: bool = False
    output: int = 0


class Candidates:
    """The models of one role."""

    def __init__(self, models: RoleModels, facts: dict[str, ModelFacts]) -> None:
        def known(settings: Iterable[ModelSetting]) -> tuple[Candidate, ...]:
            return tuple(Candidate(setting, facts[setting.model]) for setting in settings)

        self.strategy = models.strategy
        self.own = known(models.models)
        self.fallbacks = known(models.fallbacks)
        self.larger = known(models.larger)
        self.stronger = known(models.stronger)
        self.rules = models

    @property
    def first(self) -> Candidate:
        """Who answers when nothing speaks against it."""
        return self.own[0]

    @property
    def longest(self) -> int:
        """How long a request may be: for the strategy `context` the largest window, otherwise the first; 0: unknown."""
        windows = [one.facts.context_window for one in self.own]
        return max(windows) if self.strategy == "context" and all(windows) else windows[0]

    def in_order(self, need: Need, current: str, too_small: Collection[str] = ()) -> list[Candidate]:
        """Return who may be asked, best first; `current` is who answered this conversation before, or empty.

        Whoever is too small comes last, largest first: the estimate may be wrong, and asking is the proof. `too_small`
        names those that gave this proof, which holds for whoever is no larger.
        """
        chosen = self._by_strategy(need, current)
        longer = self._with_longer_answers(need)
        ranked = _once((*(self.stronger if need.escalate else ()), *longer, *chosen, *self.fallbacks))
        able = [one for one in ranked if one in self.own or _is_able(one, need)]
        proven = max((one.facts.context_window for one in able if one.name in too_small), default=0)
        wider = [one for one in (*able, *self.larger) if one.name not in too_small and _is_wider(one, proven)]
        fitting = [one for one in able if one in wider and _fits(one, need.tokens)]
        larger = [one for one in self.larger if not fitting and one in wider and _fits(one, need.tokens)]
        rest = sorted((one for one in able if one not in fitting), key=lambda one: -one.facts.context_window)
        return _once((*fitting, *larger, *rest))

    def _with_longer_answers(self, need: Need) -> list[Candidate]:
        if not need.output:
            return []
        return [one for one in (*self.larger, *self.own, *self.fallbacks) if one.facts.output_limit > need.output]

    def _by_strategy(self, need: Need, current: str) -> Sequence[Candidate]:
        if self.strategy == "explicit":
            return self.own
        fitting = [one for one in self.own if _is_able(one, need) and _fits(one, need.tokens)]
        if self.strategy == "price":
            ranked = sorted(fitting, key=lambda one: _price(one, need))
            stays = [one for one in ranked if one.name == current]  # its provider has the conversation in its cache
        else:
            ranked = sorted(fitting, key=lambda one: one.facts.context_window or float("inf"))
            stays = [one for one in ranked if one.name == current and not _fits(ranked[0], need.tokens / SMALLER_IF)]
        return [*stays, *ranked, *self.own]

    def after(self, failed: Candidate, cause: str, left: Sequence[Candidate], tokens: int = 0) -> list[Candidate]:
        """Return who of those that are left may be asked after this failure, for a request of so many tokens."""
        match cause:
            case "context_window":
                window = failed.facts.context_window
                wider = [one for one in _once((*left, *self.larger)) if one.facts.context_window > window > 0]
                return [one for one in wider if _fits(one, tokens)] or wider
            case "payment" if self.rules.on_payment == "stop":
                return []
            case "authentication" | "payment" | "permission":
                return [one for one in left if one.facts.provider != failed.facts.provider]
            case "refused" if self.rules.on_refusal == "stop":
                return []
            case "budget":
                return []
            case _:
                return list(left)


def _once(candidates: Iterable[Candidate]) -> list[Candidate]:
    return list({one.name: one for one in candidates}.values())


def _is_able(one: Candidate, need: Need) -> bool:
    return (one.facts.tools or not need.tools) and (one.facts.vision or not need.images or not one.facts.known)


def _fits(one: Candidate, tokens: float) -> bool:
    return not one.facts.context_window or tokens <= one.facts.context_window


def _is_wider(one: Candidate, window: int) -> bool:
    return not one.facts.context_window or not window or one.facts.context_window > window


def _price(one: Candidate, need: Need) -> float:
    facts = one.facts
    if facts.input_price is None or facts.output_price is None:
        return float("inf")
    return (need.tokens * facts.input_price + USUAL_REPLY * facts.output_price) / MILLION
