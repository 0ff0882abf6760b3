"""The wall around a worker: from here on it can read, compute and answer, whatever a file makes of its parser.

An allowlist of system calls: no programs, no processes, no network, no file opened for writing, no signals.
"""

import ctypes
import errno
import os
import platform
import struct
from typing import Final, NamedTuple

_NO_NEW_PRIVILEGES: Final = 38
_SET_FILTER: Final = 22
_FILTER: Final = 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_REFUSE: Final = 0x00050000 | errno.EPERM
_NUMBER_AT, _ARCHITECTURE_AT, _THIRD_ARGUMENT_AT = 0, 4, 32
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_INSTRUCTION: Final = struct.Struct("<HBBI")


class _Machine(NamedTuple):
    audit: int
    openat: int
    calls: tuple[int, ...]


# read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn ioctl pread64 madvise
# mremap sched_yield getpid setitimer exit getrusage exit_group futex clock_gettime newfstatat getdents64 readlinkat
# getcwd fcntl dup getrandom rseq gettid statx sysinfo sched_getaffinity faccessat faccessat2
_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, 257, (
        0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 28, 25, 24, 39, 38, 60, 98, 231, 202, 228, 262, 217, 267,
        79, 72, 32, 318, 334, 186, 332, 99, 204, 269, 439, 4, 6, 21, 89,  # and stat lstat access readlink
    )),
    "aarch64": _Machine(0xC00000B7, 56, (
        63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 29, 67, 233, 216, 124, 172, 103, 93, 165, 94, 98, 113,
        79, 61, 78, 17, 25, 23, 278, 293, 178, 291, 179, 123, 48, 439,
    )),
}  # fmt: skip


def confine() -> bool:
    """Put up the wall, and say whether it stands: not on a kernel or a machine that doesn't know how."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    program = _build(machine)
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    control = ctypes.CDLL(None).prctl
    values = [ctypes.c_ulong(value) for value in (1, 0, 0, 0)]
    if control(_NO_NEW_PRIVILEGES, *values):
        return False
    return not control(_SET_FILTER, ctypes.c_ulong(_FILTER), ctypes.c_ulong(ctypes.addressof(header)))


def _build(machine: _Machine) -> bytes:
    read_only = [
        _INSTRUCTION.pack(_LOAD, 0, 0, _THIRD_ARGUMENT_AT),
        _INSTRUCTION.pack(_ANY_BIT, 1, 0, _WRITING),
        _INSTRUCTION.pack(_RETURN, 0, 0, _ALLOW),
        _INSTRUCTION.pack(_RETURN, 0, 0, _REFUSE),
    ]
    count = len(machine.calls)
    return b"".join(
        [
            _INSTRUCTION.pack(_LOAD, 0, 0, _ARCHITECTURE_AT),
            _INSTRUCTION.pack(_EQUAL, 1, 0, machine.audit),
            _INSTRUCTION.pack(_RETURN, 0, 0, _KILL),
            _INSTRUCTION.pack(_LOAD, 0, 0, _NUMBER_AT),
            _INSTRUCTION.pack(_EQUAL, 0, len(read_only), machine.openat),
            *read_only,
            *(_INSTRUCTION.pack(_EQUAL, count - at, 0, call) for at, call in enumerate(machine.calls)),
            _INSTRUCTION.pack(_RETURN, 0, 0, _REFUSE),
            _INSTRUCTION.pack(_RETURN, 0, 0, _ALLOW),
        ]
    )
