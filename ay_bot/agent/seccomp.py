"""The system call filter that the first process of a box stacks on itself: tables per machine, and the BPF program.

It closes what engines' default profiles let through: sockets that reach the hypervisor (AF_VSOCK), io_uring, tracing,
keyrings, new namespaces and mounts, foreign ABIs, and limits set on the process that holds the pipe.
"""

import errno
import struct
from dataclasses import dataclass

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
ERRNO = 0x00050000
REFUSED = ERRNO | errno.EPERM
UNKNOWN = ERRNO | errno.ENOSYS
IGNORED = ERRNO  # the call says that it succeeded: OpenMP gives up on a thread that it can't bind
NO_FAMILY = ERRNO | errno.EAFNOSUPPORT

X32_BIT = 0x40000000
SOCKET_FAMILIES = (1, 2, 10, 16)  # unix, IPv4, IPv6, netlink
NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

# The same number on every machine: system calls added since 2019.
_NEW_CALLS = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "open_tree_attr": 467,
}


@dataclass(frozen=True)
class Machine:
    """What the filter has to know of a machine: its audit number, and its numbers of the system calls."""

    audit: int
    has_x32: bool
    refused: dict[str, int]
    clone: int
    clone3: int
    prlimit: int
    memfd_create: int
    sched_setaffinity: int
    ioctl: int
    socket: int
    socketpair: int


X86_64 = Machine(
    audit=0xC000003E,
    has_x32=True,
    refused={
        "ptrace": 101,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "kcmp": 312,
        "add_key": 248,
        "request_key": 249,
        "keyctl": 250,
        "bpf": 321,
        "perf_event_open": 298,
        "userfaultfd": 323,
        "mount": 165,
        "umount2": 166,
        "pivot_root": 155,
        "chroot": 161,
        "unshare": 272,
        "setns": 308,
        "swapon": 167,
        "swapoff": 168,
        "reboot": 169,
        "kexec_load": 246,
        "kexec_file_load": 320,
        "init_module": 175,
        "finit_module": 313,
        "delete_module": 176,
        "acct": 163,
        "quotactl": 179,
        "name_to_handle_at": 303,
        "open_by_handle_at": 304,
        "vhangup": 153,
        "syslog": 103,
        "settimeofday": 164,
        "clock_settime": 227,
        "fanotify_init": 300,
        "iopl": 172,
        "ioperm": 173,
        "modify_ldt": 154,
        **_NEW_CALLS,
    },
    clone=56,
    clone3=435,
    prlimit=302,
    memfd_create=319,
    sched_setaffinity=203,
    ioctl=16,
    socket=41,
    socketpair=53,
)

AARCH64 = Machine(
    audit=0xC00000B7,
    has_x32=False,
    refused={
        "ptrace": 117,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "kcmp": 272,
        "add_key": 217,
        "request_key": 218,
        "keyctl": 219,
        "bpf": 280,
        "perf_event_open": 241,
        "userfaultfd": 282,
        "mount": 40,
        "umount2": 39,
        "pivot_root": 41,
        "chroot": 51,
        "unshare": 97,
        "setns": 268,
        "swapon": 224,
        "swapoff": 225,
        "reboot": 142,
        "kexec_load": 104,
        "kexec_file_load": 294,
        "init_module": 105,
        "finit_module": 273,
        "delete_module": 106,
        "acct": 89,
        "quotactl": 60,
        "name_to_handle_at": 264,
        "open_by_handle_at": 265,
        "vhangup": 58,
        "syslog": 116,
        "settimeofday": 170,
        "clock_settime": 112,
        "fanotify_init": 262,
        **_NEW_CALLS,
    },
    clone=220,
    clone3=435,
    prlimit=261,
    memfd_create=279,
    sched_setaffinity=122,
    ioctl=29,
    socket=198,
    socketpair=199,
)

MACHINES = {"x86_64": X86_64, "aarch64": AARCH64, "arm64": AARCH64}

