"""From where a request is worked on: its thread and commits, the settings that count, and whether it is still to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from ay_bot.errors import ExitCode, GithubFailed
from ay_bot.host.action.connection import Connection
from ay_bot.host.action.gatekeeper import Gatekeeper
from ay_bot.host.config import CONFIG_FILE, Publishing, Settings
from ay_bot.host.gate import Outcome
from ay_bot.host.github.earlier import find_earlier
from ay_bot.host.github.forge import Comment, RepositoryFacts
from ay_bot.host.github.plan import PlanRefused, approve
from ay_bot.host.github.publication import NotPublished, Published
from ay_bot.host.github.request import Request
from ay_bot.host.github.snapshot import take_snapshot
from ay_bot.host.github.thread import Snapshot
from ay_bot.host.settings_file import load_settings


class NotDone(Exception):
    """The request is not carried out, which is nobody's fault: why, what to do, and the exit code."""

    def __init__(self, reason: str, hint: str = "", code: ExitCode = ExitCode.HANDLED, *, url: str = "") -> None:
        super().__init__(reason)
        self.reason, self.hint, self.code, self.url = reason, hint, code, url


@dataclass(frozen=True)
class Standpoint:
    """Everything about a request that doesn't change while it is worked on.

    `trusted` is the commit whose settings and instructions count; `plan` the text that was approved, if that was.
    """

    request: Request
    facts: RepositoryFacts
    snapshot: Snapshot
    trusted: str
    settings: Settings
    plan: str = ""

    @property
    def from_fork(self) -> bool:
        """Whether the commits that are worked on are another repository's, or one's that is gone."""
        ours = self.snapshot.head_repository.lower() == self.facts.full_name.lower()
        return self.snapshot.thread == "pull_request" and not ours


def take_standpoint(
    connection: Connection, gatekeeper: Gatekeeper, request: Request, comments: Sequence[Comment]
) -> Standpoint:
    """Look at the thread and the repository. Raises NotDone where the request may not be, or is done."""
    if request.verb == "rebase" and request.thread == "issue":
        hint = "say `@ay rebase` on the pull request whose branch is meant"
        raise NotDone("an issue has no branch that I could go on from", hint, ExitCode.NO_CHANGE)
    forge = connection.forge()
    looks = request.writes_code and connection.may_write
    if looks and request.thread == "pull_request":  # our own commit there would make its head a later one
        _look_for_earlier(connection, request, Publishing())
    facts = forge.facts()
    snapshot = take_snapshot(request, forge, facts, comments)
    trusted = _find_trusted(connection, facts, snapshot)
    settings = _settle(connection, gatekeeper, trusted)
    plan = _find_plan(connection, request, comments) if request.verb == "approve" else ""
    if looks and request.thread == "issue":
        _look_for_earlier(connection, request, settings.publishing)
    return Standpoint(request, facts, snapshot, trusted, settings, plan)


def _find_trusted(connection: Connection, facts: RepositoryFacts, snapshot: Snapshot) -> str:
    """Return the default branch's commit: whoever opens a pull request chooses its base, an old one even."""
    if snapshot.thread == "issue":
        return snapshot.base
    trusted = connection.forge().branch(facts.default_branch)
    if not trusted:
        msg = f"the default branch `{facts.default_branch}` has no commit"
        raise GithubFailed(msg, hint="push a first commit, then ask again")
    return trusted


def _settle(connection: Connection, gatekeeper: Gatekeeper, trusted: str) -> Settings:
    """Return the settings of the trusted commit, by which everybody involved is judged again."""
    inputs = connection.context.inputs
    file = connection.forge().file(CONFIG_FILE, trusted)
    settings = load_settings(file, inputs.overrides(), needs_model=inputs.mode != "publish")
    decision = gatekeeper.decide(settings)
    if decision.decision != Outcome.RUN:
        hint = f"see `who`, `bots` and `outputs` in {CONFIG_FILE}"
        raise NotDone(f"the repository's settings don't allow it: {decision.reason}", hint, ExitCode.DENIED)
    return settings


def _find_plan(connection: Connection, request: Request, comments: Sequence[Comment]) -> str:
    found = approve(request.instruction, comments, connection.forge().own_login(), request.made)
    if isinstance(found, PlanRefused):
        raise NotDone(f"the approval counts for nothing: {found.reason}", found.hint, ExitCode.DENIED)
    return found.text


def _look_for_earlier(connection: Connection, request: Request, settings: Publishing) -> None:
    run_url = connection.context.run_url
    match find_earlier(request, connection.publishing(), settings, run_url=run_url):
        case Published(url=url):
            raise NotDone("an earlier run for this request has published it", url=url)
        case NotPublished(reason=reason, hint=hint):
            raise NotDone(reason, hint, ExitCode.GITHUB_FAILED)
        case None:
            return
