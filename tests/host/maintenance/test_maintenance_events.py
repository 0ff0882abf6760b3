"""Maintenance as the Action starts it: by a schedule, by a person, in one job only; and run again after it was killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ay_bot.errors import ExitCode
from tests.host.maintenance.yard import DOCS, TIDY, Model, Yard, config
from tests.host.test_pipeline import FINISH, edit


def deliver(yard: Yard, name: str, *scripts: list, **payload) -> int:
    inputs = payload.pop("with_", {})
    yard.scripts = [Model(script, FINISH, FINISH) for script in scripts]
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


READ_ONLY = {"contents": "read", "issues": "read", "pull_requests": "read", "checks": "read", "metadata": "read"}


def work(yard: Yard, *scripts: list) -> tuple[int, Path]:
    """Do the job with the model, which may only read; return its exit code and where its bundles are."""
    writer, yard.desk.token = yard.desk.token, yard.github.add_actions_token(READ_ONLY)
    yard.github.forget_requests()
    code = deliver(yard, "schedule", *scripts, schedule="23 4 * * *", with_={"mode": "work"})
    assert not [request for request in yard.github.requests if request.writes]
    yard.desk.token = writer
    return code, Path(yard.desk.outputs()["bundle"]) / "bundle"


def publish(yard: Yard, bundles: Path) -> int:
    """Do the other job of the same run, which has no model."""
    payload = yard.github.payload_for_repository(schedule="23 4 * * *")
    environment = yard.desk.environment("schedule", payload, mode="publish", bundle=str(bundles), model="")
    return yard.desk.run({**environment, "GITHUB_RUN_ID": str(1000 + yard.desk.runs - 1)})


def test_two_jobs_do_what_one_does_with_bundles_between_them(yard: Yard):
    github = yard.github
    code, bundles = work(yard, TIDY, DOCS)
    assert (code, len(list(bundles.iterdir())), github.pulls()) == (0, 2, [])
    assert "a change was made and proven" in yard.summary()
    github.push("main", {"sums.py": "# the default branch goes on\ndef add(a, b):\n    return a + b\n"})
    assert publish(yard, bundles) == 0
    assert {pull.head_branch for pull in github.pulls()} == {"ay/maintain-tidy", "ay/maintain-docs"}
    assert [len(github.commits(pull.head_branch)) for pull in github.pulls()] == [1, 1]
    assert yard.asked == 2
    assert yard.section("tidy").startswith("Pull requests open")
    code, bundles = work(yard)
    assert (code, bundles.exists()) == (0, False)
    assert publish(yard, bundles) == 0
    assert (len(github.pulls()), yard.asked) == (2, 2)


def test_what_the_job_with_the_model_failed_at_is_told_by_the_other(yard: Yard):
    code, bundles = work(yard, edit("sums.py", "a + b", "a - b"), [("finish", {"summary": "All is true."})])
    assert code == ExitCode.TESTS_FAILED
    assert publish(yard, bundles) == ExitCode.TESTS_FAILED
    assert yard.github.pulls() == []
    assert yard.section("tidy").startswith("Failed")
    assert "nothing to do" in yard.section("docs")


def test_a_chore_that_was_changed_between_the_jobs_stays_due(yard: Yard):
    _, bundles = work(yard, TIDY, DOCS)
    yard.github.push("main", {".github/ay-bot.yml": config().replace("{name: tidy,", "{name: tidy, paths: [docs/],")})
    assert publish(yard, bundles) == 0
    assert [pull.head_branch for pull in yard.github.pulls()] == ["ay/maintain-docs"]
    assert yard.section("tidy").startswith("Not done yet")


def test_a_bundle_is_judged_again_by_the_chores_paths(yard: Yard):
    _, bundles = work(yard, [("finish", {"summary": "x is 1."})], DOCS)
    for change in bundles.glob("*/change.json"):
        change.write_text(change.read_text().replace('"docs/use.md"', '"other.py"'))
    assert publish(yard, bundles) == ExitCode.CHANGE_REFUSED
    assert yard.github.pulls() == []
    assert yard.section("docs").startswith("Failed")


def test_a_forged_bundle_is_refused(yard: Yard):
    _, bundles = work(yard, TIDY, [("finish", {"summary": "All is true."})])
    (place,) = [each for each in bundles.iterdir() if (each / "contents").read_bytes()]
    (place / "contents").write_bytes(b"x = 3\n and more")
    assert publish(yard, bundles) == ExitCode.PROTOCOL_BROKEN
    assert yard.github.pulls() == []


def test_a_base_that_the_default_branch_does_not_hold_is_not_worked_on(yard: Yard):
    _, bundles = work(yard, TIDY, [("finish", {"summary": "All is true."})])
    yard.github.push("other", {"evil.py": "1\n"})
    for manifest in bundles.glob("*/bundle.json"):
        text = manifest.read_text()
        manifest.write_text(text.replace(json.loads(text)["base"], yard.github.branches()["other"]))
    assert publish(yard, bundles) == 0
    assert "evil.py" not in str(yard.github.file("evil.py", "ay/maintain-tidy"))
    (pull,) = yard.github.pulls()
    assert yard.github.file("other.py", pull.head_branch) == b"x = 2\n"


def test_without_a_bundle_a_chore_stays_due(yard: Yard, tmp_path):
    assert (
        deliver(yard, "schedule", schedule="23 4 * * *", with_={"mode": "publish", "bundle": str(tmp_path / "none")})
        == 0
    )
    assert yard.section("tidy").startswith("Not done yet")
    assert yard.asked == 0


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
