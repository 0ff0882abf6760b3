"""One request on a thread, from the first reaction to the last word: the steps of a run on GitHub, in order."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ay_bot.errors import ExitCode, GithubFailed
from ay_bot.host.action.answering import Answering, after_words
from ay_bot.host.action.bundling import BundlePublisher, given_by
from ay_bot.host.action.connection import Connection
from ay_bot.host.action.ending import Ending
from ay_bot.host.action.forge_publisher import choose_publisher
from ay_bot.host.action.gatekeeper import Gatekeeper
from ay_bot.host.action.keeping import kept_outline
from ay_bot.host.action.looking import look_at_images
from ay_bot.host.action.standpoint import NotDone, Standpoint, take_standpoint
from ay_bot.host.action.unseen import Follower, Unseen
from ay_bot.host.action.workspace import Workspace, open_workspace
from ay_bot.host.event_log import Listener
from ay_bot.host.findings import Order
from ay_bot.host.gate_step import GREETED
from ay_bot.host.gateway_process import Gateway, start_gateway
from ay_bot.host.github.bundle import Bundle, read_bundle
from ay_bot.host.github.finalize import Finalizing, repair_stale
from ay_bot.host.github.forge import Comment
from ay_bot.host.github.pictures import Seen
from ay_bot.host.github.request import Request
from ay_bot.host.github.request_rate import RateLimit, judge_rate, refuse_rate
from ay_bot.host.github.stop import stop_notes
from ay_bot.host.github.task_text import build_task
from ay_bot.host.github.thread_images import told_by
from ay_bot.host.github.tracking import Tracker
from ay_bot.host.github.tracking_comment import react
from ay_bot.host.github.tracking_marker import find_tracked, may_resume
from ay_bot.host.github.tracking_text import Story
from ay_bot.host.local_run import run_locally
from ay_bot.host.policy.boxes import hide_files
from ay_bot.host.publisher import Publisher
from ay_bot.host.report import Result
from ay_bot.host.scratch import open_scratch
from ay_bot.protocol.events import Record
from ay_bot.protocol.outputs import OutputType


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
        if self.connection.may_write:
            on = (request.comment_kind, request.comment) if request.comment_kind and request.comment else None
            if GREETED not in self.connection.surroundings:
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
                handled = refusal.code == ExitCode.HANDLED
                tracker.end("done" if handled else "blocked", refusal.reason, refusal.hint, refusal.url)
                status = "handled" if handled else "blocked"
                return self.ending.unfinished(status, refusal.reason, refusal.code, refusal.hint)
            finally:
                self.ending.problem(*tracker.problems)

    # ------------------------------------------------------------------ the steps

    def _work(self, tracker: Follower, comments: Sequence[Comment]) -> ExitCode:
        connection, request = self.connection, self.request
        bundle = self._read_bundle() if connection.context.inputs.mode == "publish" else None
        with nullcontext() if bundle else start_gateway() as gateway, open_scratch() as scratch:
            stand = take_standpoint(connection, self.gatekeeper, request, comments)
            tracker.hidden(stand.snapshot.hidden, stand.snapshot.left_out)
            tracker.caps(stand.settings.max_cost, stand.settings.max_tokens)
            workspace = open_workspace(connection, stand, scratch, bundle.manifest.base if bundle else "")
            answering = Answering(connection, stand, workspace.diff)
            stops = frozenset(stop_notes(comments, connection.forge().own_login(), request.key))
            publisher = choose_publisher(connection, stand, workspace.destination, stops)
            seen = told_by(bundle.result.notices) if bundle else look_at_images(connection, stand)
            order = self._order(stand, workspace, publisher, answering.offered, seen)
            if bundle:
                order = replace(order, given=given_by(bundle))
            result = self._run(order, tracker, gateway, bundle)
        if isinstance(publisher, BundlePublisher) and self.ending.out:
            publisher.write(self.ending.out / "bundle", result)
        denied = answering.speak(result, tracker.propose) if connection.may_write else ()
        result = after_words(result, denied)
        tracker.blocked(denied)
        self.ending.seen = tracker.finish(result)
        return self.ending.finished(result, stand, denied)

    def _run(self, order: Order, tracker: Follower, gateway: Gateway | None, bundle: Bundle | None) -> Result:
        if bundle and bundle.result.status != "verified":  # nothing is to be published but words
            return bundle.words

        def tell(record: Record) -> None:
            self.listener(record)
            tracker(record)

        return run_locally(order, tell, gateway)[0]

    def _read_bundle(self) -> Bundle:
        context = self.connection.context
        return read_bundle(
            Path(context.inputs.bundle), run=str(context.run_id), key=self.request.key, request=self.request
        )

    def _follow(self, comments: Sequence[Comment]) -> Follower:
        if self.connection.may_write:
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

    def _order(
        self,
        stand: Standpoint,
        workspace: Workspace,
        publisher: Publisher,
        outputs: tuple[OutputType, ...],
        seen: Seen,
    ) -> Order:
        inputs = self.connection.context.inputs
        diff = hide_files(workspace.diff, stand.settings.files)
        return Order(
            repository=workspace.repository,
            task=build_task(stand.request, stand.snapshot, diff=diff, plan=stand.plan, seen=seen),
            overrides=inputs.overrides(),
            api_base=inputs.api_base,
            publisher=publisher,
            out=self.ending.out,
            trusted=stand.trusted,
            mode="change" if self.request.writes_code else "answer",
            outputs=outputs,
            images=seen.images,
            notices=seen.notices,
            secrets=self.connection.secrets,
            kept=kept_outline(self.connection.context, foreign=stand.from_fork),
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
        if decision == "reply" and self.connection.may_write:
            refuse_rate(forge, self.request, now, limit)
        return decision == "run"
