"""What is done about an event that is for the bot: refused with a reaction, or carried out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ay_bot.errors import AyBotError, ExitCode, GithubFailed
from ay_bot.host.action.connection import Connection, Rhythm
from ay_bot.host.action.ending import Ending, out_directory
from ay_bot.host.action.gatekeeper import Gatekeeper
from ay_bot.host.action.request_run import RequestRun
from ay_bot.host.action.small_requests import help_out, stop_requests
from ay_bot.host.event_log import Listener
from ay_bot.host.gate import HINTS, Decision, Outcome
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.host.github.finalize import Finalizing, finalize
from ay_bot.host.github.forge import CommentKind, ThreadKind
from ay_bot.host.github.request import Dispatch, Request, read_request
from ay_bot.host.github.runner_context import RunnerContext
from ay_bot.host.github.tracking_comment import react

_COMMENTS: Mapping[str, CommentKind] = {
    "issue_comment": "comment",
    "pull_request_review_comment": "review_comment",
    "pull_request_review": "review",
}


class Means(NamedTuple):
    """Whom a run tells what happens, and how hard it asks GitHub."""

    listener: Listener
    log: WorkflowLog
    rhythm: Rhythm


def act(context: RunnerContext, payload: object, surroundings: Mapping[str, str], means: Means) -> ExitCode:
    """Decide with GitHub's help, do what is asked for, and return the exit code."""
    with Connection(context, surroundings, means.rhythm) as connection:
        gatekeeper = Gatekeeper(context, payload, connection.forge)
        decision = gatekeeper.decide()
        given = "" if context.inputs.mode == "publish" else context.inputs.bundle  # what is published is only read
        ending = Ending(context, means.log, out_directory(given, context.runner_temp))
        if decision.decision != Outcome.RUN:
            ending.problem(_show_denial(connection, decision))
            why = f"this may not be asked: {decision.reason}"
            return ending.unfinished("denied", why, ExitCode.DENIED, HINTS.get(decision.reason, ""))
        request = _identify(read_request(decision, payload), connection)
        try:
            return _carry_out(request, connection, gatekeeper, means.listener, ending)
        except AyBotError as error:
            return ending.unfinished("error", error.message, error.exit_code, error.hint)


def repair(context: RunnerContext, payload: object, job_status: str, means: Means) -> ExitCode:
    """End the tracking comment that a dead run of this event has left without an end."""
    with Connection(context, {}, means.rhythm) as connection:
        decision = Gatekeeper(context, payload, connection.forge).decide()
        if decision.decision != Outcome.RUN or decision.number is None or context.inputs.mode == "work":
            return ExitCode.HANDLED
        request = read_request(decision, payload)
        this = Finalizing(
            run=context.run,
            run_url=context.run_url,
            key=request.key if isinstance(request, Request) else "",
            job_status=job_status,
            mention=context.inputs.mention,
        )
        try:
            left = finalize(connection.forge(), decision.number, this)
        except GithubFailed as error:
            means.log.annotate("warning", f"what the run left could not be repaired: {error.message}", "ay-bot")
            return error.exit_code
    for tracked in left:
        means.log.annotate(
            "notice", f"comment {tracked.comment.id} said {tracked.state} and now says how the run ended"
        )
    return ExitCode.HANDLED


def _identify(asked: Request | Dispatch, connection: Connection) -> Request | Dispatch:
    """A person who starts the workflow may name a thread: then it is a request on that."""
    if isinstance(asked, Dispatch) and asked.number is not None:
        issue = connection.forge().issue(asked.number)
        return asked.on_thread(issue, datetime.now(UTC), f"{asked.event} {connection.context.run_id}")
    return asked


def _carry_out(
    request: Request | Dispatch, connection: Connection, gatekeeper: Gatekeeper, listener: Listener, ending: Ending
) -> ExitCode:
    if isinstance(request, Dispatch):
        from ay_bot.host.maintenance.run import maintain_on_github

        return maintain_on_github(connection, request, listener, ending)
    if request.verb in ("stop", "help") and not connection.may_write:
        return ending.unfinished("handled", "the job that publishes answers this", ExitCode.HANDLED)
    match request.verb:
        case "stop":
            return stop_requests(connection, request, ending)
        case "help":
            return help_out(connection, request, ending)
        case _:
            return RequestRun(connection, gatekeeper, request, listener, ending).carry_out()


def _show_denial(connection: Connection, decision: Decision) -> str:
    """React to what was asked, unless GitHub was asked twice already: a refusal costs two requests at most."""
    if connection.requests > 1 or decision.number is None:
        return ""
    kind = _COMMENTS.get(decision.event)
    on = (kind, decision.comment) if kind and decision.comment else None
    thread: ThreadKind = "pull_request" if decision.thread == "pull_request" else "issue"
    return react(connection.forge(), thread, decision.number, "-1", on)
