"""The loopback GitHub against a real PyGithub and a real git."""

from collections.abc import Iterator

import pytest
from github import Auth, Github
from github.Repository import Repository as PyRepository

from tests.loopback_github.server import LoopbackGitHub


def client(server: LoopbackGitHub, token: str) -> Github:
    return Github(
        auth=Auth.Token(token),
        base_url=server.api_url,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


@pytest.fixture
def spoon(loopback_github: LoopbackGitHub) -> Iterator[PyRepository]:
    """`octo/spoon` as a workflow's GITHUB_TOKEN sees it."""
    loopback_github.add_repository("octo/spoon", {"src/a.py": "x = 1\n"})
    loopback_github.add_user("maria", "write")
    with client(loopback_github, loopback_github.add_actions_token()) as github:
        yield github.get_repo("octo/spoon")


def test_comments_are_written_edited_and_listed(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    issue = spoon.get_issue(loopback_github.open_issue("Broken").number)
    issue.create_comment("first").edit("second")
    assert [(c.body, c.user.login, c.user.type) for c in issue.get_comments()] == [
        ("second", "github-actions[bot]", "Bot")
    ]
    assert [c.edited is not None for c in loopback_github.comments(issue.number)] == [True]
