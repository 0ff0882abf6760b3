"""Who may what on the loopback GitHub."""

import json
import urllib.request
from collections.abc import Iterator

import pytest
from github import Auth, GithubException, GithubIntegration
from github.Repository import Repository as PyRepository

from tests.loopback_github.clients import UNHURRIED, client, open_spoon, refused, status_of
from tests.loopback_github.server import LoopbackGitHub


@pytest.fixture
def spoon(loopback_github: LoopbackGitHub) -> Iterator[PyRepository]:
    with open_spoon(loopback_github) as repository:
        yield repository


def test_an_app_gets_the_tokens_that_it_may_have(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    app = loopback_github.add_app("ay", {"contents": "write", "issues": "read"})
    integration = GithubIntegration(
        auth=Auth.AppAuth(app.id, app.private_key), base_url=loopback_github.api_url, **UNHURRIED
    )
    installation = integration.get_repo_installation("octo", "spoon")
    token = integration.get_access_token(installation.id, permissions={"contents": "read"})
    assert token.permissions == {"contents": "read"}
    with pytest.raises(GithubException):
        integration.get_access_token(installation.id, permissions={"issues": "write"})
    with client(loopback_github, token.token) as github, pytest.raises(GithubException) as refusal:
        github.get_repo("octo/spoon").create_issue("x")
    assert refused(refusal)[0] == 403
    assert "Resource not accessible by integration" in refused(refusal)[1]
    other = Auth.AppAuth(app.id + 1, app.private_key)
    with (
        GithubIntegration(auth=other, base_url=loopback_github.api_url, **UNHURRIED) as stranger,
        pytest.raises(GithubException),
    ):
        stranger.get_app()
    integration.close()


@pytest.mark.parametrize(("login", "status"), [("maria", 201), ("rita", 403), (None, 401)])
def test_a_person_may_what_the_role_allows(
    loopback_github: LoopbackGitHub, spoon: PyRepository, login: str | None, status: int
) -> None:
    loopback_github.add_user("rita", "triage")
    body = json.dumps({"ref": "refs/heads/x", "sha": loopback_github.branch("main")}).encode()
    signed = {"Authorization": f"token {loopback_github.add_token(login)}"} if login else {}
    request = urllib.request.Request(f"{loopback_github.api_url}/repos/octo/spoon/git/refs", body, signed)
    assert status_of(request) == status


def test_what_is_private_is_not_there(loopback_github: LoopbackGitHub) -> None:
    loopback_github.add_repository("octo/secret", private=True)
    with (
        client(loopback_github, loopback_github.add_token("mallory")) as github,
        pytest.raises(GithubException) as refusal,
    ):
        github.get_repo("octo/secret")
    assert refused(refusal)[0] == 404
    with client(loopback_github, "wrong") as github, pytest.raises(GithubException) as refusal:
        github.get_repo("octo/secret")
    assert refused(refusal)[0] == 401


def test_roles_of_an_organisations_own(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    loopback_github.add_user("rita", "release-manager", base="triage")
    assert (spoon.get_collaborator_permission("rita"), spoon.get_collaborator_role_name("rita")) == (
        "read",
        "release-manager",
    )
    with client(loopback_github, loopback_github.add_token("rita")) as github:
        rights = github.get_repo("octo/spoon").permissions
    assert (rights.triage, rights.push) == (True, False)
