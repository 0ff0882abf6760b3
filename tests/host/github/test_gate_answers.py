"""What the gate asks GitHub: over the standard library, twice at most, and unknown is never yes."""

import subprocess
import sys
from pathlib import Path

import pytest

from ay_bot.host.gate import Outcome, Rules, decide
from ay_bot.host.github.gate_answers import GateAnswers, open_answers
from ay_bot.host.permissions import Refusal, Standing
from tests.loopback_github.server import LoopbackGitHub


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository("maria/bank")
    loopback_github.add_user("otto", "maintain")
    loopback_github.add_user("mallory")
    return loopback_github


def answers_of(github: LoopbackGitHub) -> GateAnswers:
    environment = {"GITHUB_TOKEN": github.add_actions_token(), "GITHUB_REPOSITORY": "maria/bank"}
    found = open_answers({**environment, "GITHUB_API_URL": github.api_url})
    assert found
    return found


def comment_by(github: LoopbackGitHub, login: str) -> dict[str, object]:
    github.open_issue()
    return github.payload_for_comment(github.comment(1, "@ay fix this", login=login))


def test_permission_and_role(github: LoopbackGitHub) -> None:
    assert answers_of(github)("otto") == Standing("write", "maintain")
    assert answers_of(github)("mallory") == Standing("read", "read")
    assert answers_of(github)("never-seen") == Standing("none", "none")


def test_who_may_is_let_in_with_one_call(github: LoopbackGitHub) -> None:
    ask = answers_of(github)
    decision = decide("issue_comment", comment_by(github, "otto"), Rules(), ask, "otto")
    assert (decision.decision, ask.calls, len(github.requests)) == (Outcome.RUN, 1, 1)


def test_who_may_not_costs_two_calls_with_the_reaction(github: LoopbackGitHub) -> None:
    ask = answers_of(github)
    decision = decide("issue_comment", comment_by(github, "mallory"), Rules(), ask, "mallory")
    assert (decision.decision, decision.reason) == (Outcome.DENY, Refusal.PERMISSION_TOO_LOW)
    assert decision.comment
    assert ask.react("comment", decision.comment, "-1")
    assert not ask.react("comment", decision.comment, "confused")
    assert len(github.requests) == 2
    assert [one.content for one in github.comments(1)[0].reactions] == ["-1"]


def test_a_second_person_leaves_no_call_for_a_reaction(github: LoopbackGitHub) -> None:
    ask = answers_of(github)
    decision = decide("issue_comment", comment_by(github, "otto"), Rules(), ask, "mallory")
    assert (decision.decision, decision.party) == (Outcome.DENY, "triggering-actor")
    assert not ask.react("comment", decision.comment or 0, "-1")
    assert len(github.requests) == 2


def test_at_03_an_app_that_nobody_vouches_for_is_refused(github: LoopbackGitHub) -> None:
    github.add_app("evil-app")
    assert answers_of(github)("evil-app[bot]") is None
    assert answers_of(github)("unknown[bot]") is None


@pytest.mark.parametrize(
    "how", ["forbidden", "unauthorized", "garbage", "primary", "secondary-429-bare", "secondary-403"]
)
def test_what_github_refuses_to_say_is_unknown(github: LoopbackGitHub, how: str) -> None:
    github.fail("GET", "permission", how)
    ask = answers_of(github)
    assert ask("otto") is None
    assert ask.calls == 1


@pytest.mark.parametrize("how", ["server-error", "bad-gateway-before", "drop-before"])
def test_a_passing_fault_is_asked_about_once_more(github: LoopbackGitHub, how: str) -> None:
    github.fail("GET", "permission", how)
    assert answers_of(github)("otto") == Standing("write", "maintain")
    github.fail("GET", "permission", how, times=2)
    ask = answers_of(github)
    assert ask("otto") is None
    assert (ask.calls, ask("otto")) == (2, None)


def test_a_server_that_is_silent_or_not_there_is_unknown(
    github: LoopbackGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ay_bot.host.github.gate_answers.SECONDS", 0.2)
    github.fail("GET", "permission", "slow", seconds=1)
    github.fail("GET", "permission", "slow", seconds=1)
    assert answers_of(github)("otto") is None
    assert GateAnswers("maria/bank", "token", "http://127.0.0.1:9")("otto") is None


def test_a_redirect_takes_the_token_nowhere(github: LoopbackGitHub) -> None:
    github.add_repository("maria/new")
    github.world.renamed["maria/bank"] = "maria/new"
    assert answers_of(github)("otto") is None
    assert len(github.requests) == 1


@pytest.mark.parametrize("login", ["", "..", "a/b", "a/../../user", "a b", "a?b", "otto\r\nX: y", "ä", "x" * 101])
def test_at_11_a_login_that_is_none_is_not_asked_about(github: LoopbackGitHub, login: str) -> None:
    assert answers_of(github)(login) is None
    assert github.requests == []


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://127.0.0.1", "file:///etc/passwd", "", "https://", "http://[x"]
)
def test_a_token_goes_to_no_unsafe_address(url: str) -> None:
    ask = GateAnswers("maria/bank", "token", url)
    assert (ask("otto"), ask.calls) == (None, 0)


@pytest.mark.parametrize("name", ["bank", "a/b/c", "a/b?c", "a/b#c", "a b/c", ""])
def test_a_repository_that_is_none_is_not_asked_about(name: str) -> None:
    ask = GateAnswers(name, "token")
    assert (ask("otto"), ask.calls) == (None, 0)


@pytest.mark.parametrize("token", ["", " ", "a\nX: y", "t\u00f6ken", "a\x00"])
def test_a_token_that_is_none_is_not_shown_around(token: str) -> None:
    ask = GateAnswers("maria/bank", token)
    assert (ask("otto"), ask.react("issue", 1, "eyes"), ask.calls) == (None, False, 0)


def test_nothing_is_asked_without_token_or_repository() -> None:
    assert open_answers({"GITHUB_REPOSITORY": "maria/bank"}) is None
    assert open_answers({"GITHUB_TOKEN": "x"}) is None
    assert open_answers({"GITHUB_TOKEN": " \n", "GITHUB_REPOSITORY": "maria/bank"}) is None


def test_runs_on_a_bare_python_and_loads_no_network_before_it_asks() -> None:
    code = (
        "import sys; import ay_bot.host.github.gate_answers as g; g.GateAnswers('a/b', 't');"
        "print([n for n in ('pydantic', 'github', 'ssl', 'http.client') if n in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(Path.cwd())!r}); {code}"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (run.stdout.strip(), run.stderr) == ("[]", "")
