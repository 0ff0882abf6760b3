"""Who is asked when a model fails, is too small or too weak; that people are told; and that the budget holds over all."""

import dataclasses
from collections.abc import Iterator

import pytest

from ay_bot.host.gateway_process import Gateway
from ay_bot.protocol.conversation import ToolSpec, UserMessage
from ay_bot.protocol.messages import (
    Configure,
    ModelFailure,
    ModelProgress,
    ModelReply,
    ModelRequest,
    ModelSetting,
    RoleModels,
    Switched,
)
from ay_bot.protocol.model_facts import Capabilities
from tests.loopback_models.server import LoopbackModels, serve
from tests.loopback_models.turns import Count, Kind, Turn

TOOLS = (ToolSpec(name="shell", description="Run.", parameters={"type": "object", "properties": {}}),)
FIRST, OTHER, SAME = "openai/first", "anthropic/other", "openai/same"
SMALL, LARGE, STRONG, PAID = "openai/small", "gemini/large", "anthropic/strong", "gemini/paid"
SHORT, LONG = "openai/short", "gemini/long"
CAPABILITIES = {
    FIRST: Capabilities(context_window=20_000, input_price=1, output_price=4),
    SAME: Capabilities(context_window=20_000, input_price=1, output_price=4),
    OTHER: Capabilities(context_window=20_000, input_price=3, output_price=9),
    SMALL: Capabilities(context_window=2_000, input_price=5, output_price=5),
    LARGE: Capabilities(context_window=900_000, input_price=5, output_price=20),
    SHORT: Capabilities(context_window=20_000, output_limit=100),
    LONG: Capabilities(context_window=20_000, output_limit=5_000),
}


class Stand:
    """A gateway with a role for each kind of chain."""

    def __init__(self, gateway: Gateway, models: LoopbackModels) -> None:
        self.gateway = gateway
        self.models = models
        self.switches: list[Switched] = []
        self.reasons: list[str] = []

    def ask(
        self, role: str, *turns: Turn, text: str = "Mend it.", received: int = 10, **more: object
    ) -> ModelReply | ModelFailure:
        counted = Count(len(text) // 4 + 60, 0, received)
        self.models.turns[:] = [dataclasses.replace(turn, count=counted) for turn in turns]
        self.models.asked.clear()
        self.switches.clear()
        self.reasons.clear()
        request = ModelRequest.model_validate(
            {"request_id": 1, "role": role, "messages": (UserMessage(content=text),), "tools": TOOLS, **more}
        )
        return self.gateway.ask(request, self._progress)

    def _progress(self, progress: ModelProgress) -> None:
        if progress.switched:
            self.switches.append(progress.switched)
            self.reasons.append(progress.reason)

    def who(self) -> list[str]:
        """Return who was asked, in order, without their provider."""
        return [
            body["model"] if "model" in body else path.split("/")[-1].split(":")[0]
            for _, path, body in self.models.asked
        ]


def settings(models: LoopbackModels, *names: str) -> tuple[ModelSetting, ...]:
    bases = {"openai": "chat", "anthropic": "anthropic", "gemini": "gemini"}
    return tuple(ModelSetting(model=name, api_base=models.base(bases[name.partition("/")[0]])) for name in names)


def configuration(models: LoopbackModels, **more: object) -> Configure:
    def some(*names: str) -> tuple[ModelSetting, ...]:
        return settings(models, *names)

    chain = RoleModels(
        models=some(FIRST), fallbacks=some(SAME, OTHER), larger=some(LARGE), stronger=some(STRONG), on_refusal="next"
    )
    return Configure(
        roles={
            "main": chain,
            "planner": RoleModels(models=some(SMALL, FIRST, LARGE), strategy="context"),
            "editor": RoleModels(models=some(OTHER, LARGE, FIRST), strategy="price"),
            "reviewer": RoleModels(models=some(PAID), fallbacks=some(OTHER), on_payment="stop"),
            "weak": some("openai/busy")[0],
        },
        capabilities=CAPABILITIES,
        max_retries=0,
        rest=more.pop("rest", 0),
        **more,
    )


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Gateway, LoopbackModels]]:
    keys = {"OPENAI_API_KEY": "k" * 8, "ANTHROPIC_API_KEY": "k" * 8, "GEMINI_API_KEY": "k" * 8}
    with serve() as models, Gateway.start(keys) as gateway:
        gateway.configure(configuration(models))
        yield gateway, models


@pytest.fixture
def stand(running: tuple[Gateway, LoopbackModels]) -> Stand:
    return Stand(*running)


