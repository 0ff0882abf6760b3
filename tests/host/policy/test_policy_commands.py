"""`ay-bot policy …` as scripts call it: what stands where, and the exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ay_bot.cli import app
from tests.host.git_repositories import make_repository

RULES = "commands:\n  - {prefix: [git, push], reason: the bot publishes}\n"
DIFF = "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository", {".github/ay-bot.yml": RULES, "a.py": "x\n"})


def call(*words: object, given: str = "") -> Result:
    return CliRunner().invoke(app, ["policy", *map(str, words)], input=given)


def test_options_may_stand_anywhere_and_those_of_the_command_are_its_own(repository: Path) -> None:
    for words in (
        ("git", "push", "--force", "--repo", repository),
        ("--repo", repository, "--", "git", "push", "--force"),
    ):
        told = call("explain", *words)
        assert told.exit_code == 0
        assert told.stdout.startswith("command git push --force\n")
        assert (
            "REFUSED\n    rule:   forbid [git, push] (.github/ay-bot.yml:2)\n    why:    the bot publishes"
            in told.stdout
        )


def test_an_explanation_is_data_on_request(repository: Path) -> None:
    told = json.loads(call("explain", "pypi.org", "--repo", repository, "--json").stdout)
    assert (told["kind"], [answer["verdict"] for answer in told["answers"]]) == ("host", ["refused"] * 3)
    assert told["answers"][0]["change"] == "network: {setup: {mode: allowlist, presets: [pip]}}"


@pytest.mark.parametrize(
    ("diff", "code", "shown"),
    [
        (DIFF.format("b.py"), 0, "open      open   added   b.py"),
        (DIFF.format("pyproject.toml"), 0, "review"),
        (DIFF.format(".github/workflows/x.yml"), 6, "withheld"),
        (DIFF.format("aux.c"), 6, "the whole change would be refused: 'aux.c' holds the name of a Windows device"),
        ("", 0, "VERDICT"),
    ],
)
def test_a_diff_is_judged_with_an_exit_code(repository: Path, diff: str, code: int, shown: str) -> None:
    told = call("check", "-", "--repo", repository, given=diff)
    assert (told.exit_code, " ".join(shown.split()) in " ".join(told.stdout.split())) == (code, True), told.stdout
    data = call("check", "-", "--repo", repository, "--json", given=diff)
    assert data.exit_code == code
    assert set(json.loads(data.stdout)) == {"paths", "refused", "by_text", "alarms"}


def test_a_repository_that_is_none_is_told(tmp_path: Path) -> None:
    assert call("check", "-", "--repo", tmp_path, given="").exception
    assert call("explain", "a.py", "--repo", tmp_path).exception
