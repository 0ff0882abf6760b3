"""Attacks on the kernel's surface: system calls that no test suite needs, foreign ABIs, devices and settings."""

from typing import Final

from ay_bot.host.redteam import Attack, Off

B: Final = "ctypes.create_string_buffer"
CHILD: Final = """
pid = os.fork()
if not pid:
    time.sleep(5)
    os._exit(0)
time.sleep(0.05)
"""
VECTORS: Final = """
secret = ctypes.create_string_buffer(b"read-me")
into = ctypes.create_string_buffer(7)
def vector(buffer): return struct.pack("PN", ctypes.addressof(buffer), 7)
"""
I386: Final = """
import mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("b814000000cd80c3"))
got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
effect(f"getpid of i386 answered {got}") if got > 0 else print(got)
"""
# name, what it is, program. The control: the same user and no filter.
FILTERED: Final = (
    ("io-uring", "io_uring", f"descriptor(call(425, 425, 8, {B}(120)), 'io_uring')"),
    ("userfaultfd", "userfaultfd", "descriptor(call(323, 282, 1), 'userfaultfd')"),
    (
        "perf",
        "perf_event_open",
        (
            "descriptor(call(298, 241, ctypes.create_string_buffer(struct.pack('=IIQQQQQ', 1, 112, 1, 0, 0, 0, 0x61)"
            " + bytes(72)), 0, -1, -1, 0), 'perf')"
        ),
    ),
    ("keyctl", "the session's keyring", "expect(call(250, 219, 0, -3, 1))"),
    ("add-key", "a key for the keyring", "expect(call(248, 217, b'user', b'ay', b'x', 1, -2))"),
    ("request-key", "asking for a key", "expect(call(249, 218, b'user', b'ay-none', 0, 0), 'ENOKEY')"),
    ("ptrace", "tracing another process of the box", CHILD + "expect(call(101, 117, 0x4206, pid, 0, 0))"),
    (
        "process-read",
        "reading another process's memory",
        VECTORS + CHILD + "call(310, 270, pid, vector(into), 1, vector(secret), 1, 0)\n"
        "effect(into.raw.decode()) if into.raw == b'read-me' else print('nothing read')",
    ),
    (
        "process-write",
        "writing another process's memory",
        VECTORS + CHILD + "expect(call(311, 271, pid, vector(secret), 1, vector(into), 1, 0))",
    ),
    ("kcmp", "comparing processes", "expect(call(312, 272, os.getpid(), os.getpid(), 1, 0, 0))"),
    (
        "pidfd-getfd",
        "taking a descriptor of another process",
        CHILD + "descriptor(call(438, 438, os.pidfd_open(pid), 1, 0))",
    ),
    ("userns-unshare", "a user namespace, by unshare", "expect(call(272, 97, 0x10000000))"),
    (
        "userns-clone",
        "a user namespace, by clone",
        "got = call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)\nos._exit(0) if got[0] == 0 else expect(got)",
    ),
    (
        "userns-clone3",
        "a user namespace, by clone3",
        (
            "flags = struct.pack('=8Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0)\n"
            "got = call(435, 435, ctypes.create_string_buffer(flags), 64)\n"
            "os._exit(0) if got[0] == 0 else expect(got)"
        ),
    ),
    (
        "netns",
        "a network namespace inside a user namespace",
        (
            "before = os.readlink('/proc/self/ns/net')\ncall(272, 97, 0x50000000)\n"
            "after = os.readlink('/proc/self/ns/net')\neffect(after) if after != before else print('the same')"
        ),
    ),
    (
        "mountns",
        "a mount namespace inside a user namespace",
        (
            "before = os.readlink('/proc/self/ns/mnt')\ncall(272, 97, 0x10020000)\n"
            "after = os.readlink('/proc/self/ns/mnt')\neffect(after) if after != before else print('the same')"
        ),
    ),
    (
        "file-handle",
        "a file's handle",
        (
            "handle = ctypes.create_string_buffer(struct.pack('=Ii', 128, 0) + bytes(128))\n"
            f"expect(call(303, 264, -100, b'/tmp', handle, {B}(4), 0), 'EOVERFLOW')"
        ),
    ),
    ("open-tree", "a mount as a descriptor", "descriptor(call(428, 428, -100, b'/tmp', 0x80000))"),
    ("fanotify", "watching a file system", "descriptor(call(300, 262, 0x200, 0), 'fanotify')"),
    ("vsock", "a socket to the hypervisor", "descriptor((socket.socket(40, 1).detach(), 'OK'), 'socket')"),
    ("clock-probe", "the way to clock_settime", "expect(call(227, 112, 0, 0), 'EFAULT')"),
    ("prlimit", "the limits of another process", CHILD + f"expect(call(302, 261, pid, 7, 0, {B}(16)))"),
)
X86: Final = (
    ("i386", "the kernel's second ABI", I386),
    ("modify-ldt", "a descriptor table of its own", f"expect(call(154, -1, 0, {B}(64), 64))"),
)
# The control: root with all capabilities. Arguments are such that nothing happens where the call is let in.
PRIVILEGED: Final = (
    (
        "mount",
        "mounting a file system",
        (
            "os.makedirs('/tmp/m', exist_ok=True)\ncall(165, 40, b'none', b'/tmp/m', b'tmpfs', 0, 0)\n"
            "effect('mounted') if ' /tmp/m ' in open('/proc/self/mountinfo').read() else print('not mounted')"
        ),
    ),
    ("umount", "taking a mount away", "expect(call(166, 39, b'/tmp/none', 0), 'ENOENT', 'EINVAL')"),
    ("remount", "making the root writable", "expect(call(165, 40, 0, b'/none', 0, 0x1020, 0), 'ENOENT', 'EINVAL')"),
    ("bind", "binding a directory over another", "expect(call(165, 40, b'/none', b'/tmp', 0, 0x1000, 0), 'ENOENT')"),
    ("pivot-root", "another root", "expect(call(155, 41, b'/tmp', b'/tmp'), 'EINVAL', 'EBUSY')"),
    ("chroot", "chroot", "os.chroot('/tmp')\neffect('another root') if not os.path.exists('/proc') else print('no')"),
    ("fsopen", "a file system's context", "descriptor(call(430, 430, b'tmpfs', 0), 'fscontext')"),
    ("move-mount", "moving a mount", "expect(call(429, 429, -100, b'/none', -100, b'/tmp', 0), 'ENOENT')"),
    (
        "handle-open",
        "opening a file by its handle",
        (
            "expect(call(304, 265, -100, ctypes.create_string_buffer(struct.pack('=Ii', 8, 1) + bytes(128)), 0),"
            " 'ESTALE', 'EINVAL', 'EOPNOTSUPP', 'EBADF')"
        ),
    ),
    ("setns", "entering a namespace", "expect(call(308, 268, os.open('/proc/self/ns/net', 0), 0x40000000))"),
    ("utsns", "a namespace without a user namespace", "expect(call(272, 97, 0x04000000))"),
    ("hostname", "another host name", "socket.sethostname('ay-red')\neffect(socket.gethostname())"),
    (
        "nice",
        "a higher priority",
        "was = os.nice(0)\nos.nice(-5)\neffect(f'nice {was} to {os.nice(0)}') if os.nice(0) < was else print('no')",
    ),
    ("chown", "giving a file to root", "open('f', 'w').close()\nos.chown('f', 0, 12345)\neffect('given away')"),
    ("capset", "becoming another user", "os.setresuid(12, 12, 12)\neffect(f'now {os.getuid()}')"),
)
# The same, and the kernel asks for rights in the machine's own user namespace.
ROOT: Final = (
    (
        "bpf",
        "bpf",
        ("attributes = struct.pack('=5I', 2, 4, 4, 1, 0) + bytes(108)\n"
        "descriptor(call(321, 280, 0, ctypes.create_string_buffer(attributes), 128), 'bpf')"),
    ),
    ("swapon", "swapping", "expect(call(167, 224, b'/none', 0), 'ENOENT')"),
    ("acct", "process accounting", "expect(call(163, 89, b'/none/none'), 'ENOENT')"),
    ("reboot", "the way to reboot", "expect(call(169, 142, 1, 2, 3, 0), 'EINVAL')"),
    ("syslog", "the kernel's log", "expect(call(103, 116, 10, 0, 0))"),
    ("settimeofday", "the clock", "expect(call(164, 170, 0, 0))"),
)  # fmt: skip
SETTINGS: Final = (
    ("core-pattern", "/proc/sys/kernel/core_pattern"),
    ("ip-forward", "/proc/sys/net/ipv4/ip_forward"),
    ("randomize", "/proc/sys/kernel/randomize_va_space"),
)
DEVICES: Final = (("kmsg", 1, 11), ("fuse", 10, 229), ("tun", 10, 200), ("loop", 10, 237))
DEVICE_PATHS: Final = {"tun": "/dev/net/tun", "loop": "/dev/loop-control"}


