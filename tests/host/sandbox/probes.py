"""Runs in a box: tries what a box must refuse, and prints what happened as JSON. `python3 probes.py NAME...`"""

import ctypes
import errno
import json
import os
import platform
import socket
import sys
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"


def system_call(number: int, *arguments: object) -> str:
    result = LIBC.syscall(ctypes.c_long(number), *arguments)
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def attempt(function, *arguments) -> str:
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "done"


def interfaces() -> object:
    return [name for _, name in socket.if_nameindex()]


def routes() -> object:
    tables = ("/proc/net/route", "/proc/net/ipv6_route")
    lines = [line for table in tables if Path(table).exists() for line in Path(table).read_text().splitlines()]
    return [line for line in lines if not line.startswith("Iface") and line.split()[-1] != "lo"]


def status() -> object:
    wanted = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
    pairs = (line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: value.strip() for name, value in pairs if name in wanted}


def first_process() -> object:
    names = ("environ", "maps", "mem", "stack", "auxv", "syscall")
    found = {name: attempt(lambda name=name: Path(f"/proc/1/{name}").read_bytes()) for name in names}
    found["fd"] = attempt(os.readlink, "/proc/1/fd/100")
    found["cwd"] = attempt(os.readlink, "/proc/1/cwd")
    return found


def forge() -> object:
    line = b'{"kind":"box_failed","message":"FORGED"}\n'
    outcomes = set()
    for pid in (name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()):
        for number in range(256):
            try:
                descriptor = os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                outcomes.add(errno.errorcode[error.errno])
                continue
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            os.write(descriptor, line)
            os.close(descriptor)
            outcomes.add(f"wrote to {target} of {pid}" if pid == "1" else "other process")
    return sorted(outcomes)


def environments() -> object:
    found = ""
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += place.read_bytes().decode(errors="replace")
        except OSError:
            continue
    return found


def families() -> object:
    wanted = {"vsock": 40, "packet": 17, "alg": 38, "bluetooth": 31, "unix": 1, "inet": 2, "inet6": 10, "netlink": 16}
    return {name: attempt(socket.socket, number, socket.SOCK_STREAM) for name, number in wanted.items()}


def calls() -> object:
    buffer = ctypes.create_string_buffer(256)
    numbers = {
        "ptrace": (101, 117, (16, 1, 0, 0)),
        "process_vm_readv": (310, 270, (1, buffer, 1, buffer, 1, 0)),
        "process_vm_writev": (311, 271, (1, buffer, 1, buffer, 1, 0)),
        "kcmp": (312, 272, (1, 1, 0, 0, 0)),
        "pidfd_getfd": (438, 438, (0, 0, 0)),
        "io_uring_setup": (425, 425, (8, buffer)),
        "keyctl": (250, 219, (0, -3, 1)),
        "add_key": (248, 217, (b"user", b"a", b"b", 1, -3)),
        "bpf": (321, 280, (0, buffer, 128)),
        "perf_event_open": (298, 241, (buffer, 0, -1, -1, 0)),
        "userfaultfd": (323, 282, (1,)),
        "mount": (165, 40, (b"none", b"/tmp", b"tmpfs", 0, 0)),
        "umount2": (166, 39, (b"/tmp", 0)),
        "fsopen": (430, 430, (b"tmpfs", 0)),
        "open_tree": (428, 428, (-100, b"/tmp", 1)),
        "move_mount": (429, 429, (-100, b"/tmp", -100, b"/work", 0)),
        "unshare_user": (272, 97, (0x10000000,)),
        "unshare_net": (272, 97, (0x40000000,)),
        "setns": (308, 268, (0, 0)),
        "clone_user": (56, 220, (0x10000000 | 17, 0, 0, 0, 0)),
        "clone3": (435, 435, (buffer, 88)),
        "chroot": (161, 51, (b"/tmp",)),
        "prlimit_of_1": (302, 261, (1, 7, buffer, 0)),
        "tiocsti": (16, 29, (0, 0x5412, b"x")),
        "tioclinux": (16, 29, (0, 0x541C, b"x")),
    }
    return {name: system_call(x86 if X86 else arm, *arguments) for name, (x86, arm, arguments) in numbers.items()}


def writable() -> object:
    """Return the places where a file can be made: of all mounts, and of the root file system's directories."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    tops = ["/", *(f"/{name}" for name in os.listdir("/")), "/usr/bin", "/usr/local/lib", "/etc/ssl"]
    name = "made-by-a-probe"
    return sorted(
        {top for top in (*mounts, *tops) if attempt(lambda top=top: Path(top, name).write_bytes(b"")) == "done"}
    )


def descriptors() -> object:
    return sorted(os.listdir("/proc/self/fd"), key=int)


def signal_first_process() -> object:
    return [attempt(os.kill, 1, number) for number in (2, 9, 15, 19, 11)]


def kernel_settings() -> object:
    """Return the files of /proc that can be written, outside of the directories of processes."""
    found = []
    for top, directories, files in os.walk("/proc"):
        if top == "/proc":
            directories[:] = [name for name in directories if not name.isdigit()]
        paths = (os.path.join(top, name) for name in files)
        found += [path for path in paths if os.path.isfile(path) and os.access(path, os.W_OK)]
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: globals()[name]() for name in sys.argv[1:]}))
