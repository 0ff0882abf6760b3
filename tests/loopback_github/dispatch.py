"""Answers a request for REST or GraphQL: who asks, what is made to fail, what the description says, then the route."""

import base64
import json
import time
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.loopback_github import (
    attachments,
    description,
    graphql_api,
    rest_actions,
    rest_apps,
    rest_comments,
    rest_commits,
    rest_contents,
    rest_events,
    rest_issues,
    rest_labels,
    rest_pulls,
    rest_reactions,
    rest_refs,
    rest_repository,
    rest_reviews,
    rest_statuses,
)
from tests.loopback_github.render import etag
from tests.loopback_github.rest_apps import app_of
from tests.loopback_github.routing import Call, Refused, Reply, find_route
from tests.loopback_github.switches import AFTER, Failure, Request, refusal
from tests.loopback_github.wire import Wire
from tests.loopback_github.world import Token

if TYPE_CHECKING:
    from tests.loopback_github.server import LoopbackGitHub

AREAS = (
    rest_actions, rest_apps, rest_comments, rest_commits, rest_contents, rest_events, rest_issues, rest_labels, rest_pulls,
    rest_reactions, rest_refs, rest_repository, rest_reviews, rest_statuses,
)  # fmt: skip
"""Every module that serves routes; importing one puts its routes in the table."""


def answer_api(github: "LoopbackGitHub", wire: Wire, path: str, query: str, data: bytes) -> None:
    prefix = next((p for p in ("/api/v3", "/api") if path.startswith(p + "/")), "")
    inner = path.removeprefix(prefix)
    credential = wire.credentials()
    token = github.world.tokens.get(credential or "")
    request = Request(wire.command, inner, query, _parse(data), token.login if token else None)
    request.headers = {name.lower(): value for name, value in wire.headers.items() if name.lower() != "authorization"}
    github.requests.append(request)
    failure = github.take_failure(request)
    if failure and failure.stops:
        fail(wire, request, failure)
        return
    web = f"{github.scheme}://{wire.host}"
    reply = perform(github, request, token, credential, (web + prefix, web))
    for hook in github.hooks.after:
        hook(request)
    if failure and failure.how in AFTER:
        fail(wire, request, failure)
        return
    finish(github, wire, request, reply, token)


def _parse(data: bytes) -> Any:
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def fail(wire: Wire, request: Request, failure: Failure) -> None:
    """Answer as a switch says, or not at all."""
    if failure.do:
        failure.do(request)
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
        except Exception:  # noqa: BLE001 - the fixture shows it
            github.violations.append(f"{request}: the loopback GitHub broke: {traceback.format_exc()}")
            return Reply(500, {"message": "Server Error"})


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
    return in_media_type(github, request, reply, addresses[1])


def in_media_type(github: "LoopbackGitHub", request: Request, reply: Reply, web: str) -> Reply:
    """Return an answer as its Accept wants it: with rendered text, or a file as it is."""
    wanted = request.headers.get("accept", "")
    if "full+json" in wanted and isinstance(reply.body, dict) and "body" in reply.body:
        rendered = attachments.render_html(github.world, web, reply.body["body"])
        return Reply(reply.status, {**reply.body, "body_html": rendered}, reply.headers)
    if ".raw" in wanted and isinstance(reply.body, dict) and reply.body.get("encoding") == "base64":
        return Reply(reply.status, base64.b64decode(reply.body["content"]), reply.headers)
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
        headers["ETag"] = etag(reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode())
        if wire.headers.get("If-None-Match") == headers["ETag"]:
            request.status = 304
            wire.send(304, None, headers)
            return
    wire.send(reply.status, reply.body, headers)
