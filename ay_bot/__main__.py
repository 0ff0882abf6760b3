"""The console script: it starts the slowest part of a run first, then hands over to the command line."""

import sys


def main() -> None:
    """Run `ay-bot`."""
    from ay_bot.host.environment import load_no_plugins

    gateway = None
    if sys.argv[1:2] == ["run"] and not {"-h", "--help"} & set(sys.argv):
        from ay_bot.host.gateway_process import start_gateway

        gateway = start_gateway()
    load_no_plugins()
    from ay_bot import cli

    cli.Prestarted.gateway = gateway
    cli.main()


if __name__ == "__main__":
    main()
