"""The console script: it hands over to the command line and does nothing before."""


def main() -> None:
    """Run `ay-bot`."""
    from ay_bot.cli import main as run

    run()


if __name__ == "__main__":
    main()
