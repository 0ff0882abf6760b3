"""litellm, and nothing but litellm: it writes the requests to every provider, reads their streams, knows their prices.

Two routes lead through it. The *direct* route calls the translation layer of litellm (a provider's `BaseConfig`:
`map_openai_params`, `validate_environment`, `transform_request`, and its stream's `chunk_parser`) and sends the
bytes itself; it needs a third of litellm, so it goes with the import diet. The *plain* route is `litellm.completion`
on the whole library: every other provider, and whatever the direct route turns out unable to do.
"""

import gc
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from ay_bot import __version__
from ay_bot.gateway import import_diet
from ay_bot.gateway.accounts import ADDRESSES, BASES, KEYS, PLACEHOLDER_KEY, key_for, set_up_environment, variable
from ay_bot.gateway.assembly import Chunk, Tokens
from ay_bot.gateway.chunks import RawUsage, chunk_of
from ay_bot.gateway.failures import (
    CallFailed,
    ProviderSaid,
    failure_of_exception,
    failure_of_status,
    find_error,
)
from ay_bot.gateway.question import Question
from ay_bot.gateway.responses import Reader, body_of
from ay_bot.gateway.transport import Event, Transport, Wire, malformed
from ay_bot.protocol.messages import ModelSetting
from ay_bot.protocol.model_facts import ModelFacts

BROKEN_LIBRARY = (ImportError, AttributeError, NameError, TypeError, KeyError, RecursionError)
LEAST_FOR_REASONING = 8_192  # tokens of answer; a provider refuses a limit below what it wants to think with
MILLION = 1_000_000
FULL = "model_context_window_exceeded"

JsonDict = dict[str, Any]
Parse = Callable[[Event], list[Chunk]]


class Route(Protocol):
    """A way to one model."""

    model: str
    key_name: str
    facts: ModelFacts

    def stream(self, question: Question, transport: Transport) -> Iterator[Chunk]:
        """Ask, and yield the answer as it comes, all at once where that is asked. Raises CallFailed."""
        ...


class NotDirect(Exception):
    """The direct route can't be taken to this model."""


# ----------------------------------------------------------------- the library


def load_on_diet() -> bool:
    """Import the part of litellm that the direct route needs; False if that fails, and nothing is left of it then."""
    set_up_environment()
    gc.disable()
    try:
        import_diet.apply()
        import litellm.litellm_core_utils.get_llm_provider_logic
        import litellm.litellm_core_utils.llm_cost_calc.utils
        import litellm.llms.openai.chat.gpt_transformation  # noqa: F401

        import_diet.drop()
    except BROKEN_LIBRARY:
        import_diet.undo()
        return False
    finally:
        gc.freeze()
        gc.enable()
    return True


def load_plain() -> None:
    """Import all of litellm, as everybody does."""
    set_up_environment()
    import_diet.undo()
    gc.disable()
    try:
        import litellm

        litellm.telemetry = False
        litellm.suppress_debug_info = True
        litellm.drop_params = True
        litellm.disable_hf_tokenizer_download = True
    finally:
        gc.freeze()
        gc.enable()


def table() -> Mapping[str, Mapping[str, Any]]:
    """Return litellm's table of models, as it has it in memory."""
    import litellm

    known: Mapping[str, Mapping[str, Any]] = litellm.model_cost
    return known


def open_route(setting: ModelSetting, facts: ModelFacts, *, direct: bool, repriced: bool = False) -> Route:
    """Return the way to a model; raises CallFailed(configuration), or NotDirect where `direct` is asked in vain.

    `repriced` says that the price among the facts is a person's, and counts in place of litellm's.
    """
    name, provider = _split(setting)
    purse = Pricing(facts, name, provider, repriced=repriced)
    return DirectRoute(setting, facts, purse) if direct else PlainRoute(setting, facts, purse)


def _split(setting: ModelSetting) -> tuple[str, str]:
    from litellm.litellm_core_utils.get_llm_provider_logic import get_llm_provider

    try:
        name, provider, _, _ = get_llm_provider(setting.model, api_base=setting.api_base)
    except BROKEN_LIBRARY:
        raise
    except Exception as error:  # litellm raises what it likes: only the name of the class tells what it is
        if "BadRequestError" not in {kind.__name__ for kind in type(error).__mro__}:
            raise
        message = f"litellm knows no provider for the model {setting.model!r}; name it as provider/model"
        raise CallFailed("configuration", message) from None
    return name, provider


