"""A short soak: runs killed at random moments leave nothing after the next command. `make soak` kills a thousand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.docker
@pytest.mark.bwrap
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_at_40_runs_that_are_killed_at_random_leave_nothing_after_the_next_command(tmp_path: Path):
    lines = tmp_path / "killed.jsonl"
    command = [sys.executable, "-m", "benchmarks.soak", "--runs", "10", "--json", str(lines)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    killed = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [one["wrong"] for one in killed if one["wrong"]] == []
    assert done.returncode == 0
    assert len(killed) == 10
    assert {one["sandbox"] for one in killed} == {"docker", "bubblewrap"}
    assert any(one["before"] for one in killed), "nothing was left before cleaning either, so this shows nothing"
