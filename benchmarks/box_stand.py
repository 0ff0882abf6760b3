"""The stand for measures of single boxes: drivers, repositories, programs that flood, and what processes hold."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ay_bot.host import runtime
from ay_bot.host.sandbox import Box, BoxLimits, BoxSpec, Sandbox
from ay_bot.host.sandbox.select import choose
from ay_bot.protocol.messages import Seed, Seeded
from ay_bot.protocol.plain_messages import Check, Checked

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024
EMPTY_TAR = bytes(1024)


def driver_of(name: str) -> Sandbox:
    sandbox, _ = choose(name, os.environ)
    return sandbox


def spec(*, agent: bool = False, wall: float = 900.0) -> BoxSpec:
    return BoxSpec(run="bench", purpose="bench", only_for_checks=not agent, limits=BoxLimits(wall=wall))


def seed(box: Box, archive: bytes | memoryview = EMPTY_TAR) -> None:
    box.channel.send(Seed(body_size=len(archive)), archive)
    message, _ = box.channel.receive()
    if not isinstance(message, Seeded):
        raise SystemExit(f"benchmark: the box answered {message} to its seed")


def run(box: Box, command: str, timeout: float = 600.0) -> Checked:
    box.channel.send(Check(command=command, timeout=timeout, report=""))
    message, _ = box.channel.receive()
    if not isinstance(message, Checked):
        raise SystemExit(f"benchmark: the box said {message.kind}")
    return message


@contextmanager
def another_program(after_hello: str) -> Iterator[None]:
    """Let boxes run this instead of their service: Python with `channel`, the box's end of the pipe."""
    kept = runtime.START
    first, separator, last = kept.partition("from ay_bot")
    body = "".join(f"    {line}\n" for line in after_hello.splitlines())
    service = f"import ay_bot.agent.chores as w\ndef serve(root, channel, **more):\n{body}w.serve_checks = serve\n"
    runtime.START = f"{first}\n{service}{separator}{last}"
    try:
        yield
    finally:
        runtime.START = kept


def wide_repository(directory: Path, files: int, size: int) -> Path:
    """Make a repository of many files that hold nothing that packs well, and so many bytes in all."""
    repository = directory / f"wide-{files}"
    each = size // files
    for number in range(files):
        path = repository / f"package_{number // 100}" / f"module_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"# " + os.urandom(each // 2).hex().encode()[: each - 3] + b"\n")
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    settings = ["-c", "user.name=Ana", "-c", "user.email=ana@example.invalid", "-c", "core.compression=0"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Many files"]):
        subprocess.run(["git", *settings, *command], cwd=repository, env=environment, check=True)
    return repository


def resident(pid: int) -> int:
    """Return what a process has in memory, in bytes."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def engine_process() -> int:
    """Return the pid of the engine on this machine, or 0 where it can't be seen."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().strip() == "dockerd":
                    return int(entry.name)
            except OSError:
                continue
    return 0


class Growth:
    """How much some processes grew at most while the with block ran, in bytes."""

    def __init__(self, *pids: int) -> None:
        self._pids = [pid for pid in pids if pid]
        self._first = {pid: resident(pid) for pid in self._pids}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most = 0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self.seconds = time.monotonic() - self._started
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            self.most = max([self.most, *(resident(pid) - self._first[pid] for pid in self._pids)])


def members_of(box: Box) -> list[int]:
    """Return the processes that belong to a box, as this machine counts them."""
    if box.name.startswith("bubblewrap-"):
        return [int(box.name.rpartition("-")[2]), *_below(int(box.name.rpartition("-")[2]))]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if box.name in (entry / "cgroup").read_text():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _below(pid: int) -> list[int]:
    found = []
    for entry in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = [int(word) for word in (entry / "children").read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_below(child)]
    return found
