"""Events delivered to the bot: a loopback GitHub, real git, the whole of `ay-bot action`; walls and model left out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from ay_bot.host import pipeline
from ay_bot.host.action import entry, request_run
from ay_bot.host.action.connection import Rhythm
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.host.github.api_request import Pace as RequestPace
from ay_bot.host.github.pacing import Pace as EditPace
from tests.fakes import LocalSandbox
from tests.host.test_pipeline import FINISH, MEND, Script
from tests.loopback_github.server import LoopbackGitHub

QUICK = Rhythm(RequestPace(between_writes=0, backoff=0.01, limit_wait=0.01, timeout=5), EditPace(0.05, 60.0))
FILES = {
    "sums.py": "def add(a, b):\n    return a - b\n",
    "test_sums.py": "from sums import add\n\n\ndef test_add():\n    assert add(2, 1) == 3\n",
    ".github/ay-bot.yml": "test: PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q\n",
}
BOT = "github-actions[bot]"


class Model(Script):
    """A gateway that says what it is told to, as a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Desk:
    """Where events are delivered. `answers` makes the model of each run."""

    github: LoopbackGitHub
    place: Path
    token: str
    patch: pytest.MonkeyPatch
    answers: Callable[[], Model] = lambda: Model(MEND, FINISH)
    models: list[Model] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    runs: int = 0

    def start_gateway(self) -> Model:
        self.models.append(self.answers())
        return self.models[-1]

    def environment(self, name: str, payload: Mapping[str, Any], **inputs: str) -> dict[str, str]:
        self.runs += 1
        folder = self.place / f"run{self.runs}"
        folder.mkdir(parents=True)
        (folder / "event.json").write_text(json.dumps(payload))
        given = {
            "github-token": self.token,
            "model": "openai/scripted",
            **{k.replace("_", "-"): v for k, v in inputs.items()},
        }
        return {
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": self.github.repository().full_name,
            "GITHUB_RUN_ID": str(1000 + self.runs),
            "GITHUB_SERVER_URL": self.github.url,
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_GRAPHQL_URL": self.github.graphql_url,
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "RUNNER_TEMP": str(folder),
            **{f"INPUT_{key.upper()}": value for key, value in given.items()},
        }

    def run(self, environment: Mapping[str, str]) -> int:
        log = WorkflowLog(self.log.append)
        return int(entry.run_action(environment, lambda record: self.events.append(record.event), log, QUICK))

    def deliver(self, name: str, payload: Mapping[str, Any], **inputs: str) -> int:
        return self.run(self.environment(name, payload, **inputs))

    def say(self, number: int, body: str, *, login: str = "maria", **inputs: str) -> int:
        return self.deliver(
            "issue_comment", self.github.payload_for_comment(self.github.comment(number, body, login=login)), **inputs
        )

    def outputs(self) -> dict[str, str]:
        """Return GITHUB_OUTPUT of the last run."""
        lines = (self.place / f"run{self.runs}" / "output").read_text().splitlines()
        return {line.partition("<<")[0]: lines[number + 1] for number, line in enumerate(lines) if "<<ay-bot-" in line}

    def tracking(self, number: int) -> list[str]:
        own = [comment.body for comment in self.github.comments(number, login=BOT)]
        return [body for body in own if body.startswith("<!-- ay-bot:v1 kind=tracking")]


def open_desk(github: LoopbackGitHub, place: Path, patch: pytest.MonkeyPatch, files: Mapping[str, str] = FILES) -> Desk:
    github.add_repository("maria/bank", files)
    github.add_user("maria", role="admin", association="OWNER")
    github.add_user("ben", role="read")
    desk = Desk(github, place, github.add_actions_token(), patch)
    patch.setattr(pipeline, "choose", lambda *_, **__: (LocalSandbox(), ()))
    patch.setattr(request_run, "start_gateway", desk.start_gateway)
    return desk
