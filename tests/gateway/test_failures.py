"""Every status and every exception of litellm has one meaning, and a provider's wish to wait is understood."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway import failures
from ay_bot.protocol.messages import FailureCause


def fail(status: int, body: str = "", headers: dict[str, str] | None = None) -> failures.CallFailed:
    return failures.failure_of_status(status, headers or {}, body, model="openai/m", key="OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("status", "cause", "transient"),
    [
        (400, "invalid_request", False),
        (401, "authentication", False),
        (402, "payment", False),
        (403, "permission", False),
        (404, "not_found", False),
        (408, "timeout", True),
        (418, "invalid_request", False),
        (422, "invalid_request", False),
        (429, "rate_limit", True),
        (500, "provider", True),
        (503, "provider", True),
        (529, "provider", True),
    ],
)
def test_every_status_has_a_cause(status, cause, transient):
    failure = fail(status)
    assert (failure.cause, failure.transient) == (cause, transient)
    assert f"HTTP {status}" in failure.message


def test_the_message_names_the_key_and_quotes_the_provider():
    failure = fail(401, '{"error": {"message": "no such key"}}')
    assert "OPENAI_API_KEY" in failure.message
    assert "no such key" in failure.message


@pytest.mark.parametrize(
    "words",
    [
        '{"error": {"code": "context_length_exceeded", "message": "too long"}}',
        '{"error": {"message": "This model\'s maximum context length is 8192 tokens"}}',
        '{"type": "error", "error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}',
        '[{"error": {"message": "The input token count (1) exceeds the maximum number of tokens allowed"}}]',
    ],
)
def test_a_conversation_that_is_too_long_is_told_from_other_bad_requests(words):
    assert fail(400, words).cause == "context_window"


def test_an_empty_account_is_not_asked_again():
    failure = fail(429, '{"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}')
    assert (failure.cause, failure.transient) == ("payment", False)


def test_seconds_milliseconds_and_dates_to_wait():
    assert failures.waiting({"retry-after": "7"}) == 7
    assert failures.waiting({"retry-after-ms": "250"}) == 0.25
    soon = failures.waiting({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)})
    assert soon == pytest.approx(30, abs=2)
    assert failures.waiting({"retry-after": "soon"}) is None
    assert failures.waiting({}) is None


@given(st.integers(300, 599), st.text(), st.text())
def test_no_answer_of_a_provider_is_beyond_words(status, body, wish):
    failure = fail(status, body, {"retry-after": wish})
    assert failure.cause in get_args(FailureCause)
    assert failure.retry_after is None or failure.retry_after >= 0


def test_every_exception_class_of_litellm_is_mapped():
    program = (
        "import litellm.exceptions as module, inspect\n"
        "for name, kind in vars(module).items():\n"
        "    if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == module.__name__:\n"
        "        print(name)\n"
    )
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], env=environment, cwd="/", capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == set(failures.CAUSE_OF_EXCEPTION)


def test_an_exception_is_known_by_its_nearest_known_base():
    class RateLimitError(Exception): ...

    class SomethingNew(RateLimitError): ...

    failure = failures.failure_of_exception(SomethingNew("slow down"), model="m", key="K")
    assert (failure.cause, failure.transient) == ("rate_limit", True)
    assert failures.failure_of_exception(ZeroDivisionError("?"), model="m", key="K").cause == "provider"
