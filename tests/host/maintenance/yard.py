"""A repository with chores on the loopback GitHub, real git, and maintenance as a whole; walls and model left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ay_bot.host import local_run
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.host.maintenance.run import maintain
from tests.host.action.deliveries import BOT, QUICK, Desk, Model, open_desk
from tests.host.test_pipeline import FINISH, edit
from tests.loopback_github.server import LoopbackGitHub
from tests.loopback_github.world import Thread

GOOD = "def add(a, b):\n    return a + b\n"
FILES = {
    "sums.py": GOOD,
    "other.py": "x = 1\n",
    "check.py": "from sums import add\nassert add(2, 1) == 3\n",
    "docs/use.md": "Call plus().\n",
}
CHORES = """\
  - {name: tidy, task: Say what x is., schedule: "0 6 * * 1"}
  - {name: docs, kind: stale_docs, schedule: "H 5 * * *"}
"""
TIDY = edit("other.py", "x = 1", "x = 2")
DOCS = edit("docs/use.md", "plus()", "add()")


def config(chores: str = CHORES) -> str:
    return f"test: python3 check.py\nmaintenance:\n{chores}"


@dataclass
class Yard:
    """Where maintenance is done. `scripts` are what the models of the next runs say."""

    desk: Desk
    scripts: list[Model] = field(default_factory=list)

    @property
    def github(self) -> LoopbackGitHub:
        return self.desk.github

    @property
    def asked(self) -> int:
        """Return how many models were started."""
        return len(self.desk.models)

    def maintain(self, *scripts: list, chore: str | None = None, due: bool = False, **inputs: str) -> int:
        self.scripts = [Model(script, FINISH, FINISH) for script in scripts]
        environment = self.desk.environment("workflow_dispatch", {}, **inputs)
        log = WorkflowLog(self.desk.log.append)
        return int(maintain(environment, lambda _: None, log, chore=chore, due=due, rhythm=QUICK))

    def next_model(self) -> Model:
        return self.scripts.pop(0)

    @property
    def board(self) -> Thread:
        (issue,) = [issue for issue in self.github.threads("issue") if "kind=dashboard" in issue.body]
        assert issue.login == BOT
        return issue

    def section(self, chore: str) -> str:
        """Return the heading that a chore stands under, and its lines."""
        shown = next(part for part in self.board.body.split("\n## ") if f"ay-bot:chore={chore} " in part)
        lines = re.split(r"^- ", shown, flags=re.MULTILINE)
        return lines[0].strip() + "\n" + next(line for line in lines if f"ay-bot:chore={chore} " in line)

    def tick(self, chore: str) -> None:
        line = re.compile(rf"- \[ \](?=.*ay-bot:chore={chore} )")
        body = line.sub("- [x]", self.board.body)
        assert body != self.board.body
        self.github.edit_thread(self.board.number, body=body.replace("\n", "\r\n"))

    def summary(self) -> str:
        return (self.desk.place / f"run{self.desk.runs}" / "summary.md").read_text()

    def edits(self) -> int:
        """Return how often an issue was written to so far."""
        return len([each for each in self.github.requests if each.method == "PATCH" and "/issues/" in each.path])

    def task(self, number: int = -1) -> str:
        """Return what a model was asked."""
        return str(self.desk.models[number].requests[0].messages)


def open_yard(
    github: LoopbackGitHub,
    place: Path,
    patch: pytest.MonkeyPatch,
    chores: str = CHORES,
    files: Mapping[str, str] = FILES,
) -> Yard:
    desk = open_desk(github, place, patch, {**files, ".github/ay-bot.yml": config(chores)})
    yard = Yard(desk)
    desk.answers = yard.next_model
    patch.setattr(local_run, "start_gateway", desk.start_gateway)
    return yard
