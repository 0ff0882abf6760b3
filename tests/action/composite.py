"""A composite action, run as the runner does it: conditions, environments, bash, and files that steps write to."""

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.action.expressions import evaluate, fill, holds

RUNNER = 1001
"""The user of GitHub's own runners."""


@dataclass
class Step:
    """A step that ran, or was left out."""

    name: str
    outcome: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""
    seconds: float = 0


@dataclass
class Ran:
    """A whole action, at its end."""

    status: str
    steps: list[Step]
    outputs: dict[str, str]

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def run_composite(
    action: Path, inputs: Mapping[str, str], environment: Mapping[str, str], temporary: Path, *, timeout: float = 300
) -> Ran:
    """Run all steps of `action`/action.yml."""
    described = yaml.safe_load((action / "action.yml").read_text())
    contexts: dict[str, Any] = {"github": {"token": environment.get("TEST_TOKEN", "")}, "steps": {}}
    defaults = {name: fill(str(of.get("default", "")), contexts) for name, of in described["inputs"].items()}
    assert set(inputs) <= set(defaults), "the runner only warns of inputs that don't exist"
    contexts["inputs"] = {**defaults, **inputs}
    status, steps = "success", []
    for number, described_step in enumerate(described["runs"]["steps"]):
        step = Step(described_step.get("id") or described_step["name"])
        steps.append(step)
        if holds(str(described_step.get("if", "")), contexts, status):
            files = temporary / f"file_commands_{number}"
            _run(step, described_step, contexts, {**environment, "GITHUB_ACTION_PATH": str(action)}, files, timeout)
        status = "failure" if step.outcome == "failure" else status
        contexts["steps"][step.name] = {"outputs": step.outputs, "outcome": step.outcome}
    outputs = {name: fill(of["value"], contexts) for name, of in described["outputs"].items()}
    return Ran(status, steps, outputs)


def _run(
    step: Step, described: Mapping[str, Any], contexts: Mapping[str, Any], environment: Mapping[str, str], files: Path, timeout: float
) -> None:  # fmt: skip
    assert described["shell"] == "bash"
    files.mkdir()
    places = {name: files / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")}
    for place in places.values():
        place.touch()
    if os.geteuid() == 0:
        for place in (files, *places.values()):
            os.chown(place, RUNNER, RUNNER)
    own = {name: fill(str(value), contexts) for name, value in described.get("env", {}).items()}
    script = files / "script.sh"
    script.write_text(fill(described["run"], contexts))
    began = time.monotonic()
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        env={**environment, **{name: str(place) for name, place in places.items()}, **own},
        cwd=environment["GITHUB_WORKSPACE"],
        **as_runner(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )
    step.seconds = time.monotonic() - began
    step.outcome = "failure" if ran.returncode else "success"
    step.log = ran.stdout.decode("utf-8", "replace")
    step.outputs = read_outputs(places["GITHUB_OUTPUT"].read_text())
    step.summary = places["GITHUB_STEP_SUMMARY"].read_text()


def as_runner() -> dict[str, Any]:
    """Return how a process is started as the runner's user, who may use the engine; another user starts it as itself."""
    if os.geteuid():
        return {}
    return {"user": RUNNER, "group": RUNNER, "extra_groups": [Path("/var/run/docker.sock").stat().st_gid]}


def read_outputs(text: str) -> dict[str, str]:
    """Read a GITHUB_OUTPUT file as the runner does: `name=value`, or `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, end = line.split("<<", 1)
            value = []
            for inner in lines:
                if inner == end:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
        elif line:
            assert equals > 0, f"the runner refuses this line: {line}"
            found[line[:equals]] = line[equals + 1 :]
    return found


def condition_of(job: Mapping[str, Any], contexts: Mapping[str, Any]) -> bool:
    """Return whether a job of a workflow starts."""
    return holds(str(job.get("if", "")), contexts)


def group_of(job: Mapping[str, Any], contexts: Mapping[str, Any]) -> str:
    """Return the concurrency group that a job joins."""
    return fill(job["concurrency"]["group"], contexts)


__all__ = ["Ran", "Step", "condition_of", "evaluate", "group_of", "read_outputs", "run_composite"]
