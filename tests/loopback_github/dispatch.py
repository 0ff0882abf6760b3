"""Answers one HTTP request: who asks, what is made to fail, what the description says, then the route."""

import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import tests.loopback_github.rest_actions
import tests.loopback_github.rest_apps
import tests.loopback_github.rest_commits
import tests.loopback_github.rest_pulls
import tests.loopback_github.rest_reactions
import tests.loopback_github.rest_reviews  # noqa: F401
from tests.loopback_github import description, git_http, graphql_api
from tests.loopback_github.render import etag
from tests.loopback_github.rest_apps import app_of
from tests.loopback_github.routing import Call, Refused, Reply, find_route
from tests.loopback_github.switches import AFTER, Failure, Request, refusal
from tests.loopback_github.wire import Wire
from tests.loopback_github.world import Token

if TYPE_CHECKING:
    from tests.loopback_github.server import LoopbackGitHub

GIT_PATH = re.compile(
    r"/(?P<owner>[^/]+)/(?P<repo>[^/]+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)


def answer(github: "LoopbackGitHub", wire: Wire, path: str, query: str) -> None:
    if found := GIT_PATH.fullmatch(path):
        answer_git(github, wire, found, query)
        return
    body = wire.body()
    if path.startswith("/_control"):
        from tests.loopback_github.control import answer_control

        status, shown = answer_control(github, path, body)
        wire.send(status, shown)
        return
    answer_api(github, wire, path, query, body)


# ---------------------------------------------------------------------- REST and GraphQL


def answer_api(github: "LoopbackGitHub", wire: Wire, path: str, query: str, data: bytes) -> None:
    prefix = next((p for p in ("/api/v3", "/api") if path.startswith(p + "/")), "")
    inner = path.removeprefix(prefix)
    credential = wire.credentials()
    token = github.world.tokens.get(credential or "")
    request = Request(wire.command, inner, query, _parse(data), token.login if token else None)
    request.headers = {name.lower(): value for name, value in wire.headers.items() if name.lower() != "authorization"}
    github.requests.append(request)
    for hook in github.hooks.before:
        hook(request)
    failure = next((f for f in github.failures if f.matches(request)), None)
    if failure and failure.how == "slow":
        time.sleep(failure.seconds)
    if failure and failure.how not in AFTER and failure.how != "slow":
        fail(github, wire, request, failure)
        return
    web = f"http://{wire.host}"
    reply = perform(github, request, token, credential, (web + prefix, web))
    for hook in github.hooks.after:
        hook(request)
    if failure and failure.how in AFTER:
        fail(github, wire, request, failure)
        return
    finish(github, wire, request, reply, token)


def _parse(data: bytes) -> Any:
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def fail(github: "LoopbackGitHub", wire: Wire, request: Request, failure: Failure) -> None:
    answered = refusal(failure, int(time.time() + failure.seconds))
    if answered is None:
        request.status = 0
        wire.drop()
        return
    request.status = answered[0]
    wire.send(*answered)


def perform(
    github: "LoopbackGitHub", request: Request, token: Token | None, credential: str | None, addresses: tuple[str, str]
) -> Reply:
    """Do what is asked, one request at a time."""
    with github.world.lock:
        try:
            if credential and token is None and credential.count(".") != 2:
                raise Refused(401, "Bad credentials")
            if token and token.expires and token.expires <= github.world.now():
                raise Refused(401, "Bad credentials")
            if request.path == "/graphql":
                request.route = "graphql"
                return graphql_api.run(github, request, token, addresses)
            return perform_route(github, request, token, credential, addresses)
        except Refused as refused:
            return Reply(refused.status, refused.body(), refused.headers)


def perform_route(
    github: "LoopbackGitHub", request: Request, token: Token | None, credential: str | None, addresses: tuple[str, str]
) -> Reply:
    found = find_route("GET" if request.method == "HEAD" else request.method, request.path)
    if found is None:
        github.violations.append(f"{request.method} {request.path}: the loopback GitHub has no such route")
        raise Refused(404, "Not Found")
    route, parameters = found
    request.route = f"{route.method} {route.template}"
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    complaints = description.request_complaints(route.template, route.method, parameters, query, request.body)
    if complaints:
        github.violations += [f"{request.method} {request.path}: {complaint}" for complaint in complaints]
        raise Refused(400, "This breaks GitHub's description: " + "; ".join(complaints))
    call = Call(github.world, route, parameters, query, request.body, *addresses, request.path, token)
    if credential and token is None:
        call.app = app_of(github.world, credential)
    reply = route.call(call)
    if complaints := description.response_complaints(route.template, route.method, reply.status, reply.body):
        github.deviations += [f"{request.route}: {complaint}" for complaint in complaints]
    return reply


def finish(github: "LoopbackGitHub", wire: Wire, request: Request, reply: Reply, token: Token | None) -> None:
    request.status = reply.status
    limit = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": str(max(5000 - len(github.requests), 1))}
    headers = {
        **limit,
        "x-ratelimit-reset": str(int(time.time()) + 3600),
        "x-ratelimit-resource": "core",
        **reply.headers,
    }
    if token and token.permissions is None:
        headers["X-OAuth-Scopes"] = ", ".join(token.scopes)
    if wire.command == "GET" and reply.status == 200:
        headers["ETag"] = etag(json.dumps(reply.body).encode())
        if wire.headers.get("If-None-Match") == headers["ETag"]:
            request.status = 304
            wire.send(304, None, headers)
            return
    wire.send(reply.status, reply.body, headers)


# ---------------------------------------------------------------------- git


def answer_git(github: "LoopbackGitHub", wire: Wire, found: re.Match[str], query: str) -> None:
    from tests.loopback_github.rest_pulls import refresh

    world, name = github.world, f"{found['owner']}/{found['repo']}"
    service = dict(parse_qsl(query)).get("service") or found["rest"]
    credential = wire.credentials()
    token = world.tokens.get(credential or "")
    request = Request(wire.command, found.string, query, None, token.login if token else None, route="git")
    github.git_requests.append(request)
    for hook in github.hooks.before:
        hook(request)
    failure = next((f for f in github.failures if f.matches(request)), None)
    if failure and failure.how == "slow":
        time.sleep(failure.seconds)
    if failure and failure.how not in AFTER and failure.how != "slow":
        b"".join(wire.chunks())
        fail(github, wire, request, failure)
        return
    repository = world.repository(world.renamed.get(name.lower(), name))
    denied = git_http.judge(world, repository, token, service)
    if credential and token is None:
        denied = git_http.Denied(401, "Invalid username or token.")
    if denied or repository is None:
        b"".join(wire.chunks())
        request.status = denied.status if denied else 404
        basic = {"WWW-Authenticate": 'Basic realm="GitHub"'} if request.status == 401 else {}
        wire.send(request.status, denied.text if denied else "", {**basic, "Content-Type": "text/plain"})
        return
    with world.lock:
        for thread in repository.threads.values():
            if thread.kind == "pull_request":
                refresh(world, repository, thread)
    names = {"type": "Content-Type", "encoding": "Content-Encoding", "protocol": "Git-Protocol"}
    asked = {key: wire.headers.get(header, "") for key, header in names.items()}
    asked |= {"method": wire.command, "path": found["rest"], "query": query}
    backend = git_http.serve(repository, token, asked, wire.chunks())
    request.status = backend.status
    if failure:
        b"".join(backend.chunks)
        fail(github, wire, request, failure)
        return
    if found["rest"] == "git-receive-pack":
        kept = iter([b"".join(backend.chunks)])
        for hook in github.hooks.after:
            hook(request)
        wire.stream(backend.status, backend.headers, (chunk for chunk in kept if chunk))
        return
    wire.stream(backend.status, backend.headers, backend.chunks)
