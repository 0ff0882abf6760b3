"""What a run was asked and what it has found out so far, so that nothing is lost however it ends."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from ay_bot import __version__
from ay_bot.errors import ExitCode
from ay_bot.host.config import Overrides
from ay_bot.host.egress.attempts import Attempts
from ay_bot.host.event_log import EventLog
from ay_bot.host.outline_cache import Kept
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.publisher import DryRun, Publisher
from ay_bot.host.redact.canaries import Canaries, plant
from ay_bot.host.report import PullRequest, Result, Status, Verification, Withheld
from ay_bot.host.sandbox.guarantees import Weakness
from ay_bot.host.task import Task
from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.messages import Finished, Image, Review, WorkMode
from ay_bot.protocol.outputs import Output, OutputType


@dataclass(frozen=True)
class Given:
    """An agent's work that was done elsewhere, all of it hostile data: its tree, and what it says of it."""

    finished: Finished
    body: bytes
    message: str
    """What the commit message may say."""


NOTHING = Given(Finished(reason="finished"), b"", "")
"""No work at all."""


@dataclass(frozen=True)
class Order:
    """One request. `out` is where the files go.

    `trusted` is the commit whose settings and instructions count, None for the one that is worked on: a pull
    request's head is its author's. In the mode `answer` nothing is changed, and the agent's words are the result.
    """

    repository: Path
    task: Task
    overrides: Overrides
    api_base: str | None = None
    publisher: Publisher = field(default_factory=DryRun)
    out: Path | None = None
    trusted: str | None = None
    mode: WorkMode = "change"
    given: Given | None = None
    """Work that is only to be proven and published; no model is asked then."""
    outputs: tuple[OutputType, ...] = ()
    images: tuple[Image, ...] = field(default=(), repr=False)
    """The pictures of the task; a box only hears of them."""
    notices: tuple[str, ...] = ()
    """What people are to be told from the start."""
    policy: PathPolicy = field(default_factory=PathPolicy)
    """What the change may amount to."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must be in nothing that is written or published, beside the keys of the model."""
    canaries: Canaries = field(default_factory=plant, repr=False)
    kept: Kept | None = None
    """The outline's cache, where it is another one than the user's."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: Status
    reason: str
    exit_code: ExitCode


@dataclass
class Findings:
    """The facts of one run, filled in as they become known."""

    order: Order
    log: EventLog
    started: float = field(default_factory=time.monotonic)
    repository: str = ""
    policy: PathPolicy = field(default_factory=PathPolicy)
    base: str = ""
    tree: str = ""
    model: str = ""
    sandbox: str = ""
    weaknesses: tuple[Weakness, ...] = ()
    summary: str = ""
    commit: str = ""
    branch: str = ""
    url: str = ""
    outputs: tuple[Output, ...] = ()
    commit_message: str = ""
    rounds: int = 0
    diff: bytes = b""
    usage: Usage = field(default_factory=Usage)
    pull_request: PullRequest | None = None
    verification: Verification | None = None
    withheld: tuple[Withheld, ...] = ()
    review: tuple[str, ...] = ()
    objections: Review | None = None
    """What the reviewer in the box said of the change, which nobody has to believe."""
    strict: bool = False
    notices: list[str] = field(default_factory=list)
    attempts: Attempts | None = None

    def notice(self, text: str) -> None:
        """Tell people something now, and keep it for the result."""
        self.notices.append(text)
        self.log.notice(text)

    def result(self, outcome: Outcome) -> Result:
        """Return the result of the run that ended so."""
        timings = {**self.log.timings, "total": round(time.monotonic() - self.started, 3)}
        return Result(
            status=outcome.status,
            reason=outcome.reason,
            exit_code=outcome.exit_code,
            version=__version__,
            run=self.log.run,
            repository=self.repository,
            base=self.base,
            tree=self.tree,
            branch=self.branch,
            commit=self.commit,
            task=self.order.task.title,
            model=self.model,
            sandbox=self.sandbox,
            weaknesses=self.weaknesses,
            summary=self.summary,
            rounds=self.rounds,
            commit_message=self.commit_message,
            pull_request=self.pull_request,
            url=self.url,
            outputs=self.outputs,
            verification=self.verification,
            withheld=self.withheld,
            review=self.review,
            notices=(*self.notices, *(self.attempts.notices() if self.attempts else ())),
            usage=self.usage,
            timings=timings,
        )
