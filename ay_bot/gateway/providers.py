"""litellm, and nothing but litellm: it writes the requests to every provider, reads their streams, knows their prices.

Two routes lead through it. The *direct* route calls the translation layer of litellm (a provider's `BaseConfig`:
`map_openai_params`, `validate_environment`, `transform_request`, and its stream's `chunk_parser`) and sends the
bytes itself; it needs a third of litellm, so it goes with the import diet. The *plain* route is `litellm.completion`
on the whole library: every other provider, and whatever the direct route turns out unable to do.
"""

import gc
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from ay_bot import __version__
from ay_bot.gateway import import_diet
from ay_bot.gateway.assembly import Chunk
from ay_bot.gateway.budget import Price
from ay_bot.gateway.chunks import RawUsage, chunk_of
from ay_bot.gateway.failures import CallFailed, failure_of_exception, failure_of_status
from ay_bot.gateway.transport import Answer, Event, Transport, Wire, malformed
from ay_bot.protocol.messages import ModelSetting

PLACEHOLDER_KEY = "none-needed"  # a server of one's own takes any key, but its protocol wants one
IMPORT_SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or the import fetches a price list from the network
    "LITELLM_MODE": "PRODUCTION",  # or the import reads a .env file of the current directory
    "LITELLM_LOG": "ERROR",
    "HF_HUB_OFFLINE": "1",  # or `litellm.completion` fetches tokenizers from a hub, to count what the provider counts
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
KEYS = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "xai": ("XAI_API_KEY",),
}
"""Where the key of each provider on the direct route is found."""
BASES = {
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "gemini": ("GEMINI_API_BASE",),
    "deepseek": ("DEEPSEEK_API_BASE",),
    "mistral": ("MISTRAL_API_BASE",),
    "openrouter": ("OPENROUTER_API_BASE",),
    "xai": ("XAI_API_BASE",),
}
ADDRESSES = {
    "openai": "https://api.openai.com/v1",
    "deepseek": "https://api.deepseek.com/beta",
    "mistral": "https://api.mistral.ai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "xai": "https://api.x.ai/v1",
}
"""Where the providers are that speak OpenAI's dialect; a test compares this with what litellm knows."""
BROKEN_LIBRARY = (ImportError, AttributeError, NameError, TypeError, KeyError, RecursionError)

JsonDict = dict[str, Any]


class Question(NamedTuple):
    """A conversation and its tools in the form of OpenAI's chat completions, which is litellm's own."""

    messages: list[JsonDict]
    tools: list[JsonDict]
    answer_limit: int | None


class Card(NamedTuple):
    """What litellm's table says of a model."""

    price: Price | None
    context_window: int
    answer_limit: int


class Route(Protocol):
    """A way to one model."""

    model: str
    key_name: str
    card: Card

    def stream(self, question: Question, transport: Transport) -> Iterator[Chunk]:
        """Ask, and yield the answer as it comes. Raises CallFailed."""
        ...


class NotDirect(Exception):
    """The direct route can't be taken to this model."""


# ----------------------------------------------------------------- the library


def load_on_diet() -> bool:
    """Import the part of litellm that the direct route needs; False if that fails, and nothing is left of it then."""
    _set_up_environment()
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
    _set_up_environment()
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


def _set_up_environment() -> None:
    for name, value in IMPORT_SETTINGS.items():
        os.environ.setdefault(name, value)  # noqa: TID251 - litellm is configured by its environment alone
    if bundle := _variable(["REQUESTS_CA_BUNDLE"]):
        os.environ.setdefault("SSL_CERT_FILE", bundle)  # noqa: TID251 - the name that httpx knows


def _variable(names: Iterable[str]) -> str:
    environment = os.environ  # noqa: TID251 - model keys live in the environment of this process and nowhere else
    return next((value for name in names if (value := environment.get(name, "").strip())), "")


def secrets() -> tuple[str, ...]:
    """Return the values that must not show up in any message."""
    environment = os.environ  # noqa: TID251
    marks = ("_API_KEY", "SECRET", "_TOKEN", "_PASSWORD")
    return tuple(
        value for name, value in environment.items() if len(value) >= 6 and any(mark in name for mark in marks)
    )


