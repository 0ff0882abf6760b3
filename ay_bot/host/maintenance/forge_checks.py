"""Which checks of a commit say that it is broken."""

from typing import Final

from ay_bot.host.github.forge import CheckRun, Forge

RED: Final = frozenset({"failure", "error", "timed_out", "startup_failure"})


def find_red(forge: Forge, commit: str) -> tuple[CheckRun, ...]:
    """Return the checks that failed; not our own, which fail where a chore does."""
    return tuple(check for check in forge.checks(commit) if check.outcome in RED and not _is_own(check.name))


def _is_own(name: str) -> bool:
    return name.partition("/")[0].strip().lower() == "ay-bot"
