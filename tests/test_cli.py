"""The command line: what it imports, what it prints, and that the committed schemas are true."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
AY_BOT = [sys.executable, "-m", "ay_bot"]


def ay_bot(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*AY_BOT, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


@pytest.mark.parametrize(("arguments", "name"), [((), "config"), (("result",), "result"), (("events",), "events")])
def test_the_committed_schemas_are_those_of_the_code(arguments, name):
    printed = ay_bot("schema", *arguments)
    assert printed.returncode == 0
    assert json.loads(printed.stdout) == json.loads((ROOT / f"docs/{name}.schema.json").read_text())


def test_every_flag_of_the_contract_is_there():
    shown = ay_bot("run", "--help").stdout
    contract = (
        "repo task issue model api-base test setup sandbox image max-cost max-tokens max-steps timeout "
        "repair-rounds branch out json"
    )
    assert [flag for flag in contract.split() if f"--{flag} " not in shown] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "no task was given"),
        (["run", "--task", " "], "the task is empty"),
        (["run", "--task", "a", "--issue", "b"], "both --task and --issue"),
        (["run", "--issue", "no-such-file.md"], "can't be read"),
        (["run", "--task", "a", "--max-steps", "many"], "should be a valid integer"),
        (["run", "--task", "a", "--nonsense"], "--nonsense"),
        (["run", "--task", "a", "--model", "a/b", "--max-cost", "-1"], "--max-cost"),
        (["run", "--task", "a", "--model", "a/b", "--branch", "../x"], "can't be the name of a branch"),
        (["run", "--task", "a", "--repo", "/no/such/place", "--model", "a/b"], "/no/such/place"),
        (["schema", "poetry"], "there is no schema"),
        (["fly"], "fly"),
    ],
)
def test_wrong_usage_is_told_on_stderr_and_exits_2(arguments, says):
    ended = ay_bot(*arguments)
    assert ended.returncode == 2, ended.stderr
    assert says in " ".join(ended.stderr.replace("│", " ").split())
    assert ended.stdout == ""


def test_an_error_with_json_is_a_result_on_stdout_and_words_on_stderr(tmp_path):
    ended = ay_bot("run", "--task", "a", "--model", "a/b", "--json", "--repo", str(tmp_path))
    result = json.loads(ended.stdout)
    assert (result["status"], result["exit_code"], ended.returncode) == ("error", 2, 2)
    assert "not in a git repository" in result["reason"]
    assert "hint: " in ended.stderr


def test_out_holds_the_result_of_a_failure_too(tmp_path):
    ended = ay_bot("run", "--task", "a", "--model", "a/b", "--repo", str(tmp_path), "--out", str(tmp_path / "out"))
    assert ended.returncode == 2
    assert json.loads((tmp_path / "out/result.json").read_text())["status"] == "error"
    last = (tmp_path / "out/events.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["event"]["type"] == "run_finished"


def test_an_output_directory_that_cannot_be_made_is_told_first(tmp_path):
    (tmp_path / "file").write_text("")
    ended = ay_bot("run", "--task", "a", "--model", "a/b", "--repo", str(tmp_path), "--out", str(tmp_path / "file/out"))
    assert (ended.returncode, "can't be written" in ended.stderr) == (2, True)
