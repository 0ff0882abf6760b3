"""Why a box ended that nobody ended: the same words for every driver."""

from typing import Final

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox import MIB, BoxLimits

DEADLINE_STATUS: Final = 124
OUT_OF_MEMORY_STATUS: Final = 125  # where the box itself has to look after its memory
KILLED_STATUS: Final = (137, -9)
LESS_MEMORY: Final = "allow more memory, or let the tests use less at a time"


def explain_ending(status: int | None, errors: str, limits: BoxLimits, *, out_of_memory: bool) -> None:
    """Raise SandboxUnavailable with the reason; return if the program in the box ended as it should."""
    megabytes = limits.memory // MIB
    if status == OUT_OF_MEMORY_STATUS or (status in KILLED_STATUS and out_of_memory):
        what = f"the box used more memory than its limit of {megabytes} MiB, /work and /tmp included"
        raise SandboxUnavailable(what, hint=LESS_MEMORY)
    if status in KILLED_STATUS:
        what = (
            f"the box was killed, perhaps for want of memory (its limit is {megabytes} MiB): {errors or 'no message'}"
        )
        raise SandboxUnavailable(what, hint=LESS_MEMORY)
    if status == DEADLINE_STATUS:
        what = f"the box reached its time limit of {limits.wall:.0f} seconds"
        raise SandboxUnavailable(what, hint="allow more time, or give the run a smaller task")
    if status or errors:
        known = "" if status is None else f" with exit code {status}"
        msg = f"the program in the box ended by itself{known}: {errors or 'it left no message'}"
        raise SandboxUnavailable(msg)
