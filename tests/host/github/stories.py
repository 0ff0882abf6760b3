"""Stories and comments for tests of what people see, and the loopback GitHub as its people and its bot know it."""

from datetime import UTC, datetime
from typing import Any

from ay_bot.host.github.api import open_forge
from ay_bot.host.github.api_request import Pace as Wire
from ay_bot.host.github.credentials import Token
from ay_bot.host.github.forge import Comment, Forge, Person
from ay_bot.host.github.tracking_marker import Tracked, find_tracked
from ay_bot.host.github.tracking_text import Story
from ay_bot.host.report import Result, TestRow, Verification
from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.events import Record
from tests.loopback_github.server import LoopbackGitHub

OWN = "github-actions[bot]"
KEY = "0123456789ab"
NOON = datetime(2026, 8, 17, 12, 0, 0, tzinfo=UTC)
PROOF = Verification(
    command="pytest -q",
    image="ay-bot:1",
    tests=(
        TestRow(id="test_spoon.py::test_a|b", base="failed", candidate="passed", verdict="fixed"),
        TestRow(id="test_spoon.py::test_c", base="passed", candidate="passed", verdict="unchanged"),
    ),
    counts={"fixed": 1, "unchanged": 1},
)


def make_story(**changed: Any) -> Story:
    fields = {"key": KEY, "run": "4711.1", "run_url": "https://github.com/o/r/actions/runs/4711", "requester": "alice"}
    return Story(**{**fields, **changed})


def make_result(**changed: Any) -> Result:
    fields: dict[str, Any] = {
        "status": "verified",
        "reason": "the tests prove it",
        "exit_code": 0,
        "version": "1",
        "run": "r",
        "verification": PROOF,
        "usage": Usage(requests=3, prompt_tokens=1000, completion_tokens=200, cost_usd=0.41),
        "url": "https://github.com/o/r/pull/12",
        "branch": "ay/7-fix-0123456789ab",
        "timings": {"session": 12.0, "total": 182.0},
    }
    return Result(**{**fields, **changed})


def told(event: Any, source: str = "host") -> Record:
    return Record.model_validate({"seq": 1, "time": "", "run": "r", "source": source, "event": event})


def said(body: str, author: str = OWN, number: int = 1, **more: Any) -> Comment:
    fields: dict[str, Any] = {"id": number, "kind": "comment", "body": body, "created": NOON}
    return Comment(**{**fields, "author": Person(login=author, bot=author.endswith("[bot]")), **more})


def quick_forge(server: LoopbackGitHub, token: str = "") -> Forge:
    token = token or server.add_actions_token()
    wire = Wire(between_writes=0, attempts=2, backoff=0.01, limit_wait=0.01)
    return open_forge("octo/spoon", Token.of(token), api_url=server.api_url, graphql_url=server.graphql_url, pace=wire)


def seeded(server: LoopbackGitHub) -> int:
    """Make a repository with an issue and return the issue's number."""
    server.add_repository("octo/spoon")
    server.add_user("alice", "write")
    return server.open_issue("It is broken").number


def tracked_on(server: LoopbackGitHub, number: int) -> tuple[Tracked, ...]:
    """Return the tracking comments that are on a thread, as anybody can see them."""
    comments = [said(c.body, c.login, c.id) for c in server.repository().comments.values() if c.number == number]
    return find_tracked(comments, OWN)