def _call(one: tuple[str, str, str], off: Off) -> Attack:
    name, about, program = one
    return Attack(id=f"kernel-{name}", category="kernel", about=about, program=program, off=(off,))


def _device(name: str, major: int, minor: int) -> Attack:
    path = DEVICE_PATHS.get(name, f"/dev/{name}")
    make = f"try: os.mknod('node', 0o20666, os.makedev({major}, {minor}))\nexcept OSError as e: print(e)\n"
    return Attack(
        id=f"device-{name}",
        category="kernel",
        about=f"the device {path}, or one of the same number made by itself",
        program=f"{make}opened({path!r}) if os.path.exists({path!r}) else opened('node')",
        off=(Off.RIGHTS, Off.DEVICES),
    )


def attacks(machine: str) -> tuple[Attack, ...]:
    """Return those that mean anything on this kind of machine."""
    x86 = machine == "x86_64"
    settings = [
        (f"setting-{name}", f"{path}, for writing", f"opened({path!r}, os.O_WRONLY)") for name, path in SETTINGS
    ]
    return (
        *(_call(one, Off.FILTER) for one in (*FILTERED, *(X86 if x86 else ()))),
        *(_call(one, Off.RIGHTS) for one in (*PRIVILEGED, *ROOT, *settings)),
        *(_device(*one) for one in DEVICES),
    )
