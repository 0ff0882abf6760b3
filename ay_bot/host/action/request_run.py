"""One request on a thread, from the first reaction to the last word: the steps of a run on GitHub, in order."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ay_bot.errors import ExitCode, GithubFailed, UsageError
from ay_bot.host.action.answering import Answering
from ay_bot.host.action.bundling import BundlePublisher, given_by
from ay_bot.host.action.connection import Connection
from ay_bot.host.action.ending import Ending
from ay_bot.host.action.forge_publisher import ForgePublisher
from ay_bot.host.action.gatekeeper import Gatekeeper
from ay_bot.host.action.unseen import Follower, Unseen
from ay_bot.host.action.workspace import Workspace, open_workspace
from ay_bot.host.config import CONFIG_FILE, Settings
from ay_bot.host.event_log import Listener
from ay_bot.host.findings import Order
from ay_bot.host.gate import Outcome
from ay_bot.host.gateway_process import Gateway, start_gateway
from ay_bot.host.github.bundle import read_bundle
from ay_bot.host.github.earlier import find_earlier
from ay_bot.host.github.finalize import Finalizing, repair_stale
from ay_bot.host.github.forge import Comment, RepositoryFacts
from ay_bot.host.github.plan import PlanRefused, approve
from ay_bot.host.github.publication import NotPublished, Published, occasion_of
from ay_bot.host.github.publish import GithubPublisher
from ay_bot.host.github.request import Request
from ay_bot.host.github.request_rate import RateLimit, judge_rate, refuse_rate
from ay_bot.host.github.snapshot import take_snapshot
from ay_bot.host.github.stop import stop_notes, was_stopped
from ay_bot.host.github.task_text import build_task
from ay_bot.host.github.thread import Snapshot
from ay_bot.host.github.tracking import Tracker
from ay_bot.host.github.tracking_comment import react
from ay_bot.host.github.tracking_marker import find_tracked, may_resume
from ay_bot.host.github.tracking_text import Story
from ay_bot.host.local_run import run_locally
from ay_bot.host.publisher import DryRun, Publisher
from ay_bot.host.report import Result
from ay_bot.host.scratch import open_scratch
from ay_bot.host.settings_file import load_settings
from ay_bot.host.task import Task
from ay_bot.protocol.events import Record


class NotDone(Exception):
    """The request is not carried out, which is nobody's fault: why, what to do, and the exit code."""

    def __init__(self, reason: str, hint: str = "", code: ExitCode = ExitCode.HANDLED) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.code = reason, hint, code


