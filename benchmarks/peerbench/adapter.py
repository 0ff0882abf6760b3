"""Adapter of ay-bot for peerbench, the side-by-side bench of agents' overhead: one peer for each kind of box.

Name this folder in $PEERBENCH_PEERS, then `bench.py install ay-bot-docker ay-bot-bwrap` and `bench.py run` as for
any other peer. It installs the checkout that it lies in. The boxes of the Docker peer are metered with the rest of the
run: a thread moves their processes into the run's control group (version 1 only) as soon as the engine has them.
"""

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peer import Context, Launch, Peer, pip_install, quiet  # peerbench's own

CHECKOUT = Path(__file__).resolve().parent.parent.parent
GROUPS = Path("/sys/fs/cgroup")
METERED = ("cpuacct", "cpu")  # the first counts, the second gives the run its shares on a busy machine
ENGINE = "/var/run/docker.sock"
KEPT = "peerbench-ay-bot:kept"


class AyBot(Peer):
    """ay-bot in one kind of box. Its edit tool takes peerbench's answers as they are."""

    first = "ay-bot-docker"  # has the installation that both use
    sandbox = ""

    def _venv(self, context: Context) -> Path:
        return context.prefix.parent / self.first / "venv"

    def install(self, context: Context) -> None:
        """Install the checkout with its locked packages."""
        if self.name == self.first:
            lock = CHECKOUT / "requirements" / "all.txt"
            pip_install(context.prefix, "--require-hashes", "--requirement", str(lock))
            pip_install(context.prefix, "--no-deps", "--force-reinstall", str(CHECKOUT))

    def version(self, context: Context) -> str:
        """Return the version and the digest of what the box holds."""
        return self.image(context).partition(":")[2]

    def image(self, context: Context) -> str:
        """Return the name of the box image of the installed version."""
        return quiet([self._venv(context) / "bin/python", "-m", "ay_bot.host.image"]).strip()

    def sizes(self, context: Context) -> list[Path]:
        """Return what is installed."""
        return [self._venv(context)]

    def launch(self, context: Context) -> Launch:
        """Return the command of one run, which leaves its change on a branch."""
        command = [self._venv(context) / "bin/ay-bot", "run", "--repo", ".", "--task", context.task]
        command += ["--model", "openai/scripted", "--api-base", f"{context.base_url}/v1"]
        command += ["--test", "python3 -m pytest -q", "--sandbox", self.sandbox, "--branch", "ay/fix"]
        return Launch(command, {"OPENAI_API_KEY": "none", "LITELLM_LOCAL_MODEL_COST_MAP": "True"})

    def view(self, context: Context) -> tuple[str, str]:  # noqa: ARG002 - the signature of its base
        """Return where the box has the repository, and its Python."""
        return "/work", "python3"

    def cleanup(self, context: Context) -> None:
        """Check out the change, where there is one, so that it is seen."""
        git = ["git", "-C", str(context.repo), "-c", "advice.detachedHead=false"]
        subprocess.run([*git, "checkout", "--quiet", "ay/fix"], capture_output=True, check=False)


class InDocker(AyBot):
    """Boxes that the engine makes."""

    name = "ay-bot-docker"
    sandbox = "docker"

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._watcher: threading.Thread | None = None

    def install(self, context: Context) -> None:
        """Install, and build the image."""
        super().install(context)
        built = quiet([CHECKOUT / "scripts" / "build-image"]).strip().splitlines()[-1]
        if built != self.image(context):
            raise RuntimeError(f"the checkout changed meanwhile: {built} was built, {self.image(context)} is needed")
        quiet(["docker", "tag", built, KEPT])

    def launch(self, context: Context) -> Launch:
        """Keep the image in sight, and meter the boxes."""
        quiet(["docker", "tag", KEPT, self.image(context)])  # builds of other checkouts remove old images
        self._ended.clear()
        if context.cgroup_parent and (GROUPS / METERED[0]).is_dir():
            self._watcher = threading.Thread(target=_meter, args=(context.cgroup_parent, self._ended), daemon=True)
            self._watcher.start()
            time.sleep(0.05)
        return super().launch(context)

    def cleanup(self, context: Context) -> None:
        """End the watcher."""
        self._ended.set()
        if self._watcher:
            self._watcher.join(timeout=2)
        super().cleanup(context)


class InBubblewrap(AyBot):
    """Boxes that bubblewrap makes."""

    name = "ay-bot-bwrap"
    sandbox = "bubblewrap"


# ----------------------------------------------------------------- metering of containers


def _meter(group: str, ended: threading.Event) -> None:
    """Move the processes of the run's boxes into its group, as each box starts."""
    for container, owner in _boxes_that_start(ended):
        if _is_in(owner, group):
            for pid in _pids_of(container):
                _move(pid, group)


def _move(pid: str, group: str) -> None:
    for controller in METERED:
        with contextlib.suppress(OSError):
            (GROUPS / controller / group.lstrip("/") / "cgroup.procs").write_text(pid)


def _boxes_that_start(ended: threading.Event) -> Iterator[tuple[str, str]]:
    """Yield the id and the owner's pid of each box that starts, until it is over."""
    filters = json.dumps({"event": ["start"], "label": ["ay.run"]})
    with socket.socket(socket.AF_UNIX) as engine:
        engine.connect(ENGINE)
        engine.sendall(f"GET /events?filters={filters.replace(' ', '')} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        engine.settimeout(0.2)
        data = b""
        while not ended.is_set():
            try:
                data += engine.recv(65536)
            except TimeoutError:
                continue
            *lines, data = data.split(b"\n")
            for line in lines:
                if line.startswith(b"{"):
                    event: dict[str, Any] = json.loads(line)
                    owner = event["Actor"]["Attributes"].get("ay.owner", "::").split(":")[1]
                    yield event["id"], owner


def _is_in(pid: str, group: str) -> bool:
    try:
        return group in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _pids_of(container: str) -> list[str]:
    try:
        return (GROUPS / METERED[0] / "docker" / container / "cgroup.procs").read_text().split()
    except OSError:
        return []


PEERS = [InDocker(), InBubblewrap()]