class Pricing:
    """What a model's tokens cost: by litellm's table, which knows of tiers and caches, or by a person's word."""

    def __init__(self, facts: ModelFacts, name: str, provider: str, *, repriced: bool) -> None:
        self.facts = facts
        self.name = name
        self.provider = provider
        self._repriced = repriced

    def cost(self, usage: RawUsage) -> float | None:
        """Return the US dollars of a call, None if nobody knows."""
        facts = self.facts
        if facts.input_price is None or facts.output_price is None:
            return None
        if self._repriced:
            return (usage.prompt_tokens * facts.input_price + usage.completion_tokens * facts.output_price) / MILLION
        from litellm.litellm_core_utils.llm_cost_calc.utils import generic_cost_per_token

        counted: Any = usage
        prompt, answer = generic_cost_per_token(
            model=self.name.removeprefix("responses/"), usage=counted, custom_llm_provider=self.provider
        )
        return prompt + answer

    def priced(self, tokens: Tokens) -> Tokens:
        """Return the same with what it costs, for counts that litellm has not seen."""
        from litellm.types.utils import PromptTokensDetailsWrapper, Usage

        details = PromptTokensDetailsWrapper(cached_tokens=tokens.cached)
        usage = Usage(
            prompt_tokens=tokens.prompt,
            completion_tokens=tokens.completion,
            total_tokens=tokens.prompt + tokens.completion,
            prompt_tokens_details=details,
        )
        return tokens._replace(cost_usd=self.cost(usage))


# ----------------------------------------------------------------- the direct route


class DirectRoute:
    """To OpenAI's and every compatible server, to Anthropic and to Gemini, through litellm's translation layer."""

    def __init__(self, setting: ModelSetting, facts: ModelFacts, pricing: Pricing) -> None:
        from litellm.types.utils import LlmProviders
        from litellm.utils import ProviderConfigManager

        provider = pricing.provider
        if provider not in KEYS:
            raise NotDirect
        self.model = setting.model
        self.key_name = KEYS[provider][0]
        self.facts = facts
        self._pricing = pricing
        self._name = pricing.name
        self._provider = provider
        self._base = setting.api_base or variable(BASES[provider])
        self._key = key_for(setting, provider)
        self._config: Any = ProviderConfigManager.get_provider_chat_config(self._name, LlmProviders(provider))
        self._dialect: Dialect = {"anthropic": _anthropic, "gemini": _gemini}.get(provider, _openai)
        if provider == "openai" and _wants_responses_api(self._name, self._base):
            self._dialect = _responses
            self._name = self._name.removeprefix("responses/")
        self._reader()  # imports what the first answer needs

    def wire(self, question: Question) -> Wire:
        """Return the request as litellm would send it."""
        wanted: JsonDict = {"stream": True} if question.stream else {}
        if question.tools:
            wanted["tools"] = question.tools
        if self._dialect is _openai and question.stream:
            wanted["stream_options"] = {"include_usage": True}
        if question.answer_limit is not None:
            wanted["max_tokens"] = question.answer_limit
        if question.effort != "default" and self._may_reason(question):
            wanted["reasoning_effort"] = question.effort
        options = self._config.map_openai_params(
            non_default_params=wanted, optional_params={}, model=self._name, drop_params=True
        )
        url, headers, body = self._dialect(
            Draft(self._config, self._provider, self._name, self._key, self._base, options, question, self.facts)
        )
        return Wire(url, {**headers, "User-Agent": f"ay-bot/{__version__}"}, _as_json(body))

    def _may_reason(self, question: Question) -> bool:
        """Anthropic wants to see how a turn began in thought, and refuses one that another model began."""
        if not self.facts.reasoning or (question.answer_limit or LEAST_FOR_REASONING) < LEAST_FOR_REASONING:
            return False
        acting = [message for message in question.messages if message.get("tool_calls")]
        return self._dialect is not _anthropic or not acting or "thinking_blocks" in acting[-1]

    def stream(self, question: Question, transport: Transport) -> Iterator[Chunk]:
        """Ask, and yield the answer as it comes. Raises CallFailed."""
        try:
            wire = self.wire(question)
        except BROKEN_LIBRARY:
            raise
        except Exception as error:  # noqa: BLE001 - litellm's own classes, for what a model does not support and the like
            raise failure_of_exception(error, model=self.model, key=self.key_name) from None
        with transport.post(wire, patient=not question.stream) as answer:
            if answer.status >= 300:
                raise failure_of_status(
                    answer.status, answer.headers, answer.text(), model=self.model, key=self.key_name
                )
            parse, events = (
                (self._reader(), answer.events()) if question.stream else (self._whole, iter([answer.whole()]))
            )
            for event in events:
                yield from self._understood(parse, event)

    def _understood(self, parse: Parse, event: Event) -> list[Chunk]:
        if told := find_error(event):
            raise self._failure(told)
        try:
            return parse(event)
        except ProviderSaid as said:
            raise self._failure(said) from None
        except (ImportError, NameError):
            raise
        except Exception:  # noqa: BLE001 - litellm's parsers raise anything on events they don't know
            raise malformed(f"{self.model} sent an event that makes no sense: {json.dumps(event)[:200]}") from None

    def _failure(self, said: ProviderSaid) -> CallFailed:
        return failure_of_status(said.status, {}, json.dumps(said.event), model=self.model, key=self.key_name)

    def _reader(self) -> Parse:
        if self._dialect is _responses:
            reader = Reader()

            def read(event: Event) -> list[Chunk]:
                chunk = reader.read(event)
                return [self._with_cost(chunk)] if chunk else []

            return read
        parse = self._chunk_parser()

        def translate(event: Event) -> list[Chunk]:
            raw = parse(event)
            chunk = chunk_of(raw, self._pricing.cost, self._provider) if raw is not None else Chunk()
            return [chunk, *self._passed_over(event, "delta")]

        return translate

    def _chunk_parser(self) -> Callable[[Event], Any]:
        if self._dialect is _openai:
            parser: Any = self._config.get_model_response_iterator(streaming_response=iter(()), sync_stream=True)
        elif self._dialect is _anthropic:
            from litellm.llms.anthropic.chat import handler

            parser = handler.ModelResponseIterator(streaming_response=iter(()), sync_stream=True)
        else:
            from litellm.llms.vertex_ai.gemini import vertex_and_google_ai_studio_gemini as gemini

            log: Any = _NoLog()
            parser = gemini.ModelResponseIterator(streaming_response=iter(()), sync_stream=True, logging_obj=log)
        parse: Callable[[Event], Any] = parser.chunk_parser
        return parse

    def _whole(self, answer: Event) -> list[Chunk]:
        """Read an answer that came at once."""
        if self._dialect is _responses:
            return [self._with_cost(chunk) for chunk in Reader().whole(answer)]
        import httpx
        from litellm.types.utils import ModelResponse

        raw = self._config.transform_response(
            model=self._name,
            raw_response=httpx.Response(200, json=answer),
            model_response=ModelResponse(),
            logging_obj=_NoLog(),
            request_data={},
            messages=[],
            optional_params={},
            litellm_params={},
            encoding=None,
            api_key=self._key,
        )
        return [chunk_of(raw, self._pricing.cost, self._provider), *self._passed_over(answer, "message")]

    def _with_cost(self, chunk: Chunk) -> Chunk:
        return chunk._replace(tokens=self._pricing.priced(chunk.tokens)) if chunk.tokens else chunk

    def _passed_over(self, event: JsonDict, part: str) -> list[Chunk]:
        """Return what litellm does not hear: refusals of OpenAI's models, and that a window of Anthropic's is full."""
        if self._dialect is _anthropic:
            stop = event.get("stop_reason") or (event.get("delta") or {}).get("stop_reason")
            return [Chunk(finish="length")] if stop == FULL else []
        choices = event.get("choices") if self._dialect is _openai else None
        said = (choices[0].get(part) or {}).get("refusal") if choices else None
        return [Chunk(said, finish="content_filter")] if said else []


