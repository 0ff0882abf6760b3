"""A whole run with a set-up: what it made is there for the agent and for the proof, and is no part of the change."""

import json
import subprocess
from pathlib import Path

import pytest
from bot_runs import Bot, Ended, commit_all, git
from scripted_answers import call, finish, serve

pytestmark = pytest.mark.docker

CONFIG = """\
test: sh check.sh
setup:
  - mkdir -p node_modules/dep && echo 5 > node_modules/dep/answer
  - echo 1.0 > generated.txt; touch /usr/local/installed
"""
CHECK = (
    '[ "$(sh add.sh 2 3)" = "$(cat node_modules/dep/answer)" ] && [ -f generated.txt ] && [ -f /usr/local/installed ]\n'
)


def run(bot: Bot, project: Path) -> tuple[Ended, str]:
    script = [
        call(
            "shell",
            command="git status --short; cat node_modules/dep/answer; echo 6 > generated.txt; echo new > new.txt",
        ),
        call("edit", path="add.sh", edits=[{"search": "$1 - $2", "replace": "$1 + $2"}]),
        call("run_tests"),
        finish(),
    ]
    with serve(script) as model:
        ended = bot.run(project, api_base=model.api_base, sandbox="docker", test=None)
        return ended, model.said_to_it()


def test_a_run_with_a_set_up(bot: Bot, tmp_path: Path):
    project = tmp_path / "project"
    (project / ".github").mkdir(parents=True)
    (project / ".github/ay-bot.yml").write_text(CONFIG)
    (project / "add.sh").write_text("echo $(($1 - $2))\n")
    (project / "check.sh").write_text(CHECK)
    commit_all(project)
    ended, _ = run(bot, project)
    assert ended.exit_code == 0, ended.stderr
    assert sorted(line for line in ended.diff.decode().split("\n") if line.startswith("+++ ")) == [
        "+++ b/add.sh",
        "+++ b/new.txt",
    ]
    kinds = [event["type"] for event in ended.events]
    assert kinds.count("setup_ran") == 2
    boxes = [event["purpose"] for event in ended.events if event["type"] == "box_opened"]
    assert boxes[:2] == ["setup", "agent"]
    assert git(project, "status", "--short") == ""
    listed = bot.end_of(bot.start("image", "list", "--json"))
    mine = [image for image in json.loads(listed.stdout) if image["repository"] == str(project)]
    assert len(mine) == 1
    assert not mine[0]["in_use"]
    subprocess.run(["docker", "image", "rm", mine[0]["name"]], check=True, capture_output=True)


def test_a_set_up_that_fails_ends_the_run(bot: Bot, tmp_path: Path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "check.sh").write_text("true\n")
    commit_all(project)
    with serve([]) as model:
        options = {"sandbox": "docker", "test": "true", "setup": "echo no such package >&2; exit 7"}
        ended = bot.run(project, api_base=model.api_base, **options)
        assert model.requests == []
    assert ended.exit_code == 2
    assert "failed with exit code 7" in ended.stderr
    assert "no such package" in ended.stderr
