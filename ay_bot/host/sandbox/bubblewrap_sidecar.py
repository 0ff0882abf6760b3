"""The proxy beside a box of bubblewrap's: this machine's squid behind walls of its own, with the machine's network."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.egress.door import Door
from ay_bot.host.egress.sidecar import MEMORY, OPEN_FILES, PROCESSES, TEMPORARY, Sidecar, SidecarSpec, program
from ay_bot.host.sandbox import MIB, BoxLimits
from ay_bot.host.sandbox.cgroup import BoxGroup
from ay_bot.host.sandbox.mounts import SYSTEM, Identity
from ay_bot.host.sandbox.policy import new_uid
from ay_bot.host.sandbox.stream import ERROR_TAIL, BoxStream, SocketTransport
from ay_bot.host.scratch import open_scratch
from ay_bot.protocol.box_config import DOOR_PLACE

SQUID: Final = Path("/usr/sbin/squid")
PYTHON: Final = Path("/usr/bin/python3")
INSTALL: Final = "install it: apt-get install -y squid (its service need not run), or use a Docker engine"
SETTINGS: Final = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/gai.conf")
DEVICES: Final = ("/dev/null", "/dev/urandom", "/dev/random")
RESOLVER: Final = Path("/etc/resolv.conf")
# Enters the control groups, lowers what the kernel counts for each process, and becomes the proxy's wall.
START: Final = (
    'for group in $GROUPS_TO_ENTER; do echo $$ > "$group" || exit 97; done; unset GROUPS_TO_ENTER;'
    f' ulimit -n {OPEN_FILES} && ulimit -c 0 && exec "$@"'
)


@contextmanager
def open_sidecar(executable: str, spec: SidecarSpec) -> Iterator[Sidecar]:
    """Start the relay, and end it at the end of the with block."""
    if not SQUID.is_file():
        raise SandboxUnavailable(f"a network policy with hosts needs squid, and there is no {SQUID}", hint=INSTALL)
    uid = new_uid()
    with ExitStack() as kept:
        scratch = kept.enter_context(open_scratch())
        directory = _make_directory(scratch, uid)
        group = BoxGroup.create(BoxLimits(memory=MEMORY, pids=PROCESSES, cpus=1.0))
        kept.callback(group.remove)
        errors = kept.enter_context(TemporaryFile())
        ours, theirs = socket.socketpair()
        kept.enter_context(ours)
        with theirs, Identity(uid) as identity, _resolver() as resolver:
            process = subprocess.Popen(
                ["/bin/sh", "-c", START, "sh", *_unprivileged(uid), executable,
                 *_walls(spec, identity, directory, resolver), "--", str(_python()), *program()],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=errors.fileno(),
                cwd="/",
                env={"GROUPS_TO_ENTER": " ".join(group.entrances())},
                pass_fds=(*identity.descriptors, resolver),
            )  # fmt: skip
        kept.callback(process.wait)
        kept.callback(process.kill)
        stream = BoxStream(SocketTransport(ours), lambda: None)
        kept.callback(stream.end)
        yield Sidecar(Door(directory=str(directory)), stream, lambda: _tail(errors))


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read()[-ERROR_TAIL:].decode("utf-8", "backslashreplace").strip()


def _make_directory(scratch: Path, uid: int) -> Path:
    """Make the place of the socket: nobody else on this machine gets at it, and the box does by a mount."""
    directory = scratch / "door"
    directory.mkdir()
    directory.chmod(0o755)
    if os.getuid() == 0:
        os.chown(directory, uid, uid)
        os.chown(scratch, 0, uid)  # the proxy's group passes through, and the box, which is this user, as its owner
        scratch.chmod(0o710)
    return directory


def _unprivileged(uid: int) -> list[str]:
    """Return what makes the proxy another user where this one is root."""
    if os.getuid() != 0:
        return []
    return ["/usr/bin/setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]


def _walls(spec: SidecarSpec, identity: Identity, directory: Path, resolver: int) -> list[str]:
    uid = str(identity.uid)
    return [
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"),
        *(("--unshare-net",) if spec.loopback_only else ()),
        *("--cap-drop", "ALL", "--uid", uid, "--gid", uid, "--hostname", "proxy"),
        # An experiment's target has ports below 1024, which a user namespace within this one could not give.
        *(("--cap-add", "CAP_NET_BIND_SERVICE") if spec.loopback_only else ("--disable-userns",)),
        *("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--chdir", "/"),
        *_shown(),
        *(word for path, number in identity.files.items() for word in ("--file", str(number), path)),
        *("--file", str(resolver), str(RESOLVER)),
        *("--proc", "/proc", *(word for name in DEVICES for word in ("--dev-bind", name, name))),
        *("--symlink", "/proc/self/fd/1", "/dev/stdout", "--symlink", "/proc/self/fd/2", "/dev/stderr"),
        *("--perms", "0700", "--size", str(TEMPORARY), "--tmpfs", "/tmp"),  # noqa: S108
        *("--perms", "0700", "--size", str(MIB), "--tmpfs", "/dev/shm"),  # noqa: S108
        *("--bind", str(directory), DOOR_PLACE, "--remount-ro", "/"),
    ]


def _shown() -> Iterator[str]:
    """Yield the programs of this machine, as boxes see them, and nothing of a user's."""
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)
    for name in SETTINGS:
        yield from ("--ro-bind-try", name, name)
    if _python() != PYTHON:
        yield from ("--ro-bind", sys.base_prefix, sys.base_prefix)


def _python() -> Path:
    own = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return PYTHON if PYTHON.exists() else own


@contextmanager
def _resolver() -> Iterator[int]:
    """Open what this machine says of its name servers, as a descriptor that bubblewrap reads."""
    descriptor = os.memfd_create("resolv.conf")
    try:
        os.write(descriptor, RESOLVER.read_bytes() if RESOLVER.is_file() else b"")
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
