"""Boxes that bubblewrap makes, where no Docker engine answers: the same program and pipe, the host's own /usr."""

import math
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.egress.sidecar import Sidecar, SidecarSpec
from ay_bot.host.runtime import box_config, compile_sources, program
from ay_bot.host.sandbox import BoxSpec, DriverName, cgroup
from ay_bot.host.sandbox.box import RunningBox
from ay_bot.host.sandbox.bubblewrap_sidecar import open_sidecar
from ay_bot.host.sandbox.cgroup import BoxGroup
from ay_bot.host.sandbox.ending import explain_ending
from ay_bot.host.sandbox.guarantees import OWN_KERNEL, Guarantee, Weakness
from ay_bot.host.sandbox.inspection import first_process, read_process, shared_namespaces
from ay_bot.host.sandbox.mounts import Identity, arguments, places
from ay_bot.host.sandbox.policy import new_uid
from ay_bot.host.sandbox.self_check import Plan, differences, require_none
from ay_bot.host.sandbox.stream import ERROR_TAIL, BoxStream, SocketTransport
from ay_bot.host.sandbox.toolchain import Finder, Toolchain
from ay_bot.protocol.box_config import DOOR_PLACE, BoxConfig, ResourceLimits

INSTALL: Final = "install it: apt-get install -y bubblewrap"
# Enters the control groups, then becomes bubblewrap: a later move would leave out what it has started by then.
ENTER: Final = 'for group in $GROUPS_TO_ENTER; do echo $$ > "$group" || exit 97; done; unset GROUPS_TO_ENTER; exec "$@"'
PROCESSES_WITHOUT_GROUP: Final = 4096
REASON_LENGTH: Final = 300


class BubblewrapSandbox:
    """Boxes are namespaces with the host's programs, read-only, and nothing of the user's files, keys and network."""

    name: DriverName = "bubblewrap"

    def __init__(self, executable: str, toolchain: Toolchain) -> None:
        self._executable = executable
        self._toolchain = toolchain

    def resolve_image(self, image: str) -> str:
        """Return a name for what boxes are made of: the host itself. There are no others."""
        if image:
            msg = f"bubblewrap boxes are made of this machine's own programs; they can't use the image {image}"
            raise UsageError(msg, hint="leave the image out, or use a Docker engine (sandbox = docker)")
        return f"host:python-{sys.version_info.major}.{sys.version_info.minor}"

    def weaknesses(self) -> tuple[Weakness, ...]:
        """Return what can't be capped on this machine."""
        group = BoxGroup.create(BoxSpec(run="", purpose="").limits)
        group.remove()
        given = {*group.capped, *(["pids"] if counts_by_box() else [])}
        soft = (weakness for controller, weakness in SOFT.items() if controller not in given)
        return (*soft, *ALWAYS_LACKING)

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[RunningBox]:
        """Make a box, wait for its Hello, and end it at the end."""
        image = self.resolve_image(spec.image)
        compile_sources()
        group = BoxGroup.create(spec.limits)
        ours, theirs = socket.socketpair()
        with ours, TemporaryFile() as errors:
            uid = new_uid()
            process = self._start(spec, group, (theirs, errors), uid)
            transport = SocketTransport(ours)
            stream = BoxStream(transport, lambda: _explain(process, group, spec, errors))
            try:
                box = RunningBox(f"bubblewrap-{process.pid}", image, stream)
                box.wait_for_hello()
                self._check(box, spec, process.pid, uid)
                yield box
            finally:
                stream.end()
                process.kill()
                process.wait()
                group.remove()

    def open_sidecar(self, spec: SidecarSpec) -> AbstractContextManager[Sidecar]:
        """Start the relay of a door beside the boxes; see bubblewrap_sidecar."""
        return open_sidecar(self._executable, spec)

    def reap(self) -> list[str]:
        """Remove the control groups of dead owners; boxes themselves die with theirs."""
        return cgroup.reap()

    def _command(self, spec: BoxSpec, identity: Identity, config: BoxConfig) -> list[str]:
        """Return bubblewrap, its walls, and what runs behind them."""
        walls = arguments(spec.limits, self._toolchain, identity, spec.door)
        return [self._executable, *walls, "--", *interpreter(), *program(config)]

    def _check(self, box: RunningBox, spec: BoxSpec, starter: int, uid: int) -> None:
        """Compare the box with its plan, as its first process sees it and as this process does."""
        writable = frozenset({"/work", "/tmp"})  # noqa: S108 - the box's own
        shown = writable | places(self._toolchain) | frozenset({DOOR_PLACE} if spec.door else ())
        planned = Plan(uid=uid, places=shown, writable=writable, variables=frozenset())
        require_none(differences(box.hello.observed, planned), "within")
        try:
            pid = first_process(starter)
            shared = [f"it shares the {name} namespace with this process" for name in shared_namespaces(pid)]
            seen = differences(read_process(pid), replace(planned, uid=None))
        except (OSError, ValueError, IndexError) as error:
            seen, shared = [], [f"its first process can't be seen: {error}"]
        require_none([*shared, *seen], "outside")

    def _start(
        self, spec: BoxSpec, group: BoxGroup, streams: tuple[socket.socket, IO[bytes]], uid: int
    ) -> "subprocess.Popen[bytes]":
        limits = spec.limits
        pipe, errors = streams
        config = box_config(
            spec,
            {"PATH": ":".join(self._toolchain.path), **self._toolchain.variables},
            ResourceLimits(
                file_size=limits.file_size,
                open_files=limits.open_files,
                processes=0 if "pids" in group.capped else processes_limit(limits.pids),
                data=0 if "memory" in group.capped else limits.memory,
                memory=0 if "memory" in group.capped else limits.memory,
                inodes=limits.inodes,
                tasks=0 if "pids" in group.capped or counts_by_box() else limits.pids,
                processors=0 if "cpu" in group.capped else math.ceil(limits.cpus),
            ),
        )
        with pipe, Identity(uid) as identity:
            box = self._command(spec, identity, config)
            return subprocess.Popen(
                ["/bin/sh", "-c", ENTER, "sh", *box],
                stdin=pipe.fileno(),
                stdout=pipe.fileno(),
                stderr=errors.fileno(),
                cwd="/",
                # Bubblewrap's own environment shows in the box as /proc/1/environ.
                env={"GROUPS_TO_ENTER": " ".join(group.entrances())},
                pass_fds=identity.descriptors,
            )


