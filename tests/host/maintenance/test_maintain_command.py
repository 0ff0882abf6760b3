"""`ay-bot maintain` as somebody types it: the program, the walls, a model's server; only GitHub is on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.scripted_answers import call, finish, serve
from tests.host.maintenance.yard import FILES, config

PROGRAM = Path(sys.executable).parent / "ay-bot"
ANSWERS = (
    call("edit", path="other.py", edits=[{"search": "x = 1", "replace": "x = 2"}]),
    finish(),
    call("edit", path="docs/use.md", edits=[{"search": "plus()", "replace": "add()"}]),
    finish(),
)


@pytest.mark.docker
@pytest.mark.slow
def test_twice_with_two_due_chores(loopback_github, tmp_path):
    github = loopback_github
    github.add_repository("maria/bank", {**FILES, ".github/ay-bot.yml": config()})
    github.add_user("maria", role="admin", association="OWNER")
    with serve(ANSWERS) as model:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "GITHUB_REPOSITORY": "maria/bank",
            "GITHUB_TOKEN": github.add_token("maria"),
            "GITHUB_SERVER_URL": github.url,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_GRAPHQL_URL": github.graphql_url,
            "INPUT_MODEL": "openai/scripted",
            "INPUT_API_BASE": model.api_base,
            "INPUT_SANDBOX": "docker",
            "OPENAI_API_KEY": "sk-scripted",
        }

        def maintain(*more: str) -> str:
            ended = subprocess.run(
                [PROGRAM, "maintain", *more],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr
            return ended.stdout

        assert "a pull request was made" in maintain("--due")
        asked = len(model.requests)
        first, second = github.pulls()
        assert {first.head_branch, second.head_branch} == {"ay/maintain-tidy", "ay/maintain-docs"}
        maintain()
        github.close(first.number)
        assert "which I take as a no" in maintain()
        assert "No chore was due." in maintain("--due")
    assert len(github.pulls()) == 2
    assert len(model.requests) == asked
