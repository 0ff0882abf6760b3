"""What the first process of a box does to itself before it reads a byte that anybody else wrote."""

import contextlib
import ctypes
import fcntl
import os
import platform
import resource
import select
import signal
import struct
import threading

from ay_bot.agent.seccomp import MACHINES, build_filter
from ay_bot.protocol.box_config import ResourceLimits

FIRST_DESCRIPTOR = 100
PIPE_SIZE = 1024 * 1024
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
SECCOMP_MODE_FILTER = 2
DEADLINE_STATUS = 124


def move_pipe() -> tuple[int, int, int]:
    """Move input, output and errors to high descriptors that no child inherits, and leave /dev/null in their place."""
    moved = tuple(fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) for number in range(3))
    for number in moved[:2]:
        with contextlib.suppress(OSError):  # a socket, or more than this user may have
            fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    if nothing > 2:
        os.close(nothing)
    return moved[0], moved[1], moved[2]


def _prctl(option: int, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    if library.prctl(option, *values):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def gains_no_privileges() -> bool:
    """Say whether this process can gain no privileges; gVisor does not tell it in /proc."""
    return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)


def install_filter(limits: ResourceLimits) -> None:
    """Stack the system call filter; it binds this process and every child, for good."""
    program = build_filter(
        MACHINES[platform.machine()], hidden_memory=not limits.memory, affinity=not limits.processors
    )
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    holder = ctypes.create_string_buffer(header, len(header))
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(holder))


def limit_resources(limits: ResourceLimits) -> None:
    """Lower the limits that every process of the box inherits."""
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_size or resource.RLIM_INFINITY),
        (resource.RLIMIT_NOFILE, limits.open_files or resource.RLIM_INFINITY),
        (resource.RLIMIT_DATA, limits.data or resource.RLIM_INFINITY),
        (resource.RLIMIT_NPROC, limits.processes or resource.RLIM_INFINITY),
    ]
    for kind, value in wanted:
        _, hard = resource.getrlimit(kind)
        if value != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or value < hard):
            resource.setrlimit(kind, (value, value))


def limit_processors(limits: ResourceLimits) -> None:
    """Keep this process and its children to some of the processors, chosen by chance: other boxes choose too."""
    usable = sorted(os.sched_getaffinity(0))
    if 0 < limits.processors < len(usable):
        usable.sort(key=lambda _: os.urandom(8))
        os.sched_setaffinity(0, usable[: limits.processors])


def harden(limits: ResourceLimits, *, system_calls: bool) -> None:
    """Close this process against its own children: not traceable, not signalled by ^C, no new rights, filtered."""
    _prctl(PR_SET_DUMPABLE, 0)  # without it a child writes to the pipe through /proc/1/fd
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a handler would let children stop process 1
    limit_resources(limits)
    limit_processors(limits)
    if system_calls:
        install_filter(limits)


def end_with(pipe: int, deadline: float) -> None:
    """End this process at once when the far side of `pipe` is gone, or after `deadline` seconds."""

    def watch() -> None:
        poll = select.poll()
        poll.register(pipe, select.POLLRDHUP)
        gone = poll.poll(int(deadline * 1000))
        os._exit(0 if gone else DEADLINE_STATUS)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
