"""What a process that holds keys does first: other processes of the same user can neither read nor trace it."""

import sys

PR_SET_DUMPABLE = 4


def become_unreadable() -> None:
    """Close /proc/PID/environ, mem and fd of this process to others, and leave no core file; Linux alone can do that.

    What it starts is not closed by this: a program that it becomes is readable again.
    """
    import ctypes

    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