@pytest.mark.parametrize("kind", ["rate_limit", "overloaded", "server", "invalid"])
def test_the_next_in_the_chain_answers_for_one_that_fails(stand, kind: Kind):
    reply = stand.ask("main", Turn(fails=kind), Turn("from the other"), text=kind)
    assert isinstance(reply, ModelReply)
    assert (reply.content, reply.model) == ("from the other", SAME)
    assert stand.who() == ["first", "same"]
    assert [(one.role, one.before, one.after) for one in stand.switches] == [("main", FIRST, SAME)]
    assert stand.reasons[0], "people are told why"


def test_it_goes_on_along_the_chain_and_names_all_failures_at_its_end(stand):
    failure = stand.ask("main", Turn(fails="server"), Turn(fault="closed"), Turn(fails="overloaded"), text="all fail")
    assert isinstance(failure, ModelFailure)
    assert failure.cause == "provider"
    assert stand.who() == ["first", "same", "other"]
    for name in ("first", "other"):
        assert name in failure.message or "Overloaded" in failure.message
    assert "before it" in failure.message


def test_the_first_is_asked_again_after_a_while(stand):
    stand.ask("main", Turn(fails="server"), Turn("b"), text="return")
    reply = stand.ask("main", Turn("back"), text="return")
    assert isinstance(reply, ModelReply)
    assert reply.model == FIRST
    assert [(one.before, one.after, one.cause) for one in stand.switches] == [(SAME, FIRST, "return")]


def test_a_refusal_goes_to_the_next_where_that_is_wanted(stand):
    reply = stand.ask("main", Turn(refusal="I won't."), Turn("I will."), text="refusal")
    assert isinstance(reply, ModelReply)
    assert (reply.content, [one.cause for one in stand.switches]) == ("I will.", ["refused"])
    reply = stand.ask("reviewer", Turn(refusal="I won't."), Turn("I will."), text="refusal")
    assert isinstance(reply, ModelReply)
    assert (reply.content, reply.finish_reason) == ("", "content_filter"), "Google refuses without a word"


def test_a_conversation_that_is_too_long_is_shortened_first_and_then_goes_to_a_larger_window(stand):
    failure = stand.ask("main", Turn(fails="too_long"), Turn("larger"), text="too long")
    assert isinstance(failure, ModelFailure)
    assert (failure.cause, stand.who()) == ("context_window", ["first"])
    reply = stand.ask("main", Turn("larger"), text="too long")
    assert isinstance(reply, ModelReply)
    assert (reply.model, stand.who()) == (LARGE, ["large"]), "the first has said that it is too small"


def test_a_conversation_that_was_shortened_in_vain_goes_to_a_larger_window(stand):
    begun = (UserMessage(content="so long"), UserMessage(content="and more"))
    text = "word " * 2_000
    long = {"messages": (*begun, UserMessage(content=text)), "text": text}
    assert stand.ask("main", Turn(fails="too_long"), **long).cause == "context_window"
    reply = stand.ask("main", Turn(fails="too_long"), Turn("larger"), messages=begun)
    assert (reply.model, stand.who()) == (LARGE, ["first", "large"])
    assert [one.cause for one in stand.switches] == ["context_window"]
    reply = stand.ask("main", Turn("larger"), **long)
    assert (reply.model, stand.who(), stand.switches) == (LARGE, ["large"], [])


def test_what_is_known_to_be_too_long_is_not_sent_in_vain(stand):
    reply = stand.ask("main", Turn("larger"), text="word " * 30_000)
    assert isinstance(reply, ModelReply)
    assert stand.who() == ["large"]


def test_a_stronger_model_answers_the_one_request_that_asks_for_it(stand):
    stand.ask("main", Turn("weak"), text="stuck")
    reply = stand.ask("main", Turn("strong"), text="stuck", escalate=True)
    assert isinstance(reply, ModelReply)
    assert (reply.model, stand.switches[0].cause) == (STRONG, "escalation")
    reply = stand.ask("main", Turn("weak again"), text="stuck")
    assert isinstance(reply, ModelReply)
    assert (reply.model, stand.switches[0].cause) == (FIRST, "return")


@pytest.fixture(scope="module")
def another() -> Iterator[Stand]:
    keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"), "k" * 8)
    with serve() as models, Gateway.start(keys) as gateway:
        busy = RoleModels(models=settings(models, FIRST), fallbacks=settings(models, OTHER))
        brief = RoleModels(models=settings(models, SHORT), larger=settings(models, LONG))
        gateway.configure(
            Configure(
                roles={"main": busy, "editor": brief},
                capabilities=CAPABILITIES,
                max_retries=4,
                max_retry_wait=0.8,
                first_retry_wait=0.6,
                rest=0,
            )
        )
        yield Stand(gateway, models)


