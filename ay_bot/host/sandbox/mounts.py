"""What a bubblewrap box sees: the arguments that build its file systems and namespaces."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from ay_bot.host.egress.door import Door
from ay_bot.host.runtime import PACKAGES, installed_packages
from ay_bot.host.sandbox import MIB, BoxLimits
from ay_bot.host.sandbox.toolchain import Toolchain
from ay_bot.protocol.box_config import DOOR_PLACE

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
DISTRIBUTED = (
    "java-*/*.cfg", "java-*/*.properties", "java-*/security", "maven/logging", "maven/m2.conf", "php/*/cli/conf.d",
    "php/*/mods-available",
)  # fmt: skip
"""Below /etc: without them Java, Maven and PHP of a distribution don't start. None of them is for secrets."""
# A box of root's is root to the kernel's file permissions: without these it writes to the machine's settings.
KERNEL_SETTINGS = ("acpi", "bus", "driver", "fs", "irq", "pressure", "scsi", "sys")
KERNEL_SECRETS = (
    "kcore",
    "keys",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "mtrr",
    "sched_debug",
    "slabinfo",
    "sysrq-trigger",
    "timer_list",
    "vmallocinfo",
)
SHARED_MEMORY = 16 * MIB


class Identity:
    """Who a box's processes are: files for its /etc, as descriptors that bubblewrap reads."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self._texts = {
            "/etc/passwd": f"ay:x:{uid}:{uid}::/tmp:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n",
            "/etc/group": f"ay:x:{uid}:\nnogroup:x:65534:\n",
            "/etc/hosts": "127.0.0.1 localhost box\n::1 localhost box\n",
            "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        }
        self.files: dict[str, int] = {}

    def __enter__(self) -> Self:
        for path, text in self._texts.items():
            descriptor = os.memfd_create(Path(path).name)
            self.files[path] = descriptor
            os.write(descriptor, text.encode())
            os.lseek(descriptor, 0, os.SEEK_SET)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for descriptor in self.files.values():
            os.close(descriptor)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that bubblewrap must inherit."""
        return tuple(self.files.values())


def arguments(limits: BoxLimits, toolchain: Toolchain, identity: Identity, door: Door | None = None) -> list[str]:
    """Return bubblewrap's arguments, without the program to run."""
    return [
        *("--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL"),
        *("--uid", str(identity.uid), "--gid", str(identity.uid), "--hostname", "box"),
        *("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--chdir", "/"),
        *_shown_directories(toolchain),
        *(word for path, number in identity.files.items() for word in ("--file", str(number), path)),
        *("--proc", "/proc", *_closed_kernel_files()),
        *("--dev", "/dev", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm"),  # noqa: S108
        *("--perms", "0755", "--size", str(limits.work), "--tmpfs", "/work"),
        *("--perms", "0700", "--size", str(limits.temporary), "--tmpfs", "/tmp"),  # noqa: S108
        *(("--ro-bind", door.directory, DOOR_PLACE) if door else ()),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
    ]


def _closed_kernel_files() -> Iterator[str]:
    for name in KERNEL_SETTINGS:
        if (path := Path("/proc") / name).exists():
            yield from ("--ro-bind", str(path), str(path))
    for name in KERNEL_SECRETS:
        if (path := Path("/proc") / name).exists():
            yield from ("--ro-bind", "/dev/null", str(path))


def _shown_directories(toolchain: Toolchain) -> Iterator[str]:
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)
    for name in (*SETTINGS, *(str(path) for pattern in DISTRIBUTED for path in Path("/etc").glob(pattern))):
        yield from ("--ro-bind-try", name, name)
    for source, place in installed_packages():
        yield from ("--ro-bind", str(source), f"{PACKAGES}/{place}")
    shown = dict(toolchain.binds)
    base = Path(sys.base_prefix)
    if not base.is_relative_to("/usr"):
        shown.setdefault(base, base)
    for directory, where in sorted(shown.items()):
        yield from ("--ro-bind", str(directory), str(where))


def places(toolchain: Toolchain) -> frozenset[str]:
    """Return where a box has something of the host mounted, and its root."""
    words = list(_shown_directories(toolchain))
    return frozenset({"/", *(words[at + 2] for at, word in enumerate(words) if word.startswith("--ro-bind"))})
