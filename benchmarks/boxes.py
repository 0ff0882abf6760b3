"""The measures of single boxes: how soon one is there, what goes in and out, floods, and eight at once."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ay_bot.host.changes import VerifiedPatch, propose
from ay_bot.host.checkout import open_checkout
from ay_bot.host.event_log import EventLog
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.repository import open_repository
from ay_bot.host.sandbox import Box, Sandbox
from ay_bot.host.sandbox.bubblewrap import BubblewrapSandbox
from ay_bot.host.sandbox.docker import DockerSandbox
from ay_bot.host.session import Session
from ay_bot.protocol.conversation import ToolCall
from ay_bot.protocol.messages import ModelReply, ModelRequest, Work
from benchmarks import scripts
from benchmarks.box_stand import (
    MIB,
    Growth,
    another_program,
    driver_of,
    engine_process,
    members_of,
    resident,
    run,
    seed,
    spec,
    wide_repository,
)  # fmt: skip
from benchmarks.clock import PYTHON, median
from benchmarks.stand import run_bot
from benchmarks.table import Row, judge

READY = {"docker": 0.25, "bubblewrap": 0.1}
SELF_CHECK = 0.05
INSIDE, BACK = 1.5, 1.0
MESSAGES, LARGE, CHANNEL_MEMORY = 20_000, 1.5, 200
FLAT = 64  # MB that an engine may grow by while it passes a flood on
IDLE = 60
OBSERVE = (
    '{python} -I -S -B -c \'import os, sys, time; sys.path.append("/opt/ay/packages")\n'
    "from ay_bot.agent.observing import observe\ntaken = []\n"
    "for _ in range(9):\n    began = time.perf_counter()\n    observe(os.environ)\n"
    "    taken.append(time.perf_counter() - began)\nprint(sorted(taken)[4])'"
)


def ready(sandboxes: list[str], rounds: int) -> Iterator[Row]:
    """From the order of a box to its first message; and what its checks take of that."""
    for name in sandboxes:
        with _timed_checks() as checks:
            taken, looked = [], []
            sandbox = driver_of(name)
            for number in range(rounds + 2):
                checks.clear()
                started = time.monotonic()
                with sandbox.open(spec()):
                    seconds = time.monotonic() - started
                if number > 1:
                    taken.append(seconds)
                    looked.append(sum(checks))
        with sandbox.open(spec()) as box:
            seed(box)
            within = median([_observe(box, name) for _ in range(5)])
        limit = READY[name]
        yield Row(
            "box ready for its first message", name, f"{median(taken) * 1000:.0f} ms", f"least {min(taken) * 1000:.0f}",
            f"{limit * 1000:.0f} ms", judge(met=median(taken) <= limit), f"medians of {rounds}, no agent loaded",
        )  # fmt: skip
        checked = median(looked) + within
        yield Row(
            "of it, checks of the box", name, f"{checked * 1000:.1f} ms", "-", f"{SELF_CHECK * 1000:.0f} ms",
            judge(met=checked <= SELF_CHECK), f"outside {median(looked) * 1000:.1f}, within {within * 1000:.1f} ms",
        )  # fmt: skip


def _observe(box: Box, name: str) -> float:
    from ay_bot.host.sandbox.bubblewrap import interpreter

    python = "/opt/ay/bin/python3" if name == "docker" else interpreter()[0]
    return float(run(box, OBSERVE.format(python=python)).output)


@contextmanager
def _timed_checks() -> Iterator[list[float]]:
    """Note how long the drivers take to compare each box with its plan."""
    checks = ((DockerSandbox, "_inspect_box"), (DockerSandbox, "_check_from_within"), (BubblewrapSandbox, "_check"))
    kept = [(kind, name, getattr(kind, name)) for kind, name in checks]
    noted: list[float] = []
    for kind, name, method in kept:
        setattr(kind, name, _timed(method, noted))
    try:
        yield noted
    finally:
        for kind, name, method in kept:
            setattr(kind, name, method)


def _timed(method: Callable[..., None], noted: list[float]) -> Callable[..., None]:
    def call(*arguments: object, **named: object) -> None:
        started = time.perf_counter()
        method(*arguments, **named)
        noted.append(time.perf_counter() - started)

    return call


def repository(sandboxes: list[str], rounds: int, files: int = 10_000, size: int = 108 * MIB) -> Iterator[Row]:
    """A large repository into a box, and a change of twenty files out of it and judged."""
    with tempfile.TemporaryDirectory(prefix="ay-bench-") as directory:
        made = wide_repository(Path(directory), files, size)
        for name in sandboxes:
            inside, back = [], []
            for number in range(rounds + 1):
                packed, unpacked, judged = _in_and_out(name, made, Path(directory))
                if number:
                    inside.append((packed, unpacked))
                    back.append(judged)
            whole = median([packed + unpacked for packed, unpacked in inside])
            yield Row(
                f"{size // MIB} MB in {files:,} files, inside", name, f"{whole:.2f} s", "-", f"{INSIDE} s",
                judge(met=whole <= INSIDE), f"git archive {median([one[0] for one in inside]):.2f}, "
                f"through the pipe and unpacked {median([one[1] for one in inside]):.2f}; medians of {rounds}",
            )  # fmt: skip
            yield Row(
                "its change of 20 files, back and judged", name, f"{median(back):.2f} s", "-", f"{BACK} s",
                judge(met=median(back) <= BACK), f"from the model's last word; medians of {rounds}",
            )  # fmt: skip


def _in_and_out(name: str, made: Path, directory: Path) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory(dir=directory) as scratch, ExitStack() as opened:
        checkout = opened.enter_context(open_checkout(open_repository(made), Path(scratch)))
        head, archive, model = checkout.repository.head, Path(scratch) / "base.tar", Editing()
        box = opened.enter_context(driver_of(name).open(spec(agent=True)))
        session = Session(box, model, EventLog("bench"))
        started = time.monotonic()
        checkout.archive(head, archive)
        packed = time.monotonic()
        session.seed(archive, "")
        unpacked = time.monotonic()
        finished, body = session.work(Work(task="Change twenty files."))
        patch = propose(checkout, head, finished, body, PathPolicy())
        judged = time.monotonic()
        if not isinstance(patch, VerifiedPatch) or len(patch.entries) != 20:
            raise SystemExit(f"benchmark: the change did not come back: {finished.summary} {patch}")
        return packed - started, unpacked - packed, judged - model.said_last


class Editing:
    """A model that has twenty files changed, and finishes."""

    def __init__(self) -> None:
        self.said_last = 0.0

    def ask(
        self, request: ModelRequest, _on_progress: object, *, when_sent: Callable[[], None], **_more: object
    ) -> ModelReply:
        """Answer at once."""
        when_sent()
        name, arguments = (
            "shell",
            {"command": "for n in $(seq 20); do echo changed >> package_$n/module_${n}00.py; done"},
        )
        if request.request_id > 1:
            name, arguments = "finish", {"summary": "Twenty files are changed."}
        self.said_last = time.monotonic()
        call = ToolCall(id=f"call-{request.request_id}", name=name, arguments=json.dumps(arguments))
        return ModelReply(request_id=request.request_id, tool_calls=(call,), finish_reason="tool_calls")


def channel(sandboxes: list[str]) -> Iterator[Row]:
    """Messages one way, and one large message, in a process of their own so that its memory is known."""
    for name in sandboxes:
        done = subprocess.run([PYTHON, "-m", "benchmarks.channel_probe", name], capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"benchmark: the channel's probe failed: {done.stderr.decode()[-1000:]}")
        seen = json.loads(done.stdout)
        for way, rate in (("box to host", seen["to_host"]), ("host to box", seen["to_box"])):
            yield Row(
                f"one-line messages, {way}",
                name,
                f"{rate:,.0f} /s",
                "-",
                f"{MESSAGES:,} /s",
                judge(met=rate >= MESSAGES),
            )
        for way, seconds in (("out of the box", seen["large_out"]), ("into the box", seen["large_in"])):
            yield Row(
                f"a message of 50 MB, {way}", name, f"{seconds:.2f} s", "-", f"{LARGE} s", judge(met=seconds <= LARGE)
            )
        yield Row(
            "its memory at the peak", name, f"{seen['memory']:.0f} MB", f"before {seen['before']:.0f} MB",
            f"{CHANNEL_MEMORY} MB", judge(met=seen["memory"] <= CHANNEL_MEMORY),
        )  # fmt: skip


def floods(sandboxes: list[str], size: int) -> Iterator[Row]:
    """Output that nobody needs: of a command, which the box cuts, and of a box that is hostile, on the pipe itself."""
    for name in sandboxes:
        yield _flood_row(f"{size // 1024**3} GB of output of a command", name, _command_flood, size)
        yield _flood_row(f"{size // 1024**3} GB on the pipe itself, read and thrown away", name, _pipe_flood, size)


def _flood_row(what: str, name: str, flood: Callable[[str, int], int], size: int) -> Row:
    engine = engine_process() if name == "docker" else 0
    with Growth(os.getpid(), engine) as growth:
        kept = flood(name, size)
    grown = growth.most / 1e6
    return Row(
        what, name, f"{growth.seconds:.0f} s", f"{size / 1e6 / growth.seconds:,.0f} MB/s", f"+{FLAT} MB",
        judge(met=grown <= FLAT and kept < MIB), f"{'engine and host' if engine else 'host'} grew by {grown:.0f} MB; "
        f"the engine keeps {kept} bytes of files for the box" if engine else f"host grew by {grown:.0f} MB",
    )  # fmt: skip


def _command_flood(name: str, size: int) -> int:
    with driver_of(name).open(spec()) as box:
        seed(box)
        checked = run(box, f"head -c {size} /dev/zero")
        if checked.exit_code or len(checked.output) > MIB:
            raise SystemExit(f"benchmark: the flood ended with {checked.exit_code}")
        return _kept_on_disk(box)


def _pipe_flood(name: str, size: int) -> int:
    with another_program("while True: channel._stream.write(bytes(1 << 20))"), driver_of(name).open(spec()) as box:
        stream, seen = box.channel._stream, 0  # noqa: SLF001 - below all that would end the box
        while seen < size:
            seen += len(stream.read(256 * 1024))
        return _kept_on_disk(box)


def _kept_on_disk(box: Box) -> int:
    """Return the bytes in the files that an engine on this machine has for a box: its log would be among them."""
    places = Path("/var/lib/docker/containers").glob(f"{box.name}*")
    return sum(path.stat().st_size for place in places for path in place.rglob("*") if path.is_file())


class Opening:
    """Opens boxes from several threads, which one of them closes in the end."""

    def __init__(self, sandbox: Sandbox, opened: ExitStack) -> None:
        self._sandbox = sandbox
        self._opened = opened
        self._lock = threading.Lock()

    def open_one(self, _number: int) -> Box:
        """Open an agent's box, and seed it."""
        manager = self._sandbox.open(spec(agent=True))
        box = manager.__enter__()
        with self._lock:
            self._opened.push(manager)
        seed(box)
        return box


