"""`ay-bot action`: the event that the runner hands over; one that is not for us costs nothing but this module."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ay_bot.errors import ExitCode
from ay_bot.host.action.gatekeeper import is_for_us
from ay_bot.host.environment import forget
from ay_bot.host.github.runner_context import names_to_forget, parse_runner_context

if TYPE_CHECKING:
    from ay_bot.host.action.connection import Rhythm
    from ay_bot.host.event_log import Listener
    from ay_bot.host.github.annotations import WorkflowLog


def run_action(
    environment: Mapping[str, str], listener: "Listener", log: "WorkflowLog", rhythm: "Rhythm | None" = None
) -> ExitCode:
    """Carry out what the event asks for, and return the exit code."""
    context = parse_runner_context(environment)
    forget(names_to_forget(environment))
    payload = context.read_event()
    if not is_for_us(context, payload):
        return ExitCode.HANDLED
    from ay_bot.host.action.acting import Means, act
    from ay_bot.host.action.connection import Rhythm

    return act(context, payload, environment, Means(listener, log, rhythm or Rhythm()))


def finalize_action(
    environment: Mapping[str, str], listener: "Listener", log: "WorkflowLog", rhythm: "Rhythm | None" = None
) -> ExitCode:
    """Repair what a run that died has left on its thread; the Action's last step."""
    context = parse_runner_context(environment)
    job_status = environment.get("INPUT_JOB_STATUS", "")
    forget(names_to_forget(environment))
    payload = context.read_event()
    if not is_for_us(context, payload):
        return ExitCode.HANDLED
    from ay_bot.host.action.acting import Means, repair
    from ay_bot.host.action.connection import Rhythm

    return repair(context, payload, job_status, Means(listener, log, rhythm or Rhythm()))
