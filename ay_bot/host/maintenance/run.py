"""`ay-bot maintain` and the scheduled events of the Action: which chores are done now, one after the other."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ay_bot.errors import AyBotError, ExitCode, UsageError
from ay_bot.host.action.connection import Connection, Rhythm
from ay_bot.host.action.ending import Ending, out_directory
from ay_bot.host.action.gatekeeper import Gatekeeper
from ay_bot.host.config import CONFIG_FILE, Chore, Settings
from ay_bot.host.environment import forget
from ay_bot.host.event_log import Listener
from ay_bot.host.gate import Decision, Outcome
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.host.github.request import Dispatch
from ay_bot.host.github.runner_context import names_to_forget, parse_runner_context
from ay_bot.host.maintenance.chore_run import ChoreRun, LeftOut, Stopped
from ay_bot.host.maintenance.dashboard import Dashboard, open_dashboard, read_dashboard
from ay_bot.host.maintenance.due import identify, is_due
from ay_bot.host.maintenance.ground import SHORTEST, Ground
from ay_bot.host.maintenance.handover import Handover
from ay_bot.host.maintenance.telling import Told, list_ends, tell
from ay_bot.host.scratch import open_scratch
from ay_bot.host.settings_file import load_settings

_BY_HAND: Mapping[str, str] = {
    "GITHUB_EVENT_NAME": "workflow_dispatch",
    "GITHUB_EVENT_PATH": os.devnull,
    "GITHUB_RUN_ID": "1",
}
"""What the runner would say, where there is none."""


@dataclass(frozen=True)
class Choice:
    """Which chores: those that are named, else those that are due, else all."""

    names: tuple[str, ...] = ()
    due: bool = True

    def check(self, chores: Sequence[Chore]) -> None:
        """Raise UsageError if there is no chore of a name."""
        known = [chore.name for chore in chores]
        if unknown := [name for name in self.names if name not in known]:
            hint = f"the chores in {CONFIG_FILE} are: {', '.join(known)}" if known else f"add it to {CONFIG_FILE}"
            raise UsageError(f"there is no chore `{unknown[0]}`", hint=hint)

    def takes(self, chore: Chore, *, due: bool, ticked: bool) -> bool:
        """Whether a chore is done now."""
        if self.names and chore.name not in self.names:
            return False
        return due or ticked or not self.due


def maintain(
    environment: Mapping[str, str],
    listener: Listener,
    log: WorkflowLog,
    *,
    chore: str | None,
    due: bool,
    rhythm: Rhythm | None = None,
) -> ExitCode:
    """Do the chores that are asked for: one by its name, those that are due, or all of them."""
    by_hand = {name: value for name, value in _BY_HAND.items() if not environment.get(name, "").strip()}
    context = parse_runner_context({**environment, **by_hand})
    forget(names_to_forget(environment))
    out = out_directory(context.inputs.bundle, context.runner_temp)
    ending = Ending(context, log, out)
    choice = Choice((chore,) if chore else (), due)
    with Connection(context, environment, rhythm or Rhythm()) as connection:
        run_url = "" if "GITHUB_RUN_ID" in by_hand else context.run_url
        start = _Start(run_url, say=lambda text: log.annotate("notice", text, "ay-bot"))
        try:
            return _maintain(connection, choice, listener, ending, start)
        except AyBotError as error:
            return ending.unfinished("error", error.message, error.exit_code, error.hint)


def maintain_on_github(connection: Connection, request: Dispatch, listener: Listener, ending: Ending) -> ExitCode:
    """Do the chores that are due, or that a person who started the workflow names in `instruction`."""
    by_person = request.event != "schedule"
    names = tuple(re.findall(r"[a-z0-9][a-z0-9-]*", request.instruction.lower())) if by_person else ()
    gatekeeper = Gatekeeper(connection.context, connection.context.read_event(), connection.forge)
    start = _Start(connection.context.run_url, request.requester if by_person else "", gatekeeper.decide)
    return _maintain(connection, Choice(names, due=not names), listener, ending, start)


def _admit_all(settings: Settings) -> Decision | None:
    """Whoever has the token is judged by GitHub alone."""


def _say_nothing(text: str) -> None:
    """Leave it to the summary of the job."""


@dataclass(frozen=True)
class _Start:
    run_url: str
    requester: str = ""
    admit: Callable[[Settings], Decision | None] = _admit_all
    say: Callable[[str], None] = _say_nothing


def _maintain(connection: Connection, choice: Choice, listener: Listener, ending: Ending, start: _Start) -> ExitCode:
    forge, mode = connection.forge(), connection.context.inputs.mode
    facts = forge.facts()
    head = forge.branch(facts.default_branch)
    if head is None:
        return ending.unfinished("handled", "the repository is empty", ExitCode.HANDLED)
    settings = load_settings(forge.file(CONFIG_FILE, head), connection.context.inputs.overrides(), needs_model=False)
    decision = start.admit(settings)
    if decision and decision.decision != Outcome.RUN:
        reason = f"the repository's settings don't allow it: {decision.reason}"
        return ending.unfinished("denied", reason, ExitCode.DENIED, f"see `who` and `bots` in {CONFIG_FILE}")
    choice.check(settings.maintenance)
    if not settings.maintenance:
        start.say(f"there is no `maintenance` in {CONFIG_FILE} of {facts.default_branch}")
        return ending.unfinished("handled", f"there is no `maintenance` in {CONFIG_FILE}", ExitCode.HANDLED)
    if not settings.main_model and mode != "publish":
        load_settings(None, connection.context.inputs.overrides())
    handover = _hand_over(connection, ending)
    with open_scratch() as scratch:
        ground = Ground(
            connection=connection,
            settings=settings,
            facts=facts,
            base=handover.find_base(forge, head) if mode == "publish" else head,
            trusted=head,
            scratch=scratch,
            listener=listener,
            now=datetime.now(UTC),
            run_url=start.run_url,
            requester=start.requester,
            out=_place(ending.out),
        )
        told, code = _do_chores(ground, handover, _look(connection, settings), choice, ending)
        start.say(list_ends(told))
        return tell(connection.context, ending, told, code)


def _place(out: Path | None) -> Path | None:
    return out / "maintenance" if out else None


def _look(connection: Connection, settings: Settings) -> Dashboard:
    if not connection.may_write:
        return read_dashboard(connection.forge(), settings.maintenance)
    return open_dashboard(connection.forge(), connection.publishing(), settings.maintenance)


def _hand_over(connection: Connection, ending: Ending) -> Handover:
    context = connection.context
    place = Path(context.inputs.bundle) if context.inputs.mode == "publish" else (ending.out or Path()) / "bundle"
    return Handover(place, str(context.run_id), datetime.now(UTC))


def _do_chores(
    ground: Ground, handover: Handover, board: Dashboard, choice: Choice, ending: Ending
) -> tuple[list[Told], ExitCode]:
    told: list[Told] = []
    code = ExitCode.HANDLED
    try:
        for chore in ground.settings.maintenance:
            due, ticked = _is_due(ground, board, chore), chore.name in board.ticks
            if not choice.takes(chore, due=due, ticked=ticked):
                continue
            if told and ground.seconds_left < SHORTEST:
                ending.problem(f"the chore {chore.name} and those after it are left for the next run: time is up")
                break
            asked = ticked or chore.name in choice.names
            try:
                end = ChoreRun(ground, handover, chore, board.memory.chores.get(chore.name), asked).carry_out()
            except LeftOut:
                ending.problem(f"the job with the model left nothing of the chore {chore.name}; it stays due")
                continue
            told.append(Told(chore, end))
            board.record(chore, end, datetime.now(UTC), due=due or ticked, log=ground.run_url)
        if not told:
            board.show()
    except Stopped:
        code = ExitCode.INTERRUPTED
    return told, code


def _is_due(ground: Ground, board: Dashboard, chore: Chore) -> bool:
    record = board.memory.chores.get(chore.name)
    identity = identify(ground.facts.full_name, chore.name)
    return is_due(chore.schedule, record.at if record else None, ground.now, identity)
