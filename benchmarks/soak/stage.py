"""One slot of the soak: it starts a run, kills it at a moment, runs the next command, and looks at what is left."""

import ctypes
import hashlib
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ay_bot.host.owner import name_of
from benchmarks import scripts
from benchmarks.clock import BOT, LOCAL_PRICES, clean_environment
from benchmarks.soak import traces
from benchmarks.soak.traces import Known, Traces
from demo.scripted_model import ScriptedModel

if TYPE_CHECKING:
    from docker import APIClient

Number = Any  # multiprocessing has no names for these
Queue = Any
PR_SET_CHILD_SUBREAPER = 36
TEST = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -q"
PATIENCE = 180.0
SETTLES = 5.0  # seconds that an engine may take to remove what it was told to
EVERY_FULL_RUN = 10  # after so many kills the next command is a whole run, else `doctor --clean`


@dataclass(frozen=True)
class Killed:
    """One run that was killed. `before` and `after` count what was left, before and after the next command."""

    number: int
    sandbox: str
    moment: float  # of the length of a whole run
    phase: str
    next_command: str
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    settled: float = 0.0  # seconds until nothing was left, after the next command had ended
    wrong: tuple[str, ...] = ()


class Slot:
    """A place for one run at a time, with a repository, a home and a temporary directory of its own."""

    def __init__(self, directory: Path, sandboxes: list[str]) -> None:
        self.directory = directory
        self.lengths: dict[str, float] = {}
        self._repository = scripts.demo_repository(directory)
        for name in ("tmp", "home"):
            (directory / name).mkdir()
        self._engine = connect_engine() if "docker" in sandboxes else None
        for sandbox in sandboxes:
            self._whole_run(sandbox)  # the first one fills caches, and takes longer
            self.lengths[sandbox] = self._whole_run(sandbox)
        self._repository_as_it_was = fingerprint(self._repository)
        self._allowed = frozenset(path for name in ("tmp", "home") for path in (directory / name).rglob("*"))

    def kill_one(self, number: int, sandbox: str, chance: random.Random) -> Killed:
        """Start a run, kill it at a random moment, and look."""
        moment = chance.random()
        out = self.directory / "out"
        with ScriptedModel(scripts.one_edit()) as model:
            process = self._start(sandbox, model.api_base, out)
            known = Known(name_of(process.pid), self.directory, self._allowed)
            ended = _wait(process, moment * self.lengths[sandbox])
            if not ended:
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            phase = "ended by itself" if ended else phase_of(out)
            before = traces.look(known, self._engine)
        next_command = sandbox_run if number % EVERY_FULL_RUN == 0 else clean
        problems = next_command(self, sandbox)
        after, settled = self._settle(known)
        remove(out)
        self._allowed |= {Path(path) for kind in ("temporary files", "home files") for path in after[kind]}  # told once
        return Killed(
            number, sandbox, moment, phase, next_command.__name__.replace("_", " "),
            traces.count(before), traces.count(after), settled,
            (*problems, *(f"{kind}: {', '.join(found)[:300]}" for kind, found in after.items() if found)),
        )  # fmt: skip

    def _settle(self, known: Known) -> tuple[Traces, float]:
        """Look until nothing is left, at most so long; what is left then stays left."""
        started = time.monotonic()
        while True:
            reap_orphans()
            left = dict(traces.look(known, self._engine))
            if fingerprint(self._repository) != self._repository_as_it_was:
                left["repository"] = ["it is not as it was"]
            waited = time.monotonic() - started
            if not traces.count(left) or waited > SETTLES:
                return left, round(waited, 2)
            time.sleep(0.05)

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Run ay-bot to its end, and return what went wrong."""
        done = subprocess.run(
            [BOT, *arguments], env=self._environment(), cwd=self.directory, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        if done.returncode:
            return (f"{arguments[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}",)
        return ()

    def whole_run_problems(self, sandbox: str) -> tuple[str, ...]:
        """Carry out a whole run, and return what went wrong."""
        with ScriptedModel(scripts.one_edit()) as model:
            problems = self.command(*self._arguments(sandbox, model.api_base, self.directory / "out-next"))
        remove(self.directory / "out-next")
        return problems

    def _whole_run(self, sandbox: str) -> float:
        started = time.monotonic()
        problems = self.whole_run_problems(sandbox)
        if problems:
            raise SystemExit(f"soak: a whole run does not work here: {problems[0]}")
        return time.monotonic() - started

    def _start(self, sandbox: str, api_base: str, out: Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [BOT, *self._arguments(sandbox, api_base, out)], env=self._environment(), cwd=self.directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _arguments(self, sandbox: str, api_base: str, out: Path) -> list[str]:
        return [
            *("run", "--repo", str(self._repository), "--task", "Mend what fails.", "--model", "openai/scripted"),
            *("--api-base", api_base, "--test", TEST, "--sandbox", sandbox, "--out", str(out)),
        ]

    def _environment(self) -> dict[str, str]:
        own = {"TMPDIR": str(self.directory / "tmp"), "HOME": str(self.directory / "home")}
        return clean_environment({**LOCAL_PRICES, "OPENAI_API_KEY": "none-needed", **own})


def clean(slot: Slot, _sandbox: str) -> tuple[str, ...]:
    """Clean up as a person would."""
    return slot.command("doctor", "--clean")


def sandbox_run(slot: Slot, sandbox: str) -> tuple[str, ...]:
    """Run again, as a person would who has never heard of cleaning up."""
    return slot.whole_run_problems(sandbox)


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait, and say whether the process ended by itself in the meantime."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def phase_of(out: Path) -> str:
    """Return what a run was doing, as its own log says."""
    log = out / "events.jsonl"
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    events = [json.loads(line)["event"] for line in lines]
    phases = [event["phase"] for event in events if event["type"] == "phase_started"]
    if any(event["type"] == "run_finished" for event in events):
        return "after the end of its log"
    return phases[-1] if phases else "before its first phase"


def fingerprint(repository: Path) -> str:
    """Return a digest of every name, mode, time and content below a repository."""
    state = hashlib.sha256()
    for path in sorted(repository.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        state.update(repr((str(path), status.st_mode, status.st_mtime_ns, content)).encode())
    return state.hexdigest()


def remove(directory: Path) -> None:
    """Remove a directory of the soak's own."""
    subprocess.run(["rm", "-rf", "--", str(directory)], check=True)


def connect_engine() -> "APIClient":
    """Return a client of its own, in the engine's own terms."""
    import docker

    return docker.APIClient(version="auto")


def adopt_orphans() -> None:
    """Have the kernel hand every orphan below this process to it, so that none can be overlooked."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("soak: this process can't adopt orphans")


def reap_orphans() -> None:
    """Take note of orphans that ended."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return


@contextmanager
def open_slot(sandboxes: list[str]) -> Iterator[Slot]:
    """Make a slot, and remove its directory at the end."""
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="ay-soak-") as directory:
        yield Slot(Path(directory), sandboxes)


def work(next_number: Number, runs: int, end: float, sandboxes: list[str], seed: int, told: Queue) -> None:
    """Fill a slot until all runs are taken; tell the lengths of whole runs first, then each run that was killed."""
    with open_slot(sandboxes) as slot:
        told.put(slot.lengths)
        while (number := take(next_number)) < runs and time.monotonic() < end:
            chance = random.Random(f"{seed}-{number}")
            told.put(slot.kill_one(number, sandboxes[number % len(sandboxes)], chance))


def take(number: Number) -> int:
    """Return the next number, of which every slot gets another."""
    with number.get_lock():
        number.value += 1
        return number.value - 1
