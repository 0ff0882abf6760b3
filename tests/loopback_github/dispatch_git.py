"""Answers a request of git: who asks, what is made to fail, then `git http-backend`."""

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tests.loopback_github import git_http, pushes
from tests.loopback_github.dispatch import fail
from tests.loopback_github.pulls import refresh
from tests.loopback_github.switches import Request
from tests.loopback_github.wire import Wire
from tests.loopback_github.world import Repository, Token

if TYPE_CHECKING:
    from tests.loopback_github.server import LoopbackGitHub

GIT_PATH = re.compile(
    r"/(?P<owner>[^/]+)/(?P<repo>[^/]+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)
HEADERS = {"type": "Content-Type", "encoding": "Content-Encoding", "protocol": "Git-Protocol"}


def answer_git(github: "LoopbackGitHub", wire: Wire, found: re.Match[str], query: str) -> None:
    world, name = github.world, f"{found['owner']}/{found['repo']}"
    credential = wire.credentials()
    token = world.tokens.get(credential or "")
    request = Request(wire.command, found.string, query, None, token.login if token else None, route="git")
    github.git_requests.append(request)
    failure = github.take_failure(request)
    if failure and failure.stops:
        wire.body()
        fail(wire, request, failure)
        return
    repository = world.repository(world.renamed.get(name.lower(), name))
    denied = git_http.judge(world, repository, token, dict(parse_qsl(query)).get("service") or found["rest"])
    if credential and token is None:
        denied = git_http.Denied(401, "Invalid username or token.")
    if denied or repository is None:
        refuse(wire, request, denied or git_http.Denied(404, ""))
        return
    with world.lock:
        for thread in repository.threads.values():
            if thread.kind == "pull_request":
                refresh(world, repository, thread)
    asked = {key: wire.headers.get(header, "") for key, header in HEADERS.items()}
    asked |= {"method": wire.command, "path": found["rest"], "query": query}
    backend = git_http.serve(repository, token, asked, wire.chunks())
    request.status = backend.status
    if found["rest"] == "git-receive-pack":
        backend = whole(github, repository, token, request, backend)
    if failure:
        b"".join(backend.chunks)
        fail(wire, request, failure)
        return
    wire.stream(backend.status, backend.headers, backend.chunks)


def refuse(wire: Wire, request: Request, denied: git_http.Denied) -> None:
    wire.body()
    request.status = denied.status
    basic = {"WWW-Authenticate": 'Basic realm="GitHub"'} if denied.status == 401 else {}
    wire.send(denied.status, denied.text, {**basic, "Content-Type": "text/plain"})


def whole(
    github: "LoopbackGitHub",
    repository: Repository,
    token: Token | None,
    request: Request,
    backend: git_http.BackendAnswer,
) -> git_http.BackendAnswer:
    """Let a push come to its end before it is answered."""
    answer = b"".join(backend.chunks)
    with github.world.lock:
        pushes.note(github.world, repository, token.login if token else "ghost")
    for hook in github.hooks.after:
        hook(request)
    return git_http.BackendAnswer(backend.status, backend.headers, iter([answer] if answer else []))