def open_route(setting: ModelSetting, *, direct: bool) -> Route:
    """Return the way to a model; raises CallFailed(configuration), or NotDirect where `direct` is asked in vain."""
    name, provider = _split(setting)
    return DirectRoute(setting, name, provider) if direct else PlainRoute(setting, name, provider)


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


def _card(name: str, provider: str) -> Card:
    import litellm.utils

    try:
        info = litellm.utils.get_model_info(name, custom_llm_provider=provider)
    except BROKEN_LIBRARY:
        raise
    except Exception:  # noqa: BLE001 - litellm raises a bare Exception for a model that is not in its table
        return Card(None, 0, 0)
    prompt, completion = info.get("input_cost_per_token"), info.get("output_cost_per_token")
    price = Price(float(prompt), float(completion)) if prompt is not None and completion is not None else None
    return Card(price, int(info.get("max_input_tokens") or 0), int(info.get("max_output_tokens") or 0))


# ----------------------------------------------------------------- the direct route


class DirectRoute:
    """To OpenAI's and every compatible server, to Anthropic and to Gemini, through litellm's translation layer."""

    def __init__(self, setting: ModelSetting, name: str, provider: str) -> None:
        from litellm.types.utils import LlmProviders
        from litellm.utils import ProviderConfigManager

        if provider not in KEYS:
            raise NotDirect
        self.model = setting.model
        self.key_name = KEYS[provider][0]
        self.card = _card(name, provider)
        self._name = name
        self._provider = provider
        self._base = setting.api_base or _variable(BASES[provider])
        if provider == "openai" and _wants_responses_api(name, self._base):
            raise NotDirect
        self._key = key_for(setting, provider)
        self._config: Any = ProviderConfigManager.get_provider_chat_config(name, LlmProviders(provider))
        self._dialect: Dialect = {"anthropic": _anthropic, "gemini": _gemini}.get(provider, _openai)
        self._reader()  # imports what the first answer needs

    def wire(self, question: Question) -> Wire:
        """Return the request as litellm would send it."""
        wanted: JsonDict = {"stream": True}
        if question.tools:
            wanted["tools"] = question.tools
        if self._dialect is _openai:
            wanted["stream_options"] = {"include_usage": True}
        if question.answer_limit is not None:
            wanted["max_tokens"] = question.answer_limit
        options = self._config.map_openai_params(
            non_default_params=wanted, optional_params={}, model=self._name, drop_params=True
        )
        url, headers, body = self._dialect(
            Draft(self._config, self._provider, self._name, self._key, self._base, question.messages, options)
        )
        return Wire(url, {**headers, "User-Agent": f"ay-bot/{__version__}"}, _as_json(body))

    def stream(self, question: Question, transport: Transport) -> Iterator[Chunk]:
        """Ask, and yield the answer as it comes. Raises CallFailed."""
        try:
            wire = self.wire(question)
        except BROKEN_LIBRARY:
            raise
        except Exception as error:  # noqa: BLE001 - litellm's own classes, for what a model does not support and the like
            raise failure_of_exception(error, model=self.model, key=self.key_name) from None
        with transport.post(wire) as answer:
            if answer.status >= 300:
                raise failure_of_status(
                    answer.status, answer.headers, answer.text(), model=self.model, key=self.key_name
                )
            yield from self._chunks(answer)

    def _chunks(self, answer: Answer) -> Iterator[Chunk]:
        parse = self._reader()
        for event in answer.events():
            try:
                raw = parse(event)
            except Exception as error:  # noqa: BLE001 - litellm's parsers raise anything on events they don't know
                raise self._unreadable(event, error) from None
            if raw is not None:
                yield chunk_of(raw, self._cost)

    def _unreadable(self, event: Event, error: Exception) -> CallFailed:
        if isinstance(error, ImportError | NameError):
            raise error
        status = getattr(error, "status_code", None)
        if isinstance(status, int) and ("error" in event or event.get("type") == "error"):
            return failure_of_status(status, {}, json.dumps(event), model=self.model, key=self.key_name)
        return malformed(f"{self.model} sent an event that makes no sense: {json.dumps(event)[:200]}")

    def _reader(self) -> Callable[[Event], Any]:
        if self._dialect is _openai:
            parser: Any = self._config.get_model_response_iterator(streaming_response=iter(()), sync_stream=True)
        elif self._provider == "anthropic":
            from litellm.llms.anthropic.chat import handler

            parser = handler.ModelResponseIterator(streaming_response=iter(()), sync_stream=True)
        else:
            from litellm.llms.vertex_ai.gemini import vertex_and_google_ai_studio_gemini as gemini

            log: Any = _NoLog()
            parser = gemini.ModelResponseIterator(streaming_response=iter(()), sync_stream=True, logging_obj=log)
        parse: Callable[[Event], Any] = parser.chunk_parser
        return parse

    def _cost(self, usage: RawUsage) -> float | None:
        if self.card.price is None:
            return None
        from litellm.litellm_core_utils.llm_cost_calc.utils import generic_cost_per_token

        counted: Any = usage
        prompt, answer = generic_cost_per_token(model=self._name, usage=counted, custom_llm_provider=self._provider)
        return prompt + answer


