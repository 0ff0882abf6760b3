"""What the scripted model does in each benchmark, and the repositories it does it to."""

import json
import os
import subprocess
from pathlib import Path

from demo.run import make_repository as make_demo_repository

DEMO = Path(__file__).resolve().parent.parent / "demo"
TESTS = "python3 -m pytest -q"
BROKEN = "    return {person: round(total * weight / whole) for person, weight in weights.items()}\n"
MENDED = """\
    shares = {person: total * weight // whole for person, weight in weights.items()}
    for person in list(weights)[: total - sum(shares.values())]:
        shares[person] += 1
    return shares
"""


def demo_script() -> object:
    """Return the turns of `make demo`."""
    return json.loads((DEMO / "script.json").read_text())


def five_answers() -> object:
    """Run the tests, read the file, edit it, run the tests, finish."""
    edit = {"path": "evenly/split.py", "edits": [{"search": BROKEN, "replace": MENDED}]}
    return {
        "turns": [
            _call("I run the tests first.", "shell", command=TESTS),
            _call("I read the file.", "read", path="evenly/split.py"),
            _call("I fix the line.", "edit", **edit),
            _call("I run the tests again.", "shell", command=TESTS),
            _call("All tests pass.", "finish", summary="Shares are whole cents that add up to the bill."),
        ],
        "side": ["fix: share whole cents"] * 3,
    }


def one_edit() -> object:
    """Edit the file and finish: the shortest script that brings a run through all of its phases."""
    edit = {"path": "evenly/split.py", "edits": [{"search": BROKEN, "replace": MENDED}]}
    turns = [_call("I fix the line.", "edit", **edit), _call("Done.", "finish", summary="Shares are whole cents.")]
    return {"turns": turns, "side": ["fix: share whole cents"] * 3}


def trivial_steps(steps: int) -> object:
    """Run `echo step k` so many times, then finish without a change."""
    turns = [_call(f"Step {number}.", "shell", command=f"echo step {number}") for number in range(1, steps + 1)]
    return [*turns, _call("All steps are done.", "finish", summary="All steps are done.")]


def one_answer() -> object:
    """Finish at once."""
    return [_call("", "finish", summary="Nothing to do.")]


def _call(text: str, tool: str, **arguments: object) -> object:
    return {"text": text, "tool_calls": [{"name": tool, "arguments": arguments}]}


def demo_repository(directory: Path) -> Path:
    """Make the demo's repository."""
    return make_demo_repository(directory)


def large_repository(directory: Path, files: int) -> Path:
    """Make a repository of many small files."""
    repository = directory / "large"
    for number in range(files):
        path = repository / f"package_{number // 100}" / f"module_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""Module {number}."""\n\nVALUE = {number}\n' * 10)
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.invalid", "-c", "init.defaultBranch=main"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Many files"]):
        subprocess.run(["git", *identity, *command], cwd=repository, env=environment, check=True)
    return repository