def at_once(sandboxes: list[str], boxes: int = 8) -> Iterator[Row]:
    """Eight boxes with agents, idle; and eight whole runs at once."""
    for name in sandboxes:
        with ExitStack() as opened, ThreadPoolExecutor(boxes) as pool:
            opening = Opening(driver_of(name), opened)
            started = time.monotonic()
            running = list(pool.map(opening.open_one, range(boxes)))
            seconds = time.monotonic() - started
            held = [sum(map(resident, members_of(box))) / 1e6 for box in running]
        yield Row(
            f"{boxes} agent boxes at once, memory of each", name, f"{max(held):.0f} MB", f"ready in {seconds:.2f} s",
            f"{IDLE} MB", judge(met=max(held) < IDLE), "resident, pages shared with others counted in full",
        )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="ay-bench-") as directory, ThreadPoolExecutor(boxes) as pool:
            made = scripts.demo_repository(Path(directory))
            started = time.monotonic()
            runs = [pool.submit(run_bot, made, scripts.one_edit(), name, expect=0) for _ in range(boxes)]
            failed = sum(one.exception() is not None for one in runs)
            seconds = time.monotonic() - started
        yield Row(
            f"{boxes} whole runs at once", name, f"{failed} failed", f"{os.cpu_count()} processors", "0 failed",
            judge(met=not failed), f"all ended within {seconds:.1f} s",
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit("run `python -m benchmarks --only ready --only repository --only channel --only floods --only eight`")