def test_an_answer_that_was_cut_off_at_a_models_limit_leads_to_one_with_longer_answers_and_back(another):
    assert another.ask("editor", Turn("half of", cut=True), text="long", received=100).model == SHORT
    reply = another.ask("editor", Turn("all of it"), text="long")
    assert (reply.model, another.switches[0].cause) == (LONG, "output")
    reply = another.ask("editor", Turn("short"), text="long")
    assert (reply.model, another.switches[0].cause) == (SHORT, "return")
    another.ask("editor", Turn("cut by us", cut=True), text="asked", received=100, max_output_tokens=100)
    assert another.ask("editor", Turn("short"), text="asked").model == SHORT
    another.ask("editor", Turn("the window was full", cut=True), text="full", received=10)
    assert another.ask("editor", Turn("short"), text="full").model == SHORT


def test_waits_are_limited_over_all_models(another, monkeypatch):
    waits = []
    monkeypatch.setattr(another, "_progress", lambda progress: waits.append(progress.retry_in or 0.0))
    assert isinstance(another.ask("main", *[Turn(fails="overloaded")] * 9), ModelFailure)
    assert 0.4 < sum(waits) <= 0.8
    assert another.who() == ["first", "first", "other"]


def test_the_smallest_window_that_fits(stand):
    for words, model in ((10, SMALL), (8_000, FIRST), (8_000, FIRST), (60_000, LARGE), (8_000, FIRST)):
        reply = stand.ask("planner", Turn("ok"), text="word " * words)
        assert isinstance(reply, ModelReply)
        assert reply.model == model


def test_the_cheapest_that_fits(stand):
    for words, model in ((10, FIRST), (60_000, LARGE)):
        reply = stand.ask("editor", Turn("ok"), text="word " * words)
        assert isinstance(reply, ModelReply)
        assert reply.model == model


def test_a_role_of_which_nothing_is_said_is_that_of_main(stand):
    reply = stand.ask("summary", Turn("ok"), text="summary")
    assert isinstance(reply, ModelReply)
    assert reply.model == FIRST


def test_what_the_host_is_told_of_the_models(stand):
    ready = stand.gateway.wait_ready()
    assert ready.context_windows == {"main": 20_000, "planner": 900_000, "editor": 20_000}
    assert ready.facts["main"].input_price == 1
    assert "weak" not in ready.priced


# The tests below leave models out for good: they come last, or have a gateway of their own.


def test_a_price_that_a_person_says_is_what_is_paid(stand):
    reply = stand.ask("main", Turn("ok"), text="price")
    assert isinstance(reply, ModelReply)
    assert reply.usage.cost_usd == pytest.approx((61 * 1 + 10 * 4) / 1e6)


def test_an_account_without_credit_ends_it_where_that_is_wanted(stand):
    failure = stand.ask("reviewer", Turn(fails="payment"), Turn("from the other"), text="payment")
    assert isinstance(failure, ModelFailure)
    assert failure.cause == "payment"


def test_a_key_that_is_refused_leads_to_another_provider_and_for_good(stand):
    reply = stand.ask("main", Turn(fails="authentication"), Turn("from the other"), text="key")
    assert isinstance(reply, ModelReply)
    assert (reply.model, stand.who()) == (OTHER, ["first", "other"])
    stand.ask("main", Turn("still there"), text="key")
    assert stand.who() != ["first"]


def test_a_model_that_failed_rests():
    with serve() as models, Gateway.start({"OPENAI_API_KEY": "k" * 8, "ANTHROPIC_API_KEY": "k" * 8}) as gateway:
        gateway.configure(configuration(models, rest=60))
        stand = Stand(gateway, models)
        stand.ask("main", Turn(fails="overloaded"), Turn("b"), text="one")
        stand.ask("main", Turn("c"), text="another conversation")
        assert stand.who() == ["same"]


def test_the_budget_holds_over_all_models():
    """Answers that break off are paid for, and no chain of models gets a run past its cap."""
    with serve() as models, Gateway.start({"OPENAI_API_KEY": "k" * 8, "ANTHROPIC_API_KEY": "k" * 8}) as gateway:
        gateway.configure(configuration(models, max_tokens=6_000))
        stand = Stand(gateway, models)
        long = Turn("x" * 1_000, fault="reset")
        tokens = 0
        for _ in range(40):
            said = stand.ask("main", long, long, long)
            assert isinstance(said, ModelFailure)
            assert said.budget.tokens >= tokens
            tokens = said.budget.tokens
            if said.cause == "budget":
                break
        assert said.cause == "budget"
        assert 3_000 < tokens <= 6_000
