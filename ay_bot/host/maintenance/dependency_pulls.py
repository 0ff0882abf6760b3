"""The open pull requests of dependency bots that are red."""

from collections.abc import Iterator
from typing import Final

from ay_bot.host.github.forge import CheckRun, Forge, Pull
from ay_bot.host.maintenance.forge_checks import find_red

BOTS: Final = frozenset(
    {"dependabot[bot]", "dependabot-preview[bot]", "renovate[bot]", "depfu[bot]", "pyup-bot", "snyk-bot"}
)
MOST_LOOKED_AT: Final = 30
"""Each costs two requests."""


def find_red_pulls(forge: Forge) -> Iterator[tuple[Pull, tuple[CheckRun, ...]]]:
    """Yield the red ones, oldest first, each with its failed checks. A fork's commits never come onto a branch here."""
    known = [pull for pull in forge.pulls(state="open") if _is_of_bot(pull, forge.repository)]
    for pull in sorted(known, key=lambda pull: pull.number)[:MOST_LOOKED_AT]:
        if red := find_red(forge, pull.head):
            yield pull, red


def _is_of_bot(pull: Pull, repository: str) -> bool:
    here = (pull.head_repository or "").lower() == repository.lower()
    return here and pull.author.login.lower() in BOTS
