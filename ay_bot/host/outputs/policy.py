"""What outputs are judged by: the repository's rules and the facts of one run."""

from typing import get_args

from pydantic import Field

from ay_bot.host.config import Settings
from ay_bot.host.github.forge import ThreadKind
from ay_bot.host.permissions import ANYBODY, WRITE_OUTPUTS
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import WorkMode
from ay_bot.protocol.outputs import MOST_OF_EACH, OutputType


class OutputPolicy(Value):
    """The rules: what is not allowed here is denied.

    `most` is the limit of each type, 0 where it is missing; `labels` are patterns as of a shell. Without `may_write`
    nothing passes but what is harmless in the hands of anybody. `closes` is whether words may close the issue of the
    request.
    """

    allowed: frozenset[OutputType]
    most: dict[OutputType, int] = MOST_OF_EACH
    domains: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    may_write: bool = True
    closes: bool = True
    max_open_pull_requests: int = 10


class OutputContext(Value):
    """The facts: `thread` is 0 where there is none, and `requester` is empty then, as in scheduled maintenance.

    `own_pull_requests` are the open ones that the bot made, `review_comments` the line comments of the thread, and
    `diff_lines` the lines of each file that a remark can stand on: the new side of the thread's diff. `verified` is
    the verdict on the change, None where there is no change. `secrets` are values that must not leave in any form.
    """

    repository: str
    thread: int = 0
    kind: ThreadKind | None = None
    requester: str = ""
    run_url: str
    server: str = "github.com"
    own_pull_requests: frozenset[int] = frozenset()
    review_comments: frozenset[int] = frozenset()
    diff_lines: dict[str, frozenset[int]] = {}
    verified: bool | None = None
    secrets: tuple[str, ...] = Field(default=(), repr=False)


def build_policy(settings: Settings, *, may_write: bool) -> OutputPolicy:
    """Return a repository's rules for one requester; anybody (`who: "*"`) never gets an output that writes."""
    return OutputPolicy(
        allowed=frozenset(settings.outputs),
        most={**MOST_OF_EACH, **settings.output_limits},
        domains=settings.domains,
        labels=settings.allowed_labels,
        may_write=may_write and settings.who != ANYBODY,
        closes=settings.publishing.close_issue,
        max_open_pull_requests=settings.publishing.max_open_pull_requests,
    )


def offered(policy: OutputPolicy, context: OutputContext, mode: WorkMode = "change") -> tuple[OutputType, ...]:
    """Return the types that an agent is told of (`Work.outputs`): what is allowed and can make sense in this run."""
    allowed = [
        name
        for name in get_args(OutputType)
        if name in policy.allowed and policy.most.get(name) and (policy.may_write or name not in WRITE_OUTPUTS)
    ]
    return tuple(name for name in allowed if name not in _senseless(context, mode))


def _senseless(context: OutputContext, mode: WorkMode) -> frozenset[OutputType]:
    """Return the types that would always be denied, or that need what this run doesn't make."""
    without: dict[OutputType, bool] = {
        "reply": context.kind == "pull_request",
        "review": context.kind == "pull_request",
        "update_pull_request": bool(context.own_pull_requests),
        "close_own_pull_request": bool(context.own_pull_requests),
        "create_pull_request": mode == "change",
        "push_to_own_branch": mode == "change" and (bool(context.own_pull_requests) or context.kind == "pull_request"),
    }
    return frozenset(name for name, sensible in without.items() if not sensible)
