"""What can be made to go wrong, and the log of what was asked."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

How = Literal[
    "bad-gateway-before", "bad-gateway-after", "drop-before", "drop-after", "secondary-403", "secondary-429",
    "secondary-429-bare", "primary", "forbidden", "not-found", "unauthorized", "server-error", "garbage", "slow",
]  # fmt: skip
AFTER = ("bad-gateway-after", "drop-after", "garbage")
"""These let the request take effect."""


@dataclass
class Request:
    """One request as it came in; `status` is None until it is answered, 0 where the answer was thrown away."""

    method: str
    path: str
    query: str
    body: Any
    login: str | None
    status: int | None = None
    route: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        if self.path == "/graphql":
            return "mutation" in str(self.body.get("query") if isinstance(self.body, dict) else "")
        return self.path.endswith("/git-receive-pack") if self.route == "git" else self.method not in ("GET", "HEAD")

    def __str__(self) -> str:
        return f"{self.method} {self.path}{'?' if self.query else ''}{self.query} -> {self.status}"


@dataclass
class Failure:
    """Requests that match are answered wrongly, `times` times, after `skip` of them went well."""

    method: str
    path: re.Pattern[str]
    how: How
    times: int = 1
    skip: int = 0
    seconds: float = 1
    """How slow, or what Retry-After says."""
    do: Callable[[Request], None] | None = None
    """Called before it is answered so."""

    @property
    def stops(self) -> bool:
        """Whether the request has no effect."""
        return self.how not in (*AFTER, "slow")

    def matches(self, request: Request) -> bool:
        methods = ("*", request.method, "WRITE" if request.writes else "")
        if self.times <= 0 or self.method not in methods or not self.path.search(request.path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Hooks:
    """Called in the server's thread around each request: before anything happened, or before it is answered."""

    before: list[Callable[[Request], None]] = field(default_factory=list)
    after: list[Callable[[Request], None]] = field(default_factory=list)


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for installation ID 1."


def refusal(failure: Failure, reset: int) -> tuple[int, dict[str, Any] | str, dict[str, str]] | None:
    """Return status, body and headers of a failure that is an answer; None where it is none."""
    after = {"Retry-After": str(int(failure.seconds))}
    message = {"documentation_url": "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"}
    match failure.how:
        case "bad-gateway-before" | "bad-gateway-after":
            return 502, "<html>502 Bad Gateway</html>", {}
        case "secondary-403":
            return 403, {"message": SECONDARY, **message}, after
        case "secondary-429":
            return 429, {"message": SECONDARY, **message}, after
        case "secondary-429-bare":
            return 429, {"message": SECONDARY, **message}, {}
        case "primary":
            spent = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
            return 403, {"message": PRIMARY, **message}, spent
        case "forbidden":
            return 403, {"message": "Resource not accessible by integration", **message}, {}
        case "not-found":
            return 404, {"message": "Not Found", **message}, {}
        case "unauthorized":
            return 401, {"message": "Bad credentials", **message}, {}
        case "server-error":
            return 500, {"message": "Server Error"}, {}
        case "garbage":
            return 200, "<html>not what you asked for", {}
        case _:
            return None
