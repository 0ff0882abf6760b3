"""The loopback GitHub's switches: what each of them does to a real client."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from github import Auth, Github, GithubException, GithubRetry, RateLimitExceededException
from github.Issue import Issue
from requests.exceptions import ConnectionError as Unanswered

from tests.loopback_github.server import LoopbackGitHub
from tests.loopback_github.switches import Request


def client(server: LoopbackGitHub, **more: object) -> Github:
    pace = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0, **more}
    return Github(auth=Auth.Token(server.add_actions_token()), base_url=server.api_url, **pace)


@pytest.fixture
def issue(loopback_github: LoopbackGitHub) -> Iterator[Issue]:
    loopback_github.add_repository("octo/spoon")
    number = loopback_github.open_issue().number
    with client(loopback_github) as github:
        yield github.get_repo("octo/spoon").get_issue(number)


@pytest.mark.parametrize(
    ("how", "kind", "comments"),
    [("bad-gateway-before", GithubException, 0), ("bad-gateway-after", GithubException, 1), ("drop-before", Unanswered, 0),
     ("drop-after", Unanswered, 1), ("secondary-403", RateLimitExceededException, 0), ("secondary-429", GithubException, 0),
     ("primary", RateLimitExceededException, 0), ("forbidden", GithubException, 0), ("server-error", GithubException, 0)],
)  # fmt: skip
def test_a_comment_that_goes_wrong(
    loopback_github: LoopbackGitHub, issue: Issue, how: str, kind: type[Exception], comments: int
) -> None:
    loopback_github.fail("POST", "/comments$", how)
    with pytest.raises(kind):
        issue.create_comment("hello")
    assert len(loopback_github.comments(1)) == comments
    issue.create_comment("again")
    assert len(loopback_github.comments(1)) == comments + 1


def test_pygithubs_own_retry_writes_twice(loopback_github: LoopbackGitHub, issue: Issue) -> None:
    loopback_github.fail("POST", "/comments$", "bad-gateway-after")
    with client(loopback_github, retry=GithubRetry(total=2, backoff_factor=0)) as github:
        github.get_repo("octo/spoon").get_issue(1).create_comment("hello")
    assert [c.body for c in loopback_github.comments(1)] == ["hello", "hello"]


def test_switches_end_and_start_late(loopback_github: LoopbackGitHub, issue: Issue) -> None:
    loopback_github.fail("GET", "/issues/1$", "server-error", times=2, skip=1)
    answers = []
    for _ in range(4):
        try:
            answers.append(issue.update() is not None)
        except GithubException as error:
            answers.append(error.status)
    assert answers == [True, 500, 500, True]


def test_lists_lag_behind_writes(loopback_github: LoopbackGitHub, issue: Issue) -> None:
    loopback_github.lag("comment", 2)
    issue.create_comment("hello")
    assert [len(list(issue.get_comments())) for _ in range(3)] == [0, 0, 1]


def test_a_branch_that_is_not_seen_yet(loopback_github: LoopbackGitHub, issue: Issue) -> None:
    loopback_github.lag("branch", 1)
    repository = issue.repository
    repository.create_git_ref("refs/heads/x", loopback_github.branch("main"))
    with pytest.raises(GithubException):
        repository.get_git_ref("heads/x")
    assert repository.get_git_ref("heads/x").ref == "refs/heads/x"


@pytest.mark.parametrize(("when", "comments"), [("before", 0), ("after", 1)])
def test_a_client_that_is_killed_at_a_request(
    loopback_github: LoopbackGitHub, issue: Issue, when: str, comments: int
) -> None:
    lines = [
        "import sys, urllib.request",
        'body = b\'{"body": "hello"}\'',
        "headers = {'Authorization': 'Bearer ' + sys.argv[2]}",
        "urllib.request.urlopen(urllib.request.Request(sys.argv[1], body, headers))",
    ]
    seen: list[Request] = []
    process: list[subprocess.Popen[bytes]] = []

    def kill(request: Request) -> None:
        seen.append(request)
        process[0].send_signal(signal.SIGKILL)
        process[0].wait(10)

    chosen = loopback_github.kill_before if when == "before" else loopback_github.kill_after
    chosen("WRITE", ".", kill)
    place = loopback_github.api_url + "/repos/octo/spoon/issues/1/comments"
    command = [sys.executable, "-c", "\n".join(lines), place, loopback_github.add_actions_token()]
    process.append(subprocess.Popen(command))
    assert process[0].wait(20) == -signal.SIGKILL
    assert [request.path for request in seen] == ["/repos/octo/spoon/issues/1/comments"]
    assert len(loopback_github.comments(1)) == comments


def test_the_log_names_every_request(loopback_github: LoopbackGitHub, issue: Issue) -> None:
    loopback_github.forget_requests()
    issue.create_comment("hello")
    issue.create_reaction("eyes")
    assert [str(request) for request in loopback_github.requests] == [
        "POST /repos/octo/spoon/issues/1/comments -> 201", "POST /repos/octo/spoon/issues/1/reactions -> 201",
    ]  # fmt: skip
    assert loopback_github.requests[0].body == {"body": "hello"}
    assert loopback_github.requests[0].login == "github-actions[bot]"


def ask(url: str, call: str = "", **arguments: object) -> object:
    body = json.dumps({"call": call, "arguments": arguments}).encode() if call else None
    with urllib.request.urlopen(url, body) as answer:
        return json.load(answer)


def test_a_server_of_its_own_is_seeded_over_http(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.loopback_github", "--state", str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        control = url + "/_control/call"
        ask(control, "add_repository", full_name="octo/spoon", files={"a.py": "1\n"})
        number = ask(control, "open_issue", title="Broken")["number"]
        comment = ask(control, "comment", number=number, body="@ay fix this", at="2026-08-17T12:00:00+00:00")
        payload = ask(control, "payload_for_comment", comment=comment["id"])
        assert payload["comment"]["created_at"] == "2026-08-17T12:00:00Z"
        assert payload["repository"]["clone_url"] == f"{url}/octo/spoon.git"
        assert ask(url + "/_control/state")["octo/spoon"]["threads"]["1"]["title"] == "Broken"
        assert ask(url + "/_control/log") == {"requests": [], "git": [], "violations": [], "deviations": []}
        process.terminate()
        assert process.wait(10) == 0
