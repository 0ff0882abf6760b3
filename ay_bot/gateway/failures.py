"""How a model call can fail, and what every provider's status and every litellm exception means to a run."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ay_bot.protocol.messages import FailureCause

SHOWN = 400  # characters of a provider's own words


class CallFailed(Exception):
    """One attempt at a model call failed. `transient` says that another attempt may succeed."""

    def __init__(
        self, cause: FailureCause, message: str, *, transient: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.cause: FailureCause = cause
        self.message = message
        self.transient = transient
        self.retry_after = retry_after


class ProviderSaid(Exception):
    """A provider says inside of an answer that it failed: the status that would have been, and its words."""

    def __init__(self, status: int, event: Mapping[str, object]) -> None:
        super().__init__(status)
        self.status = status
        self.event = event


STATUS_OF_WORD = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""What an error inside of an answer would have been as a status, by the code or the type that it has."""


def find_error(event: Mapping[str, object], *, usually: int = 500) -> ProviderSaid | None:
    """Return what a provider says of its failure in an event, if it does; `usually` is the status of other words."""
    error = event.get("error")
    if not error:
        return None
    told = error if isinstance(error, Mapping) else {}
    code = told.get("code")
    words = (STATUS_OF_WORD.get(str(told.get(name))) for name in ("code", "type"))
    status = code if isinstance(code, int) else next((known for known in words if known), usually)
    return ProviderSaid(status if 400 <= status < 600 else 500, event)


CAUSE_OF_STATUS: dict[int, FailureCause] = {
    400: "invalid_request",
    401: "authentication",
    402: "payment",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "context_window",
    422: "invalid_request",
    429: "rate_limit",
}
TRANSIENT_STATUSES = frozenset({408, 409, 425, 429})

ADVICE: dict[FailureCause, str] = {
    "authentication": "the provider does not accept the key; check {key}",
    "payment": "the account behind {key} has no credit left",
    "permission": "the account behind {key} may not use {model}",
    "not_found": "the provider at this address has no model {model}",
    "context_window": "the conversation is longer than {model} takes",
    "rate_limit": "the provider limits the rate of requests",
    "refused": "a content filter stands before {model}",
}

CONTEXT_MARKS = (
    "context_length_exceeded",
    "context length",
    "context window",
    "prompt is too long",
    "input is too long",
    "maximum number of tokens",
    "input token count",
    "maximum prompt length",
    "too large for model",
    "exceed context limit",
    "reduce the length of the messages",
)
"""How OpenAI, Anthropic, Google, xAI, Mistral and servers of one's own say that a conversation is too long."""
QUOTA_MARKS = ("insufficient_quota", "billing", "credit balance")
REFUSAL_MARKS = ("content_filter", "content_policy_violation", "responsibleaipolicyviolation", "invalid_prompt")

CAUSE_OF_EXCEPTION: dict[str, FailureCause] = {
    "AuthenticationError": "authentication",
    "NotFoundError": "not_found",
    "BadRequestError": "invalid_request",
    "ImageFetchError": "invalid_request",
    "VectorStoreSearchError": "invalid_request",
    "UnprocessableEntityError": "invalid_request",
    "Timeout": "timeout",
    "PermissionDeniedError": "permission",
    "RateLimitError": "rate_limit",
    "ContextWindowExceededError": "context_window",
    "PaymentRequiredError": "payment",
    "RejectedRequestError": "invalid_request",
    "ContentPolicyViolationError": "refused",
    "ServiceUnavailableError": "provider",
    "BadGatewayError": "provider",
    "InternalServerError": "provider",
    "APIError": "provider",
    "APIConnectionError": "unreachable",
    "APIResponseValidationError": "malformed",
    "JSONSchemaValidationError": "malformed",
    "OpenAIError": "provider",
    "UnsupportedParamsError": "configuration",
    "ModelNotMappedError": "configuration",
    "BudgetExceededError": "budget",
    "InvalidRequestError": "invalid_request",
    "MockException": "provider",
    "LiteLLMUnknownProvider": "configuration",
    "GuardrailRaisedException": "invalid_request",
    "BlockedPiiEntityError": "invalid_request",
    "MidStreamFallbackError": "malformed",
    "ModifyResponseException": "invalid_request",
    "SensitiveDataRouteException": "invalid_request",
}
"""Every class of `litellm.exceptions`; a test compares the two."""

TRANSIENT_CAUSES = frozenset({"rate_limit", "unreachable", "provider"})


def failure_of_status(status: int, headers: Mapping[str, str], body: str, *, model: str, key: str) -> CallFailed:
    """Say what an answer that is not 2xx means."""
    said = provider_words(body)
    cause: FailureCause = CAUSE_OF_STATUS.get(status, "invalid_request" if status < 500 else "provider")
    cause = _cause_in_words(cause, f"{body[:4000]} {said}".lower())
    transient = cause != "payment" and (status >= 500 or status in TRANSIENT_STATUSES)
    return CallFailed(
        cause, describe(cause, f"HTTP {status}: {said}", model, key), transient=transient, retry_after=waiting(headers)
    )


def failure_of_exception(error: Exception, *, model: str, key: str) -> CallFailed:
    """Say what an exception of litellm means, by its class or the nearest base that is known."""
    names = [kind.__name__ for kind in type(error).__mro__]
    known = (CAUSE_OF_EXCEPTION[name] for name in names if name in CAUSE_OF_EXCEPTION)
    cause: FailureCause = next(known, "provider")
    said = str(error)[:SHOWN]
    cause = _cause_in_words(cause, said.lower())
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    transient = cause in TRANSIENT_CAUSES
    return CallFailed(cause, describe(cause, said, model, key), transient=transient, retry_after=waiting(headers))


def describe(cause: FailureCause, said: str, model: str, key: str) -> str:
    """Put the provider's words behind what they mean."""
    advice = ADVICE.get(cause, "").format(model=model, key=key)
    return f"{advice} ({said})" if advice else f"{model}: {said}"


def _cause_in_words(cause: FailureCause, words: str) -> FailureCause:
    if cause in ("invalid_request", "context_window") and any(mark in words for mark in CONTEXT_MARKS):
        return "context_window"
    if cause in ("rate_limit", "invalid_request") and any(mark in words for mark in QUOTA_MARKS):
        return "payment"
    if cause == "invalid_request" and any(mark in words for mark in REFUSAL_MARKS):
        return "refused"
    return cause


def provider_words(body: str) -> str:
    """Return the message of a provider's error body, or the beginning of the body."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return " ".join(body.split())[:SHOWN] or "no explanation"
    error = parsed[0] if isinstance(parsed, list) and parsed else parsed
    error = error.get("error", error) if isinstance(error, dict) else error
    said = error.get("message", error) if isinstance(error, dict) else error
    return str(said)[:SHOWN]


def waiting(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a provider asks to wait: Retry-After as a number or a date, or retry-after-ms."""
    try:
        if exact := headers.get("retry-after-ms"):
            return max(0.0, float(exact) / 1000)
        asked = headers.get("retry-after", "").strip()
        if not asked:
            return None
        if asked.replace(".", "", 1).isdigit():
            return float(asked)
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