def counts_by_box() -> bool:
    """Say whether the kernel counts this user's processes for each user namespace by itself: the limit then holds."""
    release = os.uname().release.split(".")
    return os.getuid() != 0 and (int(release[0]), int(release[1])) >= (5, 14)


def processes_limit(pids: int) -> int:
    """Return the limit on processes where no control group counts them; older kernels count all of the user's."""
    return pids if counts_by_box() else max(pids, PROCESSES_WITHOUT_GROUP)


CONTROL_GROUPS: Final = "a Docker engine, or root, or a user to whom systemd delegates control groups (Delegate=yes)"
SOFT_CAPS: Final[tuple[tuple[str, Guarantee, str], ...]] = (
    (
        "memory",
        "memory",
        (
            "memory is capped for each process, and softly for a box in all: it is looked at 20 times a second, "
            "and shared memory that no process has mapped is not seen"
        ),
    ),
    ("pids", "processes", "processes are capped softly for a box: they are counted 20 times a second"),
    ("cpu", "cpu", "processor time is capped in whole processors only"),
)
SOFT: Final[Mapping[str, Weakness]] = {
    controller: Weakness(lacks=lacks, why=f"{why} (this user can make no control group)", instead=CONTROL_GROUPS)
    for controller, lacks, why in SOFT_CAPS
}
ALWAYS_LACKING: Final = (
    Weakness(
        lacks="inodes",
        why="how many files a box makes is capped softly: it is looked at 20 times a second",
        instead="a Docker engine",
    ),
    Weakness(
        lacks="images", why="boxes are made of this machine's own programs", instead="a Docker engine", usual=True
    ),
    OWN_KERNEL,
)


def interpreter() -> list[str]:
    """Return the interpreter of the box's first process: the one that this process runs on, without its environment."""
    real = Path(sys.executable).resolve()
    if real.is_relative_to(Path(sys.base_prefix).resolve()):
        return [str(real)]
    return [f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"]


def find_bubblewrap(environment: Mapping[str, str], repository: Path | None = None) -> BubblewrapSandbox:
    """Return a driver if bubblewrap works here, or raise SandboxUnavailable."""
    executable = shutil.which("bwrap", path=environment.get("PATH"))
    if not executable:
        msg = "bubblewrap is not installed (there is no bwrap on the PATH)"
        raise SandboxUnavailable(msg, hint=INSTALL)
    trial = [executable, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
    tried = subprocess.run(trial, check=False, capture_output=True, env={}, cwd="/")
    if tried.returncode:
        reason = tried.stderr.decode("utf-8", "replace").strip()[:REASON_LENGTH]
        msg = f"bubblewrap can't make a box here: {reason}"
        raise SandboxUnavailable(msg, hint="let this user make user namespaces, or start a Docker engine")
    return BubblewrapSandbox(executable, Finder(environment, repository).find())


def _explain(process: "subprocess.Popen[bytes]", group: BoxGroup, spec: BoxSpec, errors: IO[bytes]) -> None:
    try:
        status: int | None = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        status = None
    errors.seek(0)
    text = errors.read()[-ERROR_TAIL:].decode("utf-8", "backslashreplace").strip()
    explain_ending(status, text, spec.limits, out_of_memory=group.ran_out_of_memory())
