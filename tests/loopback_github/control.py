"""The control endpoint of a standalone loopback GitHub: the same calls that tests make, as JSON."""

import json
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.loopback_github.world import World

if TYPE_CHECKING:
    from tests.loopback_github.server import LoopbackGitHub

CALLS = frozenset({
    "add_repository", "fork", "push", "branch", "branches", "file", "commits", "add_user", "add_token", "add_actions_token",
    "add_app", "open_issue", "open_pull", "comment", "review", "review_comment", "edit_comment", "label", "close",
    "edit_thread", "merge", "rename", "delete_repository",
    "add_check_run", "add_status", "add_run", "threads", "pulls", "comments", "payload_for_comment", "payload_for_thread",
    "payload_for_repository", "fail", "lag",
})  # fmt: skip
MOMENTS = ("at", "edited", "expires")


def plain(value: Any) -> Any:
    """Turn what the calls give into JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: plain(inner) for key, inner in asdict(value).items()}
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, Path) or hasattr(value, "pattern") else value


def state(world: World) -> dict[str, Any]:
    return {name: plain(repo) for name, repo in world.repositories.items()}


def answer_control(github: "LoopbackGitHub", path: str, body: bytes) -> tuple[int, Any]:
    """`GET /_control/state`, `GET /_control/log`, `POST /_control {"call": NAME, "arguments": {…}}`."""
    with github.world.lock:
        if path == "/_control/state":
            return 200, state(github.world)
        if path == "/_control/log":
            log = {"requests": [str(r) for r in github.requests], "git": [str(r) for r in github.git_requests]}
            return 200, {**log, "violations": github.violations, "deviations": github.deviations}
        asked = json.loads(body or b"{}")
        name, arguments = asked.get("call"), asked.get("arguments", {})
        if name not in CALLS:
            return 404, {"message": f"there is no call {name}"}
        arguments |= {key: datetime.fromisoformat(arguments[key]) for key in MOMENTS if arguments.get(key)}
        try:
            return 200, plain(getattr(github, name)(**arguments))
        except (TypeError, AssertionError, KeyError) as error:
            return 400, {"message": f"{name}: {error!r}"}
