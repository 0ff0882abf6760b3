"""Real clients of the loopback GitHub, for the tests of itself."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from github import Auth, Github, GithubException
from github.Repository import Repository as PyRepository

from tests.loopback_github.server import LoopbackGitHub

UNHURRIED = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0}


def client(server: LoopbackGitHub, token: str) -> Github:
    return Github(auth=Auth.Token(token), base_url=server.api_url, **UNHURRIED)


@contextmanager
def open_spoon(server: LoopbackGitHub) -> Iterator[PyRepository]:
    """Give `octo/spoon` as a workflow's GITHUB_TOKEN sees it."""
    server.add_repository("octo/spoon", {"src/a.py": "x = 1\n"})
    server.add_user("maria", "write")
    with client(server, server.add_actions_token()) as github:
        yield github.get_repo("octo/spoon")


def refused(request: pytest.ExceptionInfo[GithubException]) -> tuple[int, str]:
    return request.value.status, json.dumps(request.value.data)


def status_of(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
