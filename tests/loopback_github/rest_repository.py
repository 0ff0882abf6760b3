"""REST: repositories, accounts and permissions."""

from tests.loopback_github import render
from tests.loopback_github.routing import Call, Refused, Reply, route

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO)
def get_repository(call: Call) -> Reply:
    return Reply(200, render.repository(call, call.repo))


@route("GET", "/user")
def own_account(call: Call) -> Reply:
    if call.token and call.token.app:
        raise Refused(403, "Resource not accessible by integration")
    return Reply(200, render.public_user(call, call.actor))


@route("GET", "/users/{username}")
def get_account(call: Call) -> Reply:
    known = call.world.accounts.get(call.parameters["username"].lower())
    if known is None:
        raise Refused(404, "Not Found")
    return Reply(200, render.public_user(call, known))


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Reply:
    limit = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(call.world.now().timestamp()) + 3600}
    names = ("core", "search", "graphql")
    return Reply(200, {"resources": dict.fromkeys(names, limit), "rate": limit})


@route("GET", REPO + "/collaborators/{username}/permission")
def permission(call: Call) -> Reply:
    repo, login = call.repo, call.parameters["username"]
    if call.token is None:
        raise Refused(401, "Requires authentication")
    if call.token.permissions is None and not call.world.reaches(repo, call.login, "write"):
        raise Refused(403, "Must have push access to view collaborator permission.")
    known = call.world.accounts.get(login.lower())
    if known is None or known.kind == "Bot":
        raise Refused(404, f"{login} is not a user" if known or login.endswith("[bot]") else "Not Found")
    role = call.world.role(repo, login)
    who = {**render.user(call, known.login), "permissions": render.rights(call.world, repo, login), "role_name": role}
    return Reply(200, {"permission": call.world.permission(repo, login), "role_name": role, "user": who})
