"""REST: Apps, their installations and the tokens that these are given."""

import secrets
from datetime import timedelta
from typing import Any

from tests.loopback_github import render
from tests.loopback_github.description import example
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, route
from tests.loopback_github.world import App, Token, World

LEVELS = ("", "read", "write", "admin")


def app_of(world: World, credential: str) -> App:
    """Return the App that signed a JWT."""
    import jwt

    try:
        claimed = jwt.decode(credential, options={"verify_signature": False})
        app = next(a for a in world.apps.values() if str(a.id) == str(claimed.get("iss")))
        claims = jwt.decode(
            credential,
            app.public_key,
            algorithms=["RS256"],
            options={"verify_iat": False, "require": ["exp", "iat", "iss"]},
        )
    except (jwt.PyJWTError, StopIteration):
        raise Refused(401, "A JSON web token could not be decoded") from None
    if claims["exp"] - claims["iat"] > 660:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def own_app(call: Call) -> App:
    if call.app is None:
        raise Refused(401, "A JSON web token could not be decoded")
    return call.app


@route("GET", "/app")
def get_app(call: Call) -> Reply:
    return Reply(200, show_app(call, own_app(call)))


@route("GET", "/apps/{app_slug}")
def get_app_by_slug(call: Call) -> Reply:
    app = call.world.apps.get(call.parameters["app_slug"])
    if app is None:
        raise Refused(404, "Not Found")
    return Reply(200, show_app(call, app))


def show_app(call: Call, app: App) -> dict[str, Any]:
    shown = example("integration", call.api, call.web)
    owner = render.user(call, next(iter(app.installations.values()), "octo"))
    page = f"{call.web}/apps/{app.slug}"
    return shown | {
        "id": app.id,
        "slug": app.slug,
        "name": app.slug,
        "owner": owner,
        "html_url": page,
        "permissions": app.permissions,
    }


def show_installation(call: Call, app: App, number: int) -> dict[str, Any]:
    shown = example("installation", call.api, call.web)
    account = render.user(call, app.installations[number])
    api = f"{call.api}/app/installations/{number}/access_tokens"
    mine = {"id": number, "app_id": app.id, "app_slug": app.slug, "account": account, "permissions": app.permissions}
    places = {
        "access_tokens_url": api,
        "repositories_url": f"{call.api}/installation/repositories",
        "target_id": account["id"],
    }
    return shown | mine | places | {"html_url": f"{call.web}/settings/installations/{number}", "suspended_at": None}


@route("GET", "/app/installations")
def list_installations(call: Call) -> Reply:
    app = own_app(call)
    return call.page(app.installations, lambda number: show_installation(call, app, number))


@route("GET", "/app/installations/{installation_id}")
def get_installation(call: Call) -> Reply:
    app, number = own_app(call), int(call.parameters["installation_id"])
    if number not in app.installations:
        raise Refused(404, "Not Found")
    return Reply(200, show_installation(call, app, number))


@route("GET", REPO + "/installation")
def repository_installation(call: Call) -> Reply:
    app, owner = own_app(call), call.parameters["owner"].lower()
    name = f"{owner}/{call.parameters['repo']}"
    repository = call.world.repository(name)
    for number, account in app.installations.items():
        if account.lower() == owner and repository and app.slug in repository.apps:
            return Reply(200, show_installation(call, app, number))
    raise Refused(404, "Not Found")


@route("POST", "/app/installations/{installation_id}/access_tokens")
def make_token(call: Call) -> Reply:
    app, number, body = own_app(call), int(call.parameters["installation_id"]), call.body or {}
    if number not in app.installations:
        raise Refused(404, "Not Found")
    owner = app.installations[number].lower()
    mine = [r for r in call.world.repositories.values() if r.owner.lower() == owner and app.slug in r.apps]
    names = {name.lower() for name in body.get("repositories", [])}
    chosen = [r for r in mine if not names or r.name.lower() in names]
    permissions = body.get("permissions") or dict(app.permissions)
    if names - {r.name.lower() for r in mine}:
        raise Refused(
            422, "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
    if any(LEVELS.index(level) > LEVELS.index(app.permissions.get(area, "")) for area, level in permissions.items()):
        raise Refused(422, "The permissions requested are not granted to this installation.")
    value, expires = "ghs_" + secrets.token_hex(18), call.world.now() + timedelta(hours=1)
    within = frozenset(r.full_name.lower() for r in chosen)
    call.world.tokens[value] = Token(
        value, f"{app.slug}[bot]", {"metadata": "read", **permissions}, within, app.slug, expires
    )
    selection = "selected" if names else "all"
    shown = {
        "token": value,
        "expires_at": render.moment(expires),
        "permissions": permissions,
        "repository_selection": selection,
    }
    return Reply(201, shown | ({"repositories": [render.minimal_repository(call, r) for r in chosen]} if names else {}))


@route("GET", "/installation/repositories")
def installation_repositories(call: Call) -> Reply:
    if not call.token or not call.token.app:
        raise Refused(403, "This endpoint is for installation access tokens.")
    rows = [r for name, r in call.world.repositories.items() if name in (call.token.repositories or ())]
    return call.page(rows, lambda repo: render.minimal_repository(call, repo), "repositories")