# Classic BPF: instruction codes, and where `struct seccomp_data` keeps its fields (both machines are little-endian).
LOAD = 0x20
JUMP_EQUAL = 0x15
JUMP_AT_LEAST = 0x35
JUMP_ANY_BIT = 0x45
RETURN = 0x06
NUMBER, ARCHITECTURE = 0, 4
ARGUMENT_0, ARGUMENT_1 = 16, 24
INSTRUCTION = struct.Struct("<HBBI")


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return INSTRUCTION.pack(code, if_true, if_false, value)


def _block(number: int, body: bytes) -> bytes:
    """Run `body`, which returns on every path, for the system call `number`; fall through for all others."""
    return _instruction(JUMP_EQUAL, number, 0, len(body) // INSTRUCTION.size) + body


def _only(argument: int, allowed: tuple[int, ...], otherwise: int) -> bytes:
    """Allow a call whose argument is one of `allowed`; answer `otherwise` to the rest."""
    tests = b"".join(_instruction(JUMP_EQUAL, value, len(allowed) - position) for position, value in enumerate(allowed))
    return _instruction(LOAD, argument) + tests + _instruction(RETURN, otherwise) + _instruction(RETURN, ALLOW)


def _never(argument: int, refused: tuple[int, ...]) -> bytes:
    """Refuse a call whose argument is one of `refused`; allow the rest."""
    tests = b"".join(_instruction(JUMP_EQUAL, value, len(refused) - position) for position, value in enumerate(refused))
    return _instruction(LOAD, argument) + tests + _instruction(RETURN, ALLOW) + _instruction(RETURN, REFUSED)


def _without_bits(argument: int, bits: int) -> bytes:
    """Refuse a call whose argument has one of `bits`; allow the rest."""
    test = _instruction(JUMP_ANY_BIT, bits, 1, 0)
    return _instruction(LOAD, argument) + test + _instruction(RETURN, ALLOW) + _instruction(RETURN, REFUSED)


def build_filter(machine: Machine, *, hidden_memory: bool = True, affinity: bool = True) -> bytes:
    """Return the BPF program for `machine`, ready for seccomp.

    Without `hidden_memory` no process makes files in memory that have no name, which a watchdog can't count; without
    `affinity` none chooses its processors, though it may believe so.
    """
    only_this_machine = _instruction(JUMP_EQUAL, machine.audit, 1, 0) + _instruction(RETURN, KILL_PROCESS)
    parts = [_instruction(LOAD, ARCHITECTURE), only_this_machine, _instruction(LOAD, NUMBER)]
    if machine.has_x32:
        parts.append(_instruction(JUMP_AT_LEAST, X32_BIT, 0, 1) + _instruction(RETURN, UNKNOWN))
    parts += [
        _block(machine.socket, _only(ARGUMENT_0, SOCKET_FAMILIES, NO_FAMILY)),
        _block(machine.socketpair, _only(ARGUMENT_0, SOCKET_FAMILIES, NO_FAMILY)),
        _block(machine.ioctl, _never(ARGUMENT_1, TERMINAL_INJECTION)),
        _block(machine.clone, _without_bits(ARGUMENT_0, NAMESPACE_FLAGS)),
        # clone3 hides its flags behind a pointer; C libraries fall back to clone.
        _block(machine.clone3, _instruction(RETURN, UNKNOWN)),
        _block(machine.prlimit, _only(ARGUMENT_0, (0,), REFUSED)),
    ]
    if not hidden_memory:  # as on a kernel without it: programs fall back to a file
        parts.append(_block(machine.memfd_create, _instruction(RETURN, UNKNOWN)))
    if not affinity:
        parts.append(_block(machine.sched_setaffinity, _instruction(RETURN, IGNORED)))
    numbers = sorted(machine.refused.values())
    parts += [_instruction(JUMP_EQUAL, number, len(numbers) - at) for at, number in enumerate(numbers)]
    parts += [_instruction(RETURN, ALLOW), _instruction(RETURN, REFUSED)]
    return b"".join(parts)
