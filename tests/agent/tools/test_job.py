"""Background commands: they run on while others run, are looked at and ended, and never outlive the session."""

import time
from pathlib import Path

import pytest

from ay_bot.agent.commands import run_command, start_job
from ay_bot.agent.jobs import JOBS, MOST_JOBS
from ay_bot.agent.loop import Agent
from ay_bot.agent.tools.job import JOB
from ay_bot.agent.tools.shell import SHELL
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import ToolMessage
from ay_bot.protocol.messages import Work
from tests.agent.scripting import ScriptedModel, calls


@pytest.fixture
def bench(tmp_path):
    JOBS.all.clear()
    yield Workbench(root=tmp_path, scratch=tmp_path, run=run_command, start=start_job, output_limit=4_000)
    JOBS.end_all()
    JOBS.all.clear()


def start(bench, command):
    return SHELL.run({"command": command, "background": True}, bench)


def look(bench, **arguments):
    return JOB.run(arguments, bench)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_runs_on_while_others_run(bench, tmp_path):
    result = start(bench, "echo started; while [ ! -e go ]; do sleep 0.02; done; echo done; exit 3")
    assert "job 1 runs" in result.text
    assert SHELL.run({"command": "true"}, bench).ok
    assert look(bench, id=1).text in {"started\n[job 1 runs]", "[job 1 runs]"}
    SHELL.run({"command": "touch go"}, bench)
    ended = look(bench, id=1, wait=10).text
    assert ended.endswith("done\n[job 1 ended with exit code 3]")
    assert look(bench, id=1).text == "[job 1 ended with exit code 3]", "what was shown is not shown again"


def test_it_is_ended_with_all_that_it_started(bench, tmp_path):
    start(bench, "sleep 1000 & echo $! > pid; wait")
    end = time.monotonic() + 10
    while not (tmp_path / "pid").exists() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.1)
    child = int((tmp_path / "pid").read_text())
    assert alive(child)
    assert "exit code 137" in look(bench, id=1, end=True).text
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def test_there_are_only_so_many(bench):
    for _ in range(MOST_JOBS):
        assert start(bench, "sleep 1000").ok
    assert "at most" in start(bench, "sleep 1000").text
    look(bench, id=1, end=True)
    assert start(bench, "sleep 1000").ok


def test_much_output_is_cut(bench):
    start(bench, "seq 1 100000")
    text = look(bench, id=1, wait=10).text
    assert "bytes left out" in text
    assert "100000\n[job 1 ended" in text
    assert len(text) < 5_000


@pytest.mark.parametrize("arguments", [{"id": 7}, {"id": "x"}, {}, {"id": 1, "wait": -1}])
def test_what_makes_no_sense_is_refused(bench, arguments):
    assert look(bench, **arguments).failure == "refused"


def test_none_outlives_the_session(tmp_path):
    JOBS.all.clear()
    model = ScriptedModel(
        calls(("shell", {"command": "sleep 1000", "background": True})), calls(("finish", {"summary": "x"}))
    )
    Agent(Work(task="x"), tmp_path, model, [].append, scratch=tmp_path / "scratch").run()
    results = [m.content for m in model.requests[-1].messages if isinstance(m, ToolMessage)]
    assert results == ["[job 1 runs; look at it with job]"]
    assert not JOBS.running()
    assert JOBS.all[1].exit_code == 137
    JOBS.all.clear()