class Draft(NamedTuple):
    """What a dialect needs to write a request."""

    config: Any
    provider: str
    name: str
    key: str
    base: str
    messages: list[JsonDict]
    options: JsonDict


Dialect = Callable[[Draft], tuple[str, dict[str, str], JsonDict]]


def _openai(draft: Draft) -> tuple[str, dict[str, str], JsonDict]:
    base = draft.base or ADDRESSES[draft.provider]
    known = {"custom_llm_provider": draft.provider, "api_base": draft.base or None}
    headers, body = _translate(draft, known)
    url = draft.config.get_complete_url(base, draft.key, draft.name, draft.options, known, stream=True)
    return url, headers, body


def _anthropic(draft: Draft) -> tuple[str, dict[str, str], JsonDict]:
    from litellm.anthropic_beta_headers_manager import update_request_with_filtered_beta

    url = draft.base or "https://api.anthropic.com/v1/messages"
    url = url if url.endswith("/v1/messages") else f"{url}/v1/messages"
    headers, body = _translate(draft, {"custom_llm_provider": "anthropic", "api_base": draft.base or None})
    headers, body = update_request_with_filtered_beta(headers=headers, request_data=body, provider="anthropic")
    return url, headers, {**body, "stream": True}


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
        stream=True,
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


def key_for(setting: ModelSetting, provider: str) -> str:
    """Return the provider's key, or a placeholder for a server of one's own. Raises CallFailed(configuration)."""
    if key := _variable(KEYS[provider]):
        return key
    if setting.api_base:
        return PLACEHOLDER_KEY
    names = " or ".join(KEYS[provider])
    raise CallFailed("configuration", f"there is no key for {setting.model}: set {names} in the environment")


# ----------------------------------------------------------------- the plain route


class PlainRoute:
    """To every model that litellm knows, by `litellm.completion`."""

    def __init__(self, setting: ModelSetting, name: str, provider: str) -> None:
        self.model = setting.model
        self.key_name = KEYS.get(provider, (f"{provider.upper()}_API_KEY",))[0]
        self.card = _card(name, provider)
        self._name = name
        self._provider = provider
        self._base = setting.api_base
        self._key = self._find_key()

    def _find_key(self) -> str | None:
        """Return a key where litellm does not find one by itself. Raises CallFailed(configuration)."""
        import litellm

        if key := _variable(KEYS.get(self._provider, ())):
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
        import litellm

        try:
            answer: Any = litellm.completion(**self._arguments(question, transport))
            for raw in answer:
                yield chunk_of(raw, self._cost)
        except CallFailed:
            raise
        except Exception as error:  # noqa: BLE001 - litellm.exceptions, httpx errors and more, told apart by name
            raise failure_of_exception(error, model=self.model, key=self.key_name) from None

    def _arguments(self, question: Question, transport: Transport) -> JsonDict:
        optional = {
            "tools": question.tools or None,
            "max_tokens": question.answer_limit,
            "api_base": self._base,
            "api_key": self._key,
        }
        return {
            "model": self.model,
            "messages": question.messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "timeout": transport.idle_timeout,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            **{name: value for name, value in optional.items() if value is not None},
        }

    def _cost(self, usage: RawUsage) -> float | None:
        import litellm

        if self.card.price is None:
            return None
        return sum(
            litellm.cost_per_token(
                model=self._name,
                custom_llm_provider=self._provider,
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                usage_object=usage,
            )
        )