class Draft(NamedTuple):
    """What a dialect needs to write a request."""

    config: Any
    provider: str
    name: str
    key: str
    base: str
    options: JsonDict
    question: Question
    facts: ModelFacts

    @property
    def messages(self) -> list[JsonDict]:
        """The conversation."""
        return self.question.messages


Dialect = Callable[[Draft], tuple[str, dict[str, str], JsonDict]]


def _openai(draft: Draft) -> tuple[str, dict[str, str], JsonDict]:
    base = draft.base or ADDRESSES[draft.provider]
    known = {"custom_llm_provider": draft.provider, "api_base": draft.base or None}
    headers, body = _translate(draft, known)
    stream = draft.question.stream
    url = draft.config.get_complete_url(base, draft.key, draft.name, draft.options, known, stream=stream)
    return url, headers, body


def _responses(draft: Draft) -> tuple[str, dict[str, str], JsonDict]:
    reasons = draft.facts.reasoning or (not draft.facts.known and draft.question.effort != "default")
    headers = {"Authorization": f"Bearer {draft.key}", "Content-Type": "application/json"}
    url = f"{(draft.base or ADDRESSES['openai']).rstrip('/')}/responses"
    return url, headers, body_of(draft.question, draft.name, reasons=reasons)


def _anthropic(draft: Draft) -> tuple[str, dict[str, str], JsonDict]:
    from litellm.anthropic_beta_headers_manager import update_request_with_filtered_beta

    url = draft.base or "https://api.anthropic.com/v1/messages"
    url = url if url.endswith("/v1/messages") else f"{url}/v1/messages"
    headers, body = _translate(draft, {"custom_llm_provider": "anthropic", "api_base": draft.base or None})
    headers, body = update_request_with_filtered_beta(headers=headers, request_data=body, provider="anthropic")
    return url, headers, {**body, "stream": True} if draft.question.stream else body


