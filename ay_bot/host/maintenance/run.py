"""`ay-bot maintain` and the scheduled events of the Action: which chores are done now, one after the other."""

from collections.abc import Mapping

from ay_bot.errors import ExitCode
from ay_bot.host.action.connection import Connection, Rhythm
from ay_bot.host.action.ending import Ending
from ay_bot.host.event_log import Listener
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.host.github.request import Dispatch


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
    raise NotImplementedError((environment, listener, log, chore, due, rhythm))


def maintain_on_github(connection: Connection, request: Dispatch, listener: Listener, ending: Ending) -> ExitCode:
    """Do the chores that a schedule, or a person who starts the workflow, asks for."""
    raise NotImplementedError((connection, request, listener, ending))
