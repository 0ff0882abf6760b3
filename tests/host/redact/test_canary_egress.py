"""A canary on its way to the network: its bytes are seen before they pass, and end the run."""

import base64
from types import SimpleNamespace

import pytest

from ay_bot.host.egress import Attempt
from ay_bot.host.egress.attempts import Attempts
from ay_bot.host.event_log import EventLog
from ay_bot.host.outcome import _quarantine
from ay_bot.host.redact.canaries import plant
from ay_bot.host.redact.redactor import Redactor

CANARIES = plant()
TOKEN, KEY = CANARIES.values


@pytest.fixture
def attempts() -> Attempts:
    return Attempts(EventLog("r", redactor=Redactor(("a-real-key-of-this-run",), CANARIES.values)))


def reason_of(attempts: Attempts, **more: object) -> str:
    findings = SimpleNamespace(
        order=SimpleNamespace(canaries=CANARIES), attempts=attempts, summary="Done.", outputs=(), **more
    )
    outcome = _quarantine(findings)  # type: ignore[arg-type]
    return outcome.reason if outcome else ""


def head(address: str, *fields: str) -> str:
    return "\r\n".join([f"GET {address} HTTP/1.1", *fields, "", ""])


@pytest.mark.parametrize(
    "asked",
    [
        head(f"http://pypi.org/simple/{TOKEN}"),
        head(f"http://pypi.org/simple/x?q={base64.b64encode(KEY.encode()).decode()}"),
        head(f"http://pypi.org/simple/{KEY[::-1]}/"),
        head(f"http://pypi.org/simple/{TOKEN[4:20].encode().hex()}/"),
        head("http://pypi.org/simple/x", "Host: pypi.org", f"User-Agent: pip {KEY[8:40]}"),
        head(f"http://pypi.org/{TOKEN.lower()}.tar.gz"),
    ],
    ids=["path", "query in base64", "reversed", "a part in hex", "a field", "in small letters"],
)
def test_at_28_a_canary_in_a_request_to_an_allowed_host_ends_the_run(attempts, asked):
    attempts.overhear(asked)
    assert reason_of(attempts).startswith("a canary was found in the address or the head of a request to the network: ")
    assert TOKEN not in reason_of(attempts)
    assert KEY not in reason_of(attempts)


def test_at_28_a_canary_that_is_cut_into_requests_ends_the_run(attempts):
    for start in range(0, len(TOKEN), 3):
        attempts.overhear(head(TOKEN[start : start + 3]))
    assert "a request to the network" in reason_of(attempts)


@pytest.mark.parametrize("allowed", [True, False])
def test_at_25_at_28_a_canary_in_the_name_of_a_host_ends_the_run_also_where_it_was_refused(attempts, allowed):
    attempt = Attempt(
        time="t", host=f"{KEY[8:30]}.evil.example", port=443, method="CONNECT", allowed=allowed, rule="r", why="w"
    )
    attempts.hear("agent")(attempt)
    assert reason_of(attempts).startswith("a canary was found in the name of a host that the box asked for: ")


def test_ordinary_requests_end_nothing(attempts):
    for number in range(300):
        attempts.overhear(head(f"http://pypi.org/simple/package-{number}/", "User-Agent: pip/26.0", "Accept: */*"))
    assert attempts.carrying() == ()
    assert reason_of(attempts) == ""


def test_what_is_kept_of_requests_is_bounded(attempts):
    for _ in range(100):
        attempts.overhear(head(f"http://x/{TOKEN}", f"X: {'a' * 20_000}"))
    assert len(attempts.carrying()) <= 10
    attempts.overhear("")
    attempts.overhear("\ud800 \x00 \r\n\r\n")
