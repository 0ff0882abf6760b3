"""Why a box ended that nobody ended: the same words for every driver."""

from typing import Final

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox import MIB, BoxLimits

DEADLINE_STATUS: Final = 124
KILLED_STATUS: Final = (137, -9)


def explain_ending(status: int | None, errors: str, limits: BoxLimits, *, out_of_memory: bool) -> None:
    """Raise SandboxUnavailable with the reason; return if the program in the box ended as it should."""
    if status in KILLED_STATUS and (out_of_memory or not errors):
        what = f"the box used more memory than its limit of {limits.memory // MIB} MiB, /work and /tmp included"
        raise SandboxUnavailable(what, hint="allow more memory, or let the tests use less at a time")
    if status == DEADLINE_STATUS:
        what = f"the box reached its time limit of {limits.wall:.0f} seconds"
        raise SandboxUnavailable(what, hint="allow more time, or give the run a smaller task")
    if status or errors:
        known = "" if status is None else f" with exit code {status}"
        msg = f"the program in the box ended by itself{known}: {errors or 'it left no message'}"
        raise SandboxUnavailable(msg)
