"""Requests that need no agent: `stop` and `help`."""

from ay_bot.errors import ExitCode
from ay_bot.host.action.connection import Connection
from ay_bot.host.action.ending import Ending
from ay_bot.host.github.exactly_once import Marker, comment_once
from ay_bot.host.github.request import Request
from ay_bot.host.github.stop import stop

_HELP = """\
Say `@{name}` at the start of a line, or anywhere followed by one of these words:

| word | what happens |
| --- | --- |
| `fix`, `implement`, `test` | I change the code, prove it with this repository's tests, and open a pull request |
| `review`, `explain` | I read and answer; no code is changed |
| `plan` | I write a plan and stop; `@{name} approve HASH` has exactly that plan carried out |
| `retry` | I try again from the start |
| `rebase` | I go on from what is there now, other people's commits included |
| `stop` | I end what I am doing on this thread |

Anything else after `@{name}` is an instruction in your own words.
"""


def help_out(connection: Connection, request: Request, ending: Ending) -> ExitCode:
    """Say once what can be asked for."""
    body = _HELP.format(name=connection.context.inputs.mention)
    comment_once(connection.forge(), request.number, Marker(kind="help", key=request.key), body)
    return ending.unfinished("answered", "help was given", ExitCode.HANDLED)


def stop_requests(connection: Connection, request: Request, ending: Ending) -> ExitCode:
    """Cancel what runs on the thread."""
    stopped = stop(connection.forge(), request)
    ending.problem(*stopped.problems)
    count = len(stopped.requests)
    return ending.unfinished("stopped", f"{count} running requests were stopped", ExitCode.HANDLED)
