"""The gateway's work: it takes requests off the channel and answers each from a thread of its own."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ay_bot.gateway import providers
from ay_bot.gateway.accounts import secrets
from ay_bot.gateway.assembly import Assembly
from ay_bot.gateway.budget import USUAL_ANSWER, Price, Purse, Refused, Reservation
from ay_bot.gateway.candidates import Candidate, Candidates, Need
from ay_bot.gateway.failures import CallFailed
from ay_bot.gateway.question import Question, question_of
from ay_bot.gateway.registry import MILLION, Registry
from ay_bot.gateway.retry import RetryPolicy, call_with_retries
from ay_bot.gateway.routes import Routes, role_models, settings_of
from ay_bot.gateway.standing import Standing, conversation_of
from ay_bot.gateway.thoughts import sealed
from ay_bot.gateway.transport import Transport
from ay_bot.gateway.usage import spent_on_a_failure, usage_of
from ay_bot.protocol.channel import Channel
from ay_bot.protocol.conversation import UserMessage
from ay_bot.protocol.events import SwitchCause
from ay_bot.protocol.messages import (
    Configure,
    FailureCause,
    GatewayReady,
    HostToGateway,
    ModelFailure,
    ModelProgress,
    ModelReply,
    ModelRequest,
    Switched,
)
from ay_bot.protocol.model_facts import ModelFacts

PROGRESS_EVERY = 0.5  # seconds
ROOM_TO_REASON = 4_000  # tokens of answer that a model may think with before it says what a short limit is meant for
IMPATIENT = RetryPolicy(1, 10.0)
"""How a failed call is tried again where somebody else can be asked."""


@dataclass(slots=True)
class Waited:
    """For how many seconds a request has waited, over all models and attempts."""

    seconds: float = 0.0


class Asking(NamedTuple):
    """One request on its way."""

    request: ModelRequest
    candidates: Candidates
    need: Need
    size: int
    waited: Waited


class Service:
    """One run's gateway."""

    def __init__(self, channel: Channel[HostToGateway], configure: Configure, *, on_diet: bool) -> None:
        self._channel = channel
        self._configure = configure
        self._transport = Transport(configure.idle_timeout, configure.total_timeout)
        self._purse = Purse(configure.max_cost_usd, configure.max_tokens)
        self._secrets = secrets()
        registry = Registry(providers.table(), configure.capabilities)
        self._routes = Routes(settings_of(configure), registry, on_diet=on_diet)
        facts = {setting.model: registry.facts(setting.model) for setting in settings_of(configure)}
        self._roles = {role: Candidates(role_models(said), facts) for role, said in configure.roles.items()}
        self._images = {image.part.digest: image for image in configure.images}
        self._standing = Standing(configure.rest)

    def announce(self) -> None:
        """Say that requests may come."""
        first = {role: candidates.first.facts for role, candidates in self._roles.items()}
        ready = GatewayReady(
            priced=tuple(role for role, facts in first.items() if facts.priced),
            context_windows={role: one.longest for role, one in self._roles.items() if one.longest},
            facts=first,
        )
        self._channel.send(ready)

    def serve(self) -> None:
        """Take requests for ever; the inlet ends the process with the stream."""
        while True:
            message, _ = self._channel.receive()
            if isinstance(message, ModelRequest):
                threading.Thread(target=self._answer, args=(message,), daemon=True).start()

    def _answer(self, request: ModelRequest) -> None:
        try:
            self._channel.send(self._ask_along(self._look_at(request)))
        except CallFailed as failure:
            self._fail(request, failure.cause, failure.message)
        except Exception as error:  # the end of a thread: an unanswered request would hang the run
            logging.getLogger(__name__).exception("request %d", request.request_id)
            self._fail(request, "provider", f"the gateway failed: {type(error).__name__}: {error}")

    def _fail(self, request: ModelRequest, cause: FailureCause, message: str) -> None:
        budget = self._purse.state()
        self._channel.send(
            ModelFailure(request_id=request.request_id, cause=cause, message=self._redact(message), budget=budget)
        )

    def _look_at(self, request: ModelRequest) -> Asking:
        candidates = self._roles.get(request.role) or self._roles.get("main")
        if candidates is None:
            raise CallFailed("configuration", f"no model is set for the role {request.role!r}")
        size = sum(len(one.model_dump_json()) for one in (*request.messages, *request.tools))
        images = [part for one in request.messages if isinstance(one, UserMessage) for part in one.images]
        tokens = self._purse.estimate(size) + sum(part.tokens for part in images)
        cut = self._standing.limit_of_the_last(conversation_of(request))
        need = Need(tokens, bool(request.tools), bool(images), request.escalate, cut)
        return Asking(request, candidates, need, size, Waited())

    # ------------------------------------------------------------- along the chain of models

    def _ask_along(self, asking: Asking) -> ModelReply:
        """Ask one model after the other until one answers; the last failure is raised, and names the others."""
        conversation = conversation_of(asking.request)
        before = self._standing.who_answered(conversation)
        too_small = self._standing.too_small(conversation, asking.need.tokens)
        ordered = asking.candidates.in_order(asking.need, "" if asking.request.escalate else before, too_small)
        left = self._standing.awake(ordered)
        cause: SwitchCause = self._reason_to_choose(asking, before)
        failed: list[CallFailed] = []
        while True:
            candidate, *left = left
            self._tell_switch(asking.request, before, candidate.name, cause, failed)
            try:
                reply = self._ask(asking, candidate, others=bool(left))
            except CallFailed as failure:
                failed.append(failure)
                left = self._who_is_left(asking, candidate, failure, left)
                if not left:
                    raise _summed_up(failed) from None
                before, cause = candidate.name, _cause_of(failure)
                continue
            self._standing.answers(conversation, candidate.name)
            self._standing.was_cut(conversation, _own_limit(asking.request, candidate, reply))
            return reply

    def _reason_to_choose(self, asking: Asking, before: str) -> SwitchCause:
        if asking.request.escalate and asking.candidates.stronger:
            return "escalation"
        if asking.need.output:
            return "output"
        own = [one.name for one in asking.candidates.own]
        strategy: Literal["context", "price", "return"] = "return"
        if asking.candidates.strategy != "explicit" and before in own:
            strategy = asking.candidates.strategy
        return strategy

    def _who_is_left(
        self, asking: Asking, candidate: Candidate, failure: CallFailed, left: list[Candidate]
    ) -> list[Candidate]:
        self._standing.failed(candidate, failure.cause, failure.retry_after)
        if failure.cause == "context_window":
            self._standing.did_not_fit(conversation_of(asking.request), candidate.name, asking.need.tokens)
        too_long = failure.cause == "context_window" and asking.candidates.strategy != "context"
        if too_long and not self._standing.is_too_long_again(conversation_of(asking.request)):
            return []  # it is shortened first
        return asking.candidates.after(candidate, failure.cause, left, asking.need.tokens)

    def _tell_switch(
        self, request: ModelRequest, before: str, after: str, cause: SwitchCause, failed: list[CallFailed]
    ) -> None:
        if not before or before == after:
            return
        switched = Switched(role=request.role, before=before, after=after, cause=cause)
        reason = self._redact(failed[-1].message) if failed else ""
        self._channel.send(ModelProgress(request_id=request.request_id, reason=reason, switched=switched))

    # ------------------------------------------------------------- one model

    def _ask(self, asking: Asking, candidate: Candidate, *, others: bool) -> ModelReply:
        """Ask one model, within the budget, as often as makes sense where there are `others` or not."""
        request, facts = asking.request, candidate.facts
        rules = asking.candidates.rules
        question = question_of(request, facts, self._images, stream=self._configure.stream, effort=rules.reasoning)
        limit = _limit_of(request, facts)
        reservation = self._purse.reserve(asking.size, limit or facts.output_limit or USUAL_ANSWER, _price(facts))
        if isinstance(reservation, Refused):
            raise CallFailed("budget", reservation.message)
        question = question._replace(answer_limit=reservation.answer_limit or limit)
        try:
            assembly = self._ask_with_retries(asking, candidate, question, others=others)
        except CallFailed:
            self._purse.release(reservation)
            raise
        reply = self._reply(request, candidate, assembly, reservation)
        if reply.finish_reason == "content_filter" and others and rules.on_refusal == "next":
            raise CallFailed("refused", f"{candidate.name} refused: {reply.content[:200] or 'without a word'}")
        return reply

    def _ask_with_retries(self, asking: Asking, candidate: Candidate, question: Question, *, others: bool) -> Assembly:
        request, waited = asking.request, asking.waited

        def waiting(seconds: float, reason: str) -> None:
            waited.seconds += seconds
            self._progress(request, retry_in=seconds, reason=self._redact(reason))

        configured = self._configure
        left = max(configured.max_retry_wait - waited.seconds, 0.0)
        policy = RetryPolicy(configured.max_retries, left, configured.first_retry_wait)
        if others:
            tries, most, _ = IMPATIENT
            policy = policy._replace(tries=min(policy.tries, tries), max_wait=min(policy.max_wait, most))
        return call_with_retries(lambda: self._ask_once(request, candidate, question), policy, waiting)

    def _ask_once(self, request: ModelRequest, candidate: Candidate, question: Question) -> Assembly:
        route = self._routes.get(candidate.name)
        try:
            return self._collect(request, route, question)
        except providers.BROKEN_LIBRARY as error:
            if not isinstance(route, providers.DirectRoute):
                raise CallFailed("provider", f"litellm failed: {type(error).__name__}: {error}") from error
            self._routes.go_plain()
            return self._collect(request, self._routes.get(candidate.name), question)

    def _collect(self, request: ModelRequest, route: providers.Route, question: Question) -> Assembly:
        assembly = Assembly()
        told = time.monotonic()
        try:
            for chunk in route.stream(question, self._transport):
                assembly.add(chunk)
                if time.monotonic() - told > PROGRESS_EVERY:
                    told = time.monotonic()
                    self._progress(request, received_characters=assembly.characters)
            assembly.check_complete()
        except CallFailed:
            self._purse.charge(*spent_on_a_failure(assembly, question), _price(route.facts))
            raise
        return assembly

    def _reply(
        self, request: ModelRequest, candidate: Candidate, assembly: Assembly, reservation: Reservation
    ) -> ModelReply:
        usage = usage_of(assembly, reservation, candidate.facts)
        self._purse.settle(reservation, usage)
        return ModelReply(
            request_id=request.request_id,
            model=candidate.name,
            content=assembly.text,
            tool_calls=assembly.tool_calls,
            thoughts=sealed(assembly.thoughts, candidate.name),
            finish_reason=assembly.finish_reason,
            usage=usage,
            budget=self._purse.state(),
        )

    def _progress(
        self, request: ModelRequest, *, received_characters: int = 0, retry_in: float | None = None, reason: str = ""
    ) -> None:
        self._channel.send(
            ModelProgress(
                request_id=request.request_id,
                received_characters=received_characters,
                retry_in=retry_in,
                reason=reason,
            )
        )

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _limit_of(request: ModelRequest, facts: ModelFacts) -> int | None:
    if request.max_output_tokens is None or not facts.reasoning:
        return request.max_output_tokens
    return request.max_output_tokens + ROOM_TO_REASON


def _own_limit(request: ModelRequest, candidate: Candidate, reply: ModelReply) -> int:
    """The model's own limit, where that is what an answer was cut off at, and not one that was asked for."""
    cut = reply.finish_reason == "length" and request.max_output_tokens is None
    limit = candidate.facts.output_limit
    return limit if cut and reply.usage.completion_tokens >= limit // 2 else 0


def _price(facts: ModelFacts) -> Price | None:
    if facts.input_price is None or facts.output_price is None:
        return None
    return Price(facts.input_price / MILLION, facts.output_price / MILLION)


def _cause_of(failure: CallFailed) -> SwitchCause:
    return "provider" if failure.cause == "budget" else failure.cause


def _summed_up(failed: list[CallFailed]) -> CallFailed:
    """Return the last failure; where others came before it, it names them."""
    *earlier, last = failed
    if not earlier:
        return last
    told = "; before it: ".join([last.message, *(one.message for one in reversed(earlier))])
    return CallFailed(last.cause, told)
