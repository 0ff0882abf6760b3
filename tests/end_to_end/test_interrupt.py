"""A run that is interrupted or killed, at every phase: nothing of it is left, and the repository is as it was."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bot_runs import Bot, commit_all, fingerprint, read_events, wait_until
from scripted_answers import COMMIT_MESSAGE, Answer, call, finish, serve

pytestmark = pytest.mark.slow

Events = list[dict[str, Any]]
PATIENCE = """\
import time
from pathlib import Path


def test_patience():
    time.sleep(100 if "slow" in Path("calculator.py").read_text() else 0)
"""
FIX = call("edit", path="calculator.py", edits=[{"search": "a - b", "replace": "a + b"}])
SLOW_FIX = call("edit", path="calculator.py", edits=[{"search": "a - b", "replace": "a + b  # slow"}])


def opened(purpose: str) -> Callable[[Events], bool]:
    return lambda events: any(e["type"] == "box_opened" and purpose in e["purpose"] for e in events)


def happened(kind: str, **fields: str) -> Callable[[Events], bool]:
    return lambda events: any(e["type"] == kind and fields.items() <= e.items() for e in events)


THINKS = (Answer(wait=100),)


@dataclass(frozen=True)
class Moment:
    """A point of a run at which it waits to be interrupted, and how to know that it is there."""

    name: str
    reached: Callable[[Events], bool]
    answers: tuple[Answer, ...] = THINKS
    base_is_slow: bool = False
    message_wait: float = 0.0


MOMENTS = [
    Moment("at the very start", bool),
    Moment("baseline", opened("baseline"), base_is_slow=True),
    Moment("model thinks", happened("model_asked")),
    Moment("command runs", happened("tool_started", tool="shell"), (call("shell", command="sleep 1000"),)),
    Moment("command that hides", happened("tool_finished"), (call("shell", command="setsid sleep 1000 &"), *THINKS)),
    Moment("checks", opened("candidate"), (SLOW_FIX, finish())),
    Moment("message", happened("phase_started", phase="message"), (FIX, finish()), message_wait=100),
]


def at(everywhere: str, somewhere: str) -> pytest.MarkDecorator:
    """Take every moment in one sandbox, and in the other those at which the box is busiest."""
    marks = {"docker": pytest.mark.docker, "bubblewrap": pytest.mark.bwrap}
    cases = [(moment, everywhere) for moment in MOMENTS] + [(MOMENTS[3], somewhere), (MOMENTS[5], somewhere)]
    return pytest.mark.parametrize(
        ("moment", "sandbox"),
        [pytest.param(moment, name, marks=marks[name], id=f"{moment.name}, {name}") for moment, name in cases],
    )


def processes() -> dict[int, tuple[int, str]]:
    """Return parent and start time of every process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                found[int(entry.name)] = (int(fields[1]), fields[19])
    return found


def family(ancestor: int) -> set[tuple[int, str]]:
    """Return every process below one, and itself, by pid and start time."""
    known = processes()
    members = {ancestor}
    while more := {pid for pid, (parent, _) in known.items() if parent in members and pid not in members}:
        members |= more
    return {(pid, known[pid][1]) for pid in members if pid in known}


def alive(members: set[tuple[int, str]]) -> set[tuple[int, str]]:
    known = processes()
    return {(pid, start) for pid, start in members if pid in known and known[pid][1] == start}


def containers(host: int) -> list[str]:
    """Return the boxes on the engine that belong to one host process."""
    import docker

    client = docker.from_env()
    try:
        ours = client.containers.list(all=True, ignore_removed=True, filters={"label": "ay.owner"})
        return [box.name for box in ours if box.labels["ay.owner"].split(":")[1] == str(host)]
    finally:
        client.close()


def volumes() -> set[str]:
    import docker

    client = docker.from_env()
    try:
        return {volume.name for volume in client.volumes.list() if not volume.name.startswith("ay-bot-runtime-")}
    finally:
        client.close()


