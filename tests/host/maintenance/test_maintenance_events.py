"""Maintenance as the Action starts it: by a schedule, by a person, in one job only; and run again after it was killed."""

import os
import signal
import subprocess
import sys

import pytest

from ay_bot.errors import ExitCode
from tests.host.maintenance.yard import DOCS, TIDY, Model, Yard, config
from tests.host.test_pipeline import FINISH


def deliver(yard: Yard, name: str, *scripts: list, **payload) -> int:
    inputs = payload.pop("with_", {})
    yard.scripts = [Model(script, FINISH) for script in scripts]
    return yard.desk.deliver(name, yard.github.payload_for_repository(**payload), **inputs)


def test_a_schedule_does_what_is_due(yard: Yard):
    assert deliver(yard, "schedule", TIDY, DOCS, schedule="23 4 * * *") == 0
    assert {pull.head_branch for pull in yard.github.pulls()} == {"ay/maintain-tidy", "ay/maintain-docs"}
    assert deliver(yard, "schedule", schedule="23 4 * * *") == 0
    assert yard.asked == 2
    assert "No chore was due." in yard.summary()


def test_a_person_names_chores(yard: Yard):
    inputs = {"verb": "maintain", "instruction": "docs", "number": ""}
    assert deliver(yard, "workflow_dispatch", DOCS, inputs=inputs) == 0
    (pull,) = yard.github.pulls()
    assert pull.head_branch == "ay/maintain-docs"
    assert "asked for by @maria" in pull.body.replace("Asked", "asked")


def test_an_outsider_starts_no_maintenance(yard: Yard):
    assert deliver(yard, "workflow_dispatch", sender="ben", inputs={"verb": "maintain"}) != 0
    assert (yard.asked, yard.github.pulls(), yard.github.threads("issue")) == (0, [], [])


def test_the_base_commits_settings_judge_who_starts_it_too(yard: Yard):
    yard.github.add_user("wanda", role="write")
    yard.github.push("main", {".github/ay-bot.yml": f"who: admin\n{config()}"})
    assert deliver(yard, "workflow_dispatch", sender="wanda", inputs={"verb": "maintain"}) == ExitCode.DENIED
    assert (yard.asked, yard.github.threads("issue")) == (0, [])
    assert deliver(yard, "schedule", TIDY, DOCS, schedule="23 4 * * *") == 0


def test_two_jobs_do_no_maintenance_and_say_so(yard: Yard):
    assert deliver(yard, "schedule", schedule="23 4 * * *", with_={"mode": "work"}) == 0
    assert yard.asked == 0
    assert "one job" in yard.summary()


def test_without_chores_nothing_is_written(yard: Yard):
    yard.github.push("main", {".github/ay-bot.yml": "test: python3 check.py\n"})
    yard.github.forget_requests()
    assert deliver(yard, "schedule", schedule="23 4 * * *") == 0
    assert not [request for request in yard.github.requests if request.writes]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(7))
def test_killed_after_a_write_and_run_again(yard: Yard, number: int):
    github = yard.github
    running: list[subprocess.Popen] = []

    def kill(_request: object) -> None:
        running[-1].send_signal(signal.SIGKILL)
        running[-1].wait()

    def run() -> int:
        environment = {
            **os.environ,
            **yard.desk.environment("schedule", github.payload_for_repository(schedule="1 * * * *")),
        }
        command = [sys.executable, "-m", "tests.host.maintenance.one_run"]
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        return running[-1].wait(timeout=100)

    github.kill_after("WRITE", "", kill, skip=number)
    assert run() in (-signal.SIGKILL, 0)
    assert run() == 0
    assert run() == 0
    (pull,) = github.pulls()
    assert pull.head_branch == "ay/maintain-tidy"
    assert github.file("other.py", pull.head_branch) == b"x = 2\n"
    assert len(github.commits(pull.head_branch)) == 1
    assert len([row for row in github.repository().statuses if row["context"] == "ay-bot/verified"]) == 1
    assert "## Pull requests open" in yard.board.body
