"""The table of REST routes, and what a route is handed: the call, with its caller's rights."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.loopback_github.world import Account, App, Repository, Token, World

DOCUMENTATION = "https://docs.github.com/rest"
LONG = ("path", "ref", "basehead", "branch")
"""Path parameters that may hold slashes."""


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, message: str, *, errors: Sequence[Any] = (), headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status, self.message, self.errors, self.headers = status, message, list(errors), headers or {}

    def body(self) -> dict[str, Any]:
        errors = {"errors": self.errors} if self.errors else {}
        return {"message": self.message, **errors, "documentation_url": DOCUMENTATION, "status": str(self.status)}


def invalid(resource: str, *, field: str = "", code: str = "custom", message: str = "") -> Refused:
    """Return GitHub's usual 422."""
    named = {"resource": resource, "code": code, **({"field": field} if field else {})}
    return Refused(422, "Validation Failed", errors=[{**named, **({"message": message} if message else {})}])


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    scope: str
    role: str
    call: Callable[["Call"], Reply]
    pattern: re.Pattern[str]


NO_ROUTE = Route("", "", "", "", lambda call: Reply(), re.compile(""))
"""For what is shown outside REST."""
ROUTES: list[Route] = []


def route(method: str, template: str, scope: str = "metadata:read", role: str = "read"):
    """Serve a path of GitHub's description: `scope` is what an App's token needs, `role` what a person needs."""
    named = re.sub(r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{'.+?' if m[1] in LONG else '[^/]+'})", template)

    def keep(call: Callable[["Call"], Reply]) -> Callable[["Call"], Reply]:
        ROUTES.append(Route(method, template, scope, role, call, re.compile(named)))
        return call

    return keep


OLD_STATUSES = re.compile(r"(/repos/[^/]+/[^/]+)/statuses/(.+)")
"""An old address of a list, which GitHub serves still and PyGithub uses."""


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a path, and its parameters."""
    if method == "GET":
        path = OLD_STATUSES.sub(r"\1/commits/\2/statuses", path)
    matches = [(r, m.groupdict()) for r in ROUTES if r.method == method and (m := r.pattern.fullmatch(path))]
    return max(matches, key=lambda match: len(re.sub(r"\{\w+\}", "", match[0].template)), default=None)


@dataclass
class Call:
    """One request, with everything that a route needs to answer it. `api` and `web` are the addresses it came by."""

    world: World
    route: Route
    parameters: dict[str, str]
    query: dict[str, str]
    body: Any
    api: str
    web: str
    path: str
    token: Token | None = None
    app: App | None = None

    @property
    def login(self) -> str | None:
        return self.token.login if self.token else None

    @property
    def actor(self) -> Account:
        if not self.token:
            raise Refused(401, "Requires authentication")
        return self.world.account(self.token.login)

    @property
    def repo(self) -> Repository:
        """Return the repository of the path, which the caller may see and use as this route does."""
        name = f"{self.parameters['owner']}/{self.parameters['repo']}"
        found = self.world.repository(name)
        if moved := self.world.renamed.get(name.lower()):
            place = self.path.replace(f"/repos/{name}", f"/repos/{moved}", 1)
            raise Refused(301, "Moved Permanently", headers={"Location": self.api + place})
        if found is None or not self.sees(found):
            raise Refused(404, "Not Found")
        self.demand(found, self.route.scope, self.route.role)
        return found

    def sees(self, repository: Repository) -> bool:
        if self.token and self.token.repositories is not None:
            return not repository.private or repository.full_name.lower() in self.token.repositories
        return self.world.role(repository, self.login) != "none"

    def may(self, repository: Repository, scope: str, role: str) -> bool:
        area, _, level = scope.partition(":")
        if not self.token:
            return level == "read" and not repository.private
        if self.token.permissions is not None:
            within = self.token.repositories is None or repository.full_name.lower() in self.token.repositories
            given = self._given(repository, area) if within else ""
            enough = given == "write" or (level == "read" and (given == "read" or not repository.private))
            if area == "metadata":
                enough = True
            if not enough or self.token.app:
                return enough
        return self.world.reaches(repository, self.login, role)

    def _given(self, repository: Repository, area: str) -> str:
        """Return the level of a token's permission; on a pull request its own permission serves as that of issues."""
        assert self.token
        granted = self.token.permissions or {}
        levels = {granted.get(area, "")}
        if area == "issues" and self._on_pull(repository):
            levels.add(granted.get("pull_requests", ""))
        return max(levels, key=["", "read", "write", "admin"].index)

    def _on_pull(self, repository: Repository) -> bool:
        number = self.parameters.get("issue_number", "")
        if comment := repository.comments.get(int(self.parameters.get("comment_id", "0"))):
            number = str(comment.number)
        thread = repository.threads.get(int(number)) if number.isdigit() else None
        return thread is not None and thread.kind == "pull_request"

    def demand(self, repository: Repository, scope: str, role: str) -> None:
        """Raise what GitHub answers to a caller who lacks a permission."""
        if self.may(repository, scope, role):
            return
        if not self.token:
            raise Refused(401, "Requires authentication")
        wanted = {"X-Accepted-GitHub-Permissions": scope.replace(":", "=")}
        if self.token.app:
            raise Refused(403, "Resource not accessible by integration", headers=wanted)
        if self.token.permissions is not None:
            raise Refused(403, "Resource not accessible by personal access token", headers=wanted)
        raise Refused(404 if repository.private else 403, "Must have push access to repository.")

    def page(self, items: Iterable[Any], show: Callable[[Any], Any], key: str = "") -> Reply:
        """Return one page with its Link header; `key` wraps it with a count."""
        rows = list(items)
        size = min(int(self.query.get("per_page", "30") or 30), 100)
        number = max(int(self.query.get("page", "1") or 1), 1)
        last = max(-(-len(rows) // size), 1)
        shown = [show(row) for row in rows[(number - 1) * size : number * size]]
        links = [("prev", number - 1)] * (number > 1) + [("next", number + 1), ("last", last)] * (number < last)
        links += [("first", 1)] * (number > 1)
        link = ", ".join(f'<{self._address(page)}>; rel="{name}"' for name, page in links)
        body = {"total_count": len(rows), key: shown} if key else shown
        return Reply(200, body, {"Link": link} if link else {})

    def _address(self, page: int) -> str:
        return f"{self.api}{self.path}?{urlencode({**self.query, 'page': page})}"

    def listed(self, rows: Iterable[Any]) -> list[Any]:
        """Leave out what isn't listed yet: GitHub's lists lag behind its writes."""
        found = []
        for row in rows:
            if row.unlisted > 0:
                row.unlisted -= 1
            else:
                found.append(row)
        return found