@dataclass(frozen=True)
class RequestRun:
    """A request that the gate let through, and all that its run works with."""

    connection: Connection
    gatekeeper: Gatekeeper
    request: Request
    listener: Listener
    ending: Ending

    def carry_out(self) -> ExitCode:
        """Do what is asked for and return the exit code; people on the thread see how it went."""
        request, forge = self.request, self.connection.forge()
        comments = forge.comments(request.number)
        if self._may_write:
            on = (request.comment_kind, request.comment) if request.comment_kind and request.comment else None
            self.ending.problem(react(forge, request.thread, request.number, "eyes", on))
            self._repair(comments)
        if not self._is_within_rate(comments):
            return self.ending.unfinished("denied", "this person asks too often on this thread", ExitCode.DENIED)
        with self._follow(comments) as tracker:
            if tracker.settled:
                return self.ending.unfinished("handled", "this request was carried out before", ExitCode.HANDLED)
            try:
                return self._work(tracker, comments)
            except NotDone as refusal:
                tracker.end("done" if refusal.code == ExitCode.HANDLED else "blocked", refusal.reason, refusal.hint)
                return self.ending.unfinished("blocked", refusal.reason, refusal.code, refusal.hint)
            finally:
                self.ending.problem(*tracker.problems)

    # ------------------------------------------------------------------ the steps

    def _work(self, tracker: Follower, comments: Sequence[Comment]) -> ExitCode:
        request, forge, mode = self.request, self.connection.forge(), self.connection.context.inputs.mode
        with nullcontext() if mode == "publish" else start_gateway() as gateway, open_scratch() as scratch:
            facts = forge.facts()
            snapshot = take_snapshot(request, forge, facts, comments)
            tracker.hidden(snapshot.hidden, snapshot.left_out)
            settings = self._settle(snapshot)
            tracker.caps(settings.max_cost, settings.max_tokens)
            plan = self._approved_plan(comments)
            self._look_for_earlier(settings)
            workspace = open_workspace(self.connection, request, snapshot, facts, settings, scratch)
            task = build_task(request, snapshot, diff=workspace.diff, plan=plan)
            answering = Answering(self.connection, request, snapshot, settings, workspace.diff)
            known = frozenset(stop_notes(comments, forge.own_login(), request.key))
            publisher = self._publisher(settings, facts, workspace, known)
            order = self._order(task, snapshot, workspace, publisher, answering)
            result = self._run(order, tracker, gateway)
        if isinstance(publisher, BundlePublisher) and self.ending.out:
            publisher.write(self.ending.out / "bundle", result)
        return self._end(tracker, result, answering, settings, snapshot)

    def _run(self, order: Order, tracker: Follower, gateway: Gateway | None) -> Result:
        def tell(record: Record) -> None:
            self.listener(record)
            tracker(record)

        if gateway:
            return run_locally(order, tell, gateway)[0]
        context = self.connection.context
        bundle = read_bundle(
            Path(context.inputs.bundle), run=str(context.run_id), key=self.request.key, request=self.request
        )
        if bundle.result.status != "verified":  # nothing is to be published but words
            return bundle.result
        return run_locally(replace(order, given=given_by(bundle)), tell, None)[0]

    def _end(
        self, tracker: Follower, result: Result, answering: Answering, settings: Settings, snapshot: Snapshot
    ) -> ExitCode:
        denied = answering.speak(result, tracker.propose) if self._may_write else ()
        tracker.blocked(denied)
        self.ending.seen = tracker.finish(result)
        return self.ending.finished(result, self.request, settings, snapshot.hidden, denied)

    @property
    def _may_write(self) -> bool:
        return self.connection.context.inputs.mode != "work"

    def _follow(self, comments: Sequence[Comment]) -> Follower:
        if self._may_write:
            connection, number = self.connection, self.request.number
            return Tracker(connection.progress(), number, self._story(), pace=connection.rhythm.edits)
        run, own = self.connection.context.run, self.connection.forge().own_login()
        before = [each for each in find_tracked(comments, own) if each.key == self.request.key]
        return Unseen(settled=any(not may_resume(each, run) for each in before))

    def _story(self) -> Story:
        context, request = self.connection.context, self.request
        return Story(
            key=request.key,
            run=context.run,
            run_url=context.run_url,
            requester=request.requester,
            verb=request.verb or "",
            mention=context.inputs.mention,
        )

    def _settle(self, snapshot: Snapshot) -> Settings:
        """Return the base commit's settings, by which the requester is judged again."""
        file = self.connection.forge().file(CONFIG_FILE, snapshot.base)
        inputs = self.connection.context.inputs
        settings = load_settings(file, inputs.overrides(), needs_model=inputs.mode != "publish")
        decision = self.gatekeeper.decide(settings)
        if decision.decision != Outcome.RUN:
            hint = f"see `who`, `bots` and `outputs` in {CONFIG_FILE}"
            raise NotDone(f"the repository's settings don't allow it: {decision.reason}", hint, ExitCode.DENIED)
        return settings

    def _approved_plan(self, comments: Sequence[Comment]) -> str:
        if self.request.verb != "approve":
            return ""
        forge = self.connection.forge()
        found = approve(self.request.instruction, comments, forge.own_login(), self.request.made)
        if isinstance(found, PlanRefused):
            raise NotDone(f"the approval counts for nothing: {found.reason}", found.hint, ExitCode.DENIED)
        return found.text

    def _look_for_earlier(self, settings: Settings) -> None:
        if not self.request.writes_code or not self._may_write:
            return
        run_url = self.connection.context.run_url
        earlier = find_earlier(self.request, self.connection.publishing(), settings.publishing, run_url=run_url)
        match earlier:
            case Published():
                raise NotDone(f"an earlier run for this request has published it: {earlier.url}")
            case NotPublished():
                raise NotDone(earlier.reason, earlier.hint, ExitCode.GITHUB_FAILED)
            case None:
                return

    def _publisher(
        self, settings: Settings, facts: RepositoryFacts, workspace: Workspace, known: frozenset[int]
    ) -> Publisher:
        if not self.request.writes_code and self._may_write:
            return DryRun()
        connection, request = self.connection, self.request
        target = workspace.destination
        if not self._may_write:
            return BundlePublisher(str(connection.context.run_id), request, target.base, target.base_branch)
        publisher = GithubPublisher(
            connection.publishing(),
            connection.remote(facts.clone_url),
            occasion_of(request, run_url=connection.context.run_url, close_issue=settings.publishing.close_issue),
            target,
            settings.publishing,
            starts_ci=connection.starts_ci,
        )
        return ForgePublisher(publisher, lambda: was_stopped(connection.forge(), request.number, request.key, known))

    def _order(
        self, task: Task, snapshot: Snapshot, workspace: Workspace, publisher: Publisher, answering: Answering
    ) -> Order:
        inputs = self.connection.context.inputs
        return Order(
            repository=workspace.repository,
            task=task,
            overrides=inputs.overrides(),
            api_base=inputs.api_base,
            publisher=publisher,
            out=self.ending.out,
            trusted=snapshot.base,
            mode="change" if self.request.writes_code else "answer",
            outputs=answering.offered,
        )

    # ------------------------------------------------------------------ before the work

    def _repair(self, comments: Sequence[Comment]) -> None:
        context = self.connection.context
        this = Finalizing(
            run=context.run, run_url=context.run_url, key=self.request.key, mention=context.inputs.mention
        )
        try:
            repair_stale(self.connection.forge(), comments, this, has_ended=lambda _run: None, now=datetime.now(UTC))
        except GithubFailed as error:
            self.ending.problem(f"what a dead run left could not be repaired: {error.message}")

    def _is_within_rate(self, comments: Sequence[Comment]) -> bool:
        forge, now, limit = self.connection.forge(), datetime.now(UTC), RateLimit()
        decision = judge_rate(comments, forge.own_login(), self.request, now, limit)
        if decision == "reply" and self._may_write:
            refuse_rate(forge, self.request, now, limit)
        return decision == "run"


def out_directory(given: str, temporary: Path | None) -> Path | None:
    """Return where the files of a run go: where the workflow says, else into the runner's temporary directory."""
    if given:
        path = Path(given)
        if not path.is_absolute() and temporary is None:
            raise UsageError("the input `bundle` is no absolute path", hint="give one below ${{ runner.temp }}")
        return path
    return temporary / "ay-bot" if temporary else None
