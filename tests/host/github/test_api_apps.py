"""The Forge as a GitHub App: tokens for one repository, with the least rights, renewed in time."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from ay_bot.errors import GithubFailed, NotAllowed, UsageError
from ay_bot.host.github.api import GithubForge, open_forge
from ay_bot.host.github.api_request import Pace
from ay_bot.host.github.credentials import LEAST, READ_ONLY, App
from tests.loopback_github import world
from tests.loopback_github.server import LoopbackGitHub

QUICK = Pace(between_writes=0, backoff=0.01, timeout=5)


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    for name in ("maria/bank", "maria/other"):
        loopback_github.add_repository(name, {"bank.py": "balance = 0\n"}, private=True)
    loopback_github.open_issue(repository="maria/bank")
    return loopback_github


@pytest.fixture
def registered(github: LoopbackGitHub) -> world.App:
    return github.add_app("ay-bot", repositories=["maria/bank", "maria/other"])


def app_of(registered: world.App, **changes: object) -> App:
    made = App(app_id=str(registered.id), private_key=SecretStr(registered.private_key))
    return made.model_copy(update=changes)


def forge_of(github: LoopbackGitHub, app: App, repository: str = "maria/bank") -> GithubForge:
    return open_forge(repository, app, api_url=github.api_url, graphql_url=github.graphql_url, pace=QUICK)


@pytest.fixture
def forge(github: LoopbackGitHub, registered: world.App) -> Iterator[GithubForge]:
    with forge_of(github, app_of(registered)) as made:
        yield made


def test_an_app_writes_under_its_own_name(forge: GithubForge, github: LoopbackGitHub) -> None:
    assert forge.own_login() == "ay-bot[bot]"
    forge.add_comment(1, "Hello")
    assert github.comments(1, repository="maria/bank")[0].login == "ay-bot[bot]"
    assert forge.requests == len(github.requests) == 4  # the installation, its token, who we are, the comment


def test_a_token_is_for_one_repository_and_the_least_rights(forge: GithubForge, github: LoopbackGitHub) -> None:
    forge.issue(1)
    asked = github.asked("POST", "access_tokens")[0].body
    assert asked == {"repositories": ["bank"], "permissions": LEAST}
    given = github.world.tokens[forge.token().secret.get_secret_value()]
    assert given.repositories == frozenset({"maria/bank"})


def test_a_job_that_only_reads_asks_for_no_more(github: LoopbackGitHub, registered: world.App) -> None:
    with forge_of(github, app_of(registered, permissions=READ_ONLY)) as forge, pytest.raises(NotAllowed):
        forge.add_comment(1, "Hello")


def test_a_known_installation_is_not_asked_for(github: LoopbackGitHub, registered: world.App) -> None:
    number = next(iter(registered.installations))
    with forge_of(github, app_of(registered, installation=number)) as forge:
        forge.issue(1)
        assert forge.requests == 2


def test_a_token_is_renewed_before_it_ends(forge: GithubForge, github: LoopbackGitHub) -> None:
    soon = datetime.now(UTC) - timedelta(minutes=55)
    github.world.clock = lambda: soon
    first = forge.token()
    assert forge.token() != first
    github.world.clock = lambda: datetime.now(UTC)
    third = forge.token()
    assert third == forge.token()
    assert forge.issue(1).number == 1


def test_at_03_only_our_own_app_can_prove_that_it_is_installed(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.add_app("evil-app", repositories=["maria/other"])
    own = forge.standing("ay-bot[bot]")
    assert own
    assert own.installed
    assert own.permission == "write"
    assert forge.standing("evil-app[bot]") is None
    assert forge.standing("nobody") is not None


def test_an_app_that_is_not_installed_there(github: LoopbackGitHub, registered: world.App) -> None:
    github.add_repository("ada/else")
    with forge_of(github, app_of(registered), "ada/else") as forge:
        with pytest.raises(GithubFailed, match="installation"):
            forge.facts()
        assert forge.standing("ay-bot[bot]") is None


@pytest.mark.parametrize("key", ["", "x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError, match="private key") as caught:
        open_forge("a/b", App(app_id="1", private_key=SecretStr(key)), api_url="https://api.github.com")
    assert "AAAA" not in str(caught.value)


def test_a_key_of_another_app(github: LoopbackGitHub, registered: world.App) -> None:
    other = github.add_app("other", repositories=["maria/other"])
    stolen = app_of(registered, app_id=str(other.id))
    with forge_of(github, stolen) as forge, pytest.raises(GithubFailed, match="accept"):
        forge.facts()


def test_neither_key_nor_token_is_shown(
    forge: GithubForge, registered: world.App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    forge.issue(1)
    app = app_of(registered)
    shown = f"{app!r} {app} {app.model_dump_json()} {forge.token()!r} {vars(forge)!r} {caplog.text}"
    assert caplog.text
    assert registered.private_key.splitlines()[1] not in shown
    assert forge.token().secret.get_secret_value() not in shown


def test_a_signed_claim_is_short(forge: GithubForge, github: LoopbackGitHub) -> None:
    claims = list[dict[str, int]]()
    answer = github.answer

    def note(wire: object, path: str, query: str) -> None:
        kind, _, value = wire.headers["Authorization"].partition(" ")  # type: ignore[attr-defined]
        if kind == "Bearer":
            part = value.split(".")[1]
            claims.append(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
        answer(wire, path, query)  # type: ignore[arg-type]

    github.answer = note  # type: ignore[method-assign]
    forge.issue(1)
    assert len(claims) == 2
    assert all(claim["exp"] - claim["iat"] <= 600 for claim in claims)
