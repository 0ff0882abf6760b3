"""The console script: it looks around, starts the slowest part of a run, then hands over to the command line."""

import sys

from ay_bot.errors import UsageError
from ay_bot.protocol.start_files import require_expected
from ay_bot.protocol.unreadable import become_unreadable


def main() -> None:
    """Run `ay-bot`."""
    from ay_bot.host.environment import environment, load_no_plugins

    become_unreadable()
    try:
        require_expected(environment())
    except UsageError as error:
        from ay_bot import cli

        cli.refuse(error)
    gateway = None
    if sys.argv[1:2] == ["run"] and not {"-h", "--help"} & set(sys.argv):
        from ay_bot.host.gateway_process import start_gateway

        gateway = start_gateway()
    if sys.argv[1:] == ["action"] and _is_none_of_ours():
        return
    load_no_plugins()
    from ay_bot import cli

    cli.Prestarted.gateway = gateway
    cli.main()


def _is_none_of_ours() -> bool:
    """Whether the Action was started for an event that is not for us: most are, and they should cost nothing."""
    from ay_bot.host.environment import environment
    from ay_bot.host.gate_step import is_none_of_ours

    return is_none_of_ours(environment())


if __name__ == "__main__":
    main()