@contextmanager
def running_at(
    moment: Moment, sandbox: str, bot: Bot, calculator: Path
) -> Iterator[tuple["subprocess.Popen[str]", set[tuple[int, str]]]]:
    """Start a run, wait until it is at this moment, and give it and all its processes."""
    (calculator / "test_patience.py").write_text(PATIENCE)
    if moment.base_is_slow:
        (calculator / "calculator.py").write_text((calculator / "calculator.py").read_text() + "# slow\n")
    commit_all(calculator)
    before = fingerprint(calculator)
    with serve(moment.answers) as model:
        model.commit_message = Answer(text=COMMIT_MESSAGE, wait=moment.message_wait)
        process = bot.start(*bot.run_arguments(calculator, api_base=model.api_base, sandbox=sandbox))
        try:
            reached = wait_until(lambda: moment.reached(read_events(bot.out)) or process.poll() is not None, 60)
            assert reached
            assert process.poll() is None, process.communicate()
            time.sleep(0.3)
            yield process, family(process.pid)
        finally:
            process.kill()
            process.communicate()
    assert fingerprint(calculator) == before


@at("bubblewrap", "docker")
def test_control_c(moment: Moment, sandbox: str, bot: Bot, calculator: Path):
    with running_at(moment, sandbox, bot, calculator) as (process, members):
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        ended = bot.end_of(process, timeout=20)
        assert time.monotonic() - started < 5
        assert ended.exit_code == 130
        assert ended.result["status"] == "stopped"
        assert "interrupted" in ended.result["reason"]
        assert "Traceback" not in ended.stderr
        assert ended.events[-1]["type"] == "run_finished"
        assert wait_until(lambda: not alive(members), 5 - (time.monotonic() - started))
        if sandbox == "docker":
            assert containers(process.pid) == []


@pytest.mark.bwrap
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_other_signals_end_a_run_as_control_c_does(number: signal.Signals, bot: Bot, calculator: Path):
    with running_at(MOMENTS[2], "bubblewrap", bot, calculator) as (process, members):
        process.send_signal(number)
        ended = bot.end_of(process, timeout=20)
        assert ended.exit_code == 130
        assert ended.result["status"] == "stopped"
        assert wait_until(lambda: not alive(members), 5)


@pytest.mark.bwrap
def test_impatient_control_c(bot: Bot, calculator: Path):
    with running_at(MOMENTS[3], "bubblewrap", bot, calculator) as (process, members):
        for _ in range(5):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.05)
        ended = bot.end_of(process, timeout=20)
        assert ended.exit_code == 130
        assert "Traceback" not in ended.stderr
        assert wait_until(lambda: not alive(members), 5)


@at("docker", "bubblewrap")
def test_kill_9_leaves_nothing_once_cleaned(moment: Moment, sandbox: str, bot: Bot, calculator: Path):
    held = volumes() if sandbox == "docker" else set()
    with running_at(moment, sandbox, bot, calculator) as (process, members):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert wait_until(lambda: not alive(members), 5), "a process outlived its host"
        cleaned = bot.end_of(bot.start("doctor", "--clean"))
        assert cleaned.exit_code == 0
        if sandbox == "docker":
            assert containers(process.pid) == []
            assert wait_until(lambda: volumes() <= held, 3)
    assert bot.leftovers() == []


def test_next_run_cleans_up_after_kill_9(sandbox: str, bot: Bot, calculator: Path):
    with running_at(MOMENTS[3], sandbox, bot, calculator) as (process, members):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert bot.leftovers() != [], "nothing was left behind, so this test shows nothing"
    with serve([FIX, finish()]) as model:
        ended = bot.run(calculator, api_base=model.api_base, sandbox=sandbox)
    assert ended.exit_code == 0
    assert not alive(members)
    if sandbox == "docker":
        assert containers(process.pid) == []