def _gemini(draft: Draft) -> tuple[str, dict[str, str], JsonDict]:
    from litellm.llms.vertex_ai.gemini.transformation import transform_request_body
    from litellm.llms.vertex_ai.vertex_llm_base import VertexBase

    key_header, url = VertexBase().get_token_and_url(
        model=draft.name,
        auth_header=None,
        gemini_api_key=draft.key,
        vertex_project=None,
        vertex_location=None,
        vertex_credentials=None,
        stream=draft.question.stream,
        custom_llm_provider="gemini",
        api_base=draft.base or None,
    )
    draft.options.pop("stream", None)
    messages: Any = draft.messages
    headers = draft.config.validate_environment({}, draft.name, draft.messages, draft.options, {}, api_key=key_header)
    body = transform_request_body(
        messages=messages,
        model=draft.name,
        custom_llm_provider="gemini",
        litellm_params={},
        cached_content=None,
        optional_params=draft.options,
    )
    return url, headers, dict(body)


def _translate(draft: Draft, known: JsonDict) -> tuple[dict[str, str], JsonDict]:
    headers = draft.config.validate_environment(
        headers={},
        model=draft.name,
        messages=draft.messages,
        optional_params=draft.options,
        litellm_params=known,
        api_key=draft.key,
        api_base=draft.base or None,
    )
    body = draft.config.transform_request(
        model=draft.name,
        messages=draft.messages,
        optional_params=draft.options,
        litellm_params=known,
        headers=headers,
    )
    return headers, body


def _as_json(body: JsonDict) -> bytes:
    try:
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(body, separators=(",", ":")).encode()


def _wants_responses_api(name: str, base: str) -> bool:
    """Whether `litellm.completion` would go to OpenAI's Responses API instead: its newest models, at OpenAI itself."""
    import litellm
    from litellm.llms.openai.chat.gpt_5_transformation import OpenAIGPT5Config

    mode = litellm.model_cost.get(name, {}).get("mode")
    newest = bool(OpenAIGPT5Config.is_model_gpt_5_model(name)) and (not base or "openai.com" in base)
    return mode == "responses" or name.startswith("responses/") or newest


class _NoLog:
    """In place of litellm's logging object: parsers only ask whether there is something in it."""

    optional_params: JsonDict = {}
    model_call_details: JsonDict = {}

    def post_call(self, **_: object) -> None:
        """Log nothing."""


# ----------------------------------------------------------------- the plain route


class PlainRoute:
    """To every model that litellm knows, by `litellm.completion`."""

    def __init__(self, setting: ModelSetting, facts: ModelFacts, pricing: Pricing) -> None:
        self.model = setting.model
        self.facts = facts
        self._pricing = pricing
        self._provider = pricing.provider
        self.key_name = KEYS.get(self._provider, (f"{self._provider.upper()}_API_KEY",))[0]
        self._base = setting.api_base
        self._key = self._find_key()

    def _find_key(self) -> str | None:
        """Return a key where litellm does not find one by itself. Raises CallFailed(configuration)."""
        import litellm

        if key := variable(KEYS.get(self._provider, ())):
            return key
        found = litellm.validate_environment(self.model)
        if found["keys_in_environment"] or not found["missing_keys"]:
            return None
        self.key_name = " and ".join(found["missing_keys"])
        if self._base:
            return PLACEHOLDER_KEY
        message = f"there is no key for {self.model}: set {self.key_name} in the environment"
        raise CallFailed("configuration", message)

    def stream(self, question: Question, transport: Transport) -> Iterator[Chunk]:
        """Ask, and yield the answer as it comes. Raises CallFailed."""
        return transport.in_time(self._stream(question, transport), self.model)

    def _stream(self, question: Question, transport: Transport) -> Iterator[Chunk]:
        import litellm

        try:
            answer: Any = litellm.completion(**self._arguments(question, transport))
            for raw in answer if question.stream else [answer]:
                yield chunk_of(raw, self._pricing.cost, self._provider)
        except CallFailed:
            raise
        except Exception as error:  # noqa: BLE001 - litellm.exceptions, httpx errors and more, told apart by name
            raise failure_of_exception(error, model=self.model, key=self.key_name) from None

    def _arguments(self, question: Question, transport: Transport) -> JsonDict:
        reasons = question.effort != "default" and self.facts.reasoning
        optional = {
            "tools": question.tools or None,
            "max_tokens": question.answer_limit,
            "api_base": self._base,
            "api_key": self._key,
            "stream_options": {"include_usage": True} if question.stream else None,
            "reasoning_effort": question.effort if reasons else None,
        }
        return {
            "model": self.model,
            "messages": question.messages,
            "stream": question.stream,
            "timeout": transport.idle_timeout if question.stream else transport.total_timeout,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            **{name: value for name, value in optional.items() if value is not None},
        }
