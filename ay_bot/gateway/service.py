"""The gateway's work: it takes requests off the channel and answers each from a thread of its own."""

import json
import logging
import threading
import time
from collections.abc import Callable

from ay_bot.gateway import providers
from ay_bot.gateway.assembly import Assembly
from ay_bot.gateway.budget import USUAL_ANSWER, Purse, Refused, Reservation
from ay_bot.gateway.failures import CallFailed
from ay_bot.gateway.retry import RetryPolicy, call_with_retries
from ay_bot.gateway.transport import Transport
from ay_bot.protocol.channel import Channel
from ay_bot.protocol.conversation import Role, Usage
from ay_bot.protocol.messages import (
    Configure,
    FailureCause,
    GatewayReady,
    HostToGateway,
    ModelFailure,
    ModelProgress,
    ModelReply,
    ModelRequest,
    ModelSetting,
    RoleModels,
)

PROGRESS_EVERY = 0.5  # seconds
BYTES_PER_TOKEN_GUESS = 4


class Service:
    """One run's gateway."""

    def __init__(self, channel: Channel[HostToGateway], configure: Configure, *, on_diet: bool) -> None:
        self._channel = channel
        self._configure = configure
        self._transport = Transport(configure.idle_timeout, configure.total_timeout)
        self._purse = Purse(configure.max_cost_usd, configure.max_tokens)
        self._secrets = providers.secrets()
        self._routes = Routes(configure, on_diet=on_diet)

    def announce(self) -> None:
        """Say that requests may come."""
        cards = self._routes.cards()
        priced = tuple(role for role, card in cards.items() if card.price is not None)
        windows = {role: card.context_window for role, card in cards.items() if card.context_window}
        self._channel.send(GatewayReady(priced=priced, context_windows=windows))

    def serve(self) -> None:
        """Take requests for ever; the inlet ends the process with the stream."""
        while True:
            message, _ = self._channel.receive()
            if isinstance(message, ModelRequest):
                threading.Thread(target=self._answer, args=(message,), daemon=True).start()

    def _answer(self, request: ModelRequest) -> None:
        try:
            self._channel.send(self._ask_within_budget(request))
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

    def _ask_within_budget(self, request: ModelRequest) -> ModelReply:
        route = self._routes.get(request.role)
        question = question_of(request)
        size = len(json.dumps(question.messages)) + len(json.dumps(question.tools)) if self._purse.capped else 0
        wanted = request.max_output_tokens or route.card.answer_limit or USUAL_ANSWER
        reservation = self._purse.reserve(size, wanted, route.card.price)
        if isinstance(reservation, Refused):
            raise CallFailed("budget", reservation.message)
        if reservation.answer_limit is not None:
            question = question._replace(answer_limit=reservation.answer_limit)
        try:
            assembly = self._ask_with_retries(request, question)
        except CallFailed:
            self._purse.release(reservation)
            raise
        return self._reply(request, assembly, reservation)

    def _ask_with_retries(self, request: ModelRequest, question: providers.Question) -> Assembly:
        def waiting(seconds: float, reason: str) -> None:
            self._progress(request, retry_in=seconds, reason=self._redact(reason))

        policy = RetryPolicy(self._configure.max_retries, self._configure.max_retry_wait)
        return call_with_retries(lambda: self._ask_once(request, question), policy, waiting)

    def _ask_once(self, request: ModelRequest, question: providers.Question) -> Assembly:
        route = self._routes.get(request.role)
        try:
            return self._collect(request, route, question)
        except providers.BROKEN_LIBRARY as error:
            if not isinstance(route, providers.DirectRoute):
                raise CallFailed("provider", f"litellm failed: {type(error).__name__}: {error}") from error
            self._routes.go_plain()
            return self._collect(request, self._routes.get(request.role), question)

    def _collect(self, request: ModelRequest, route: providers.Route, question: providers.Question) -> Assembly:
        assembly = Assembly()
        told = time.monotonic()
        for chunk in route.stream(question, self._transport):
            assembly.add(chunk)
            if time.monotonic() - told > PROGRESS_EVERY:
                told = time.monotonic()
                self._progress(request, received_characters=assembly.characters)
        assembly.check_complete()
        return assembly

    def _reply(self, request: ModelRequest, assembly: Assembly, reservation: Reservation) -> ModelReply:
        usage = usage_of(assembly, reservation)
        self._purse.settle(reservation, usage)
        return ModelReply(
            request_id=request.request_id,
            content=assembly.text,
            tool_calls=assembly.tool_calls,
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


class Routes:
    """The way to each role's model: direct where it can be, plain for all as soon as one can't."""

    def __init__(self, configure: Configure, *, on_diet: bool) -> None:
        self._settings = configure.roles
        self._lock = threading.Lock()
        self._plain = False
        self._open: dict[Role, Callable[[], providers.Route]] = {}
        if on_diet:
            self._open_directly()
        else:
            self.go_plain()

    def get(self, role: Role) -> providers.Route:
        """Return the way to a role's model, or to that of `main`. Raises CallFailed(configuration)."""
        opened = self._open.get(role) or self._open.get("main")
        if opened is None:
            raise CallFailed("configuration", f"no model is set for the role {role!r}")
        return opened()

    def cards(self) -> dict[Role, providers.Card]:
        """Return what is known of each role's model, as far as there is a way to it."""
        cards: dict[Role, providers.Card] = {}
        for role in self._open:
            try:
                cards[role] = self.get(role).card
            except CallFailed:
                continue
        return cards

    def go_plain(self) -> None:
        """Leave the diet for good."""
        with self._lock:
            if self._plain:
                return
            self._plain = True
            providers.load_plain()
            self._open = {role: _opened(setting, direct=False) for role, setting in self._settings.items()}

    def _open_directly(self) -> None:
        try:
            self._open = {role: _opened(setting, direct=True) for role, setting in self._settings.items()}
        except (providers.NotDirect, *providers.BROKEN_LIBRARY):
            self.go_plain()


def _opened(setting: ModelSetting | RoleModels, *, direct: bool) -> Callable[[], providers.Route]:
    """Return a function that gives the route, or raises what stands in its way, each time."""
    setting = setting.models[0] if isinstance(setting, RoleModels) else setting
    try:
        route = providers.open_route(setting, direct=direct)
    except CallFailed as failure:
        known = failure

        def refuse() -> providers.Route:
            raise known

        return refuse
    return lambda: route


def question_of(request: ModelRequest) -> providers.Question:
    """Put a request into the form of chat completions."""
    messages = [_message(message.model_dump()) for message in request.messages]
    tools = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    return providers.Question(messages, tools, request.max_output_tokens)


def _message(message: providers.JsonDict) -> providers.JsonDict:
    calls = message.pop("tool_calls", ())
    if calls:
        if not message["content"]:
            del message["content"]  # as litellm does: servers take a missing content, not all take an empty one
        message["tool_calls"] = [
            {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
            for call in calls
        ]
    return message


def usage_of(assembly: Assembly, reservation: Reservation) -> Usage:
    """Return what the provider counted; where it counts nothing, a guess by size, at no known price."""
    tokens = assembly.tokens
    if tokens is None:
        prompt = reservation.prompt_bytes // BYTES_PER_TOKEN_GUESS
        answer = assembly.characters // BYTES_PER_TOKEN_GUESS
        return Usage(requests=1, prompt_tokens=prompt, completion_tokens=answer, cost_usd=None)
    return Usage(
        requests=1,
        prompt_tokens=tokens.prompt,
        completion_tokens=tokens.completion,
        cached_tokens=tokens.cached,
        cost_usd=tokens.cost_usd,
    )
