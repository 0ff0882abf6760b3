"""The names of maintenance's branches, which stay the same: one for a chore, or one for each pull request it mends."""

from ay_bot.host.branch import check_branch_name
from ay_bot.host.github.branch_name import PREFIX


def branch_for(chore: str, pull: int | None = None) -> str:
    """Return the branch of a chore; no chore's name holds the dot that stands before a pull request's number."""
    name = f"{PREFIX}maintain-{chore}" + (f".{pull}" if pull is not None else "")
    check_branch_name(name)
    return name


def is_branch_of(branch: str, chore: str) -> bool:
    """Whether a branch is one of a chore's."""
    stem, _, number = branch.partition(".")
    return stem == branch_for(chore) and (branch == stem or number.isdecimal())
