"""A run that is killed with SIGKILL at any step, and then run again: one pull request, one comment, a final state."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from ay_bot.protocol.events import Phase
from tests.host.action.deliveries import BOT, Desk, open_desk

PLAIN = {
    "sums.py": "def add(a, b):\n    return a - b\n",
    "check.py": "from sums import add\nassert add(2, 1) == 3\n",
    ".github/ay-bot.yml": "test: python3 check.py\nrepository_map: on\n",
}
WRITES = 6
"""How many writes a whole run sends to GitHub, edits of the comment left out; a test below holds it to that."""


@pytest.fixture
def plain_desk(loopback_github, tmp_path, monkeypatch) -> Desk:
    return open_desk(loopback_github, tmp_path / "runs", monkeypatch, PLAIN)


class Delivery:
    """The same event, delivered as often as wanted, each time in a process of its own.

    What a killed one leaves lies in `temporary`: a runner is thrown away, this machine is not.
    """

    def __init__(self, desk: Desk, temporary: Path, thread: int = 0) -> None:
        self.desk = desk
        self.temporary = temporary / "temporary"
        self.temporary.mkdir()
        self.number = thread or desk.github.open_issue("add() subtracts", "It should add.").number
        self.payload = desk.github.payload_for_comment(desk.github.comment(self.number, "@ay fix this"))
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, deadly: str = "") -> int:
        own = {"GITHUB_RUN_ID": "77", "TMPDIR": str(self.temporary)}
        environment = {**os.environ, **self.desk.environment("issue_comment", self.payload), **own}
        command = [sys.executable, "-m", "tests.host.action.one_delivery", deadly]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        errors = self.process.communicate(timeout=100)[1]
        assert b"Traceback" not in errors, errors.decode()
        return self.process.returncode

    def kill(self, _request: object) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def assert_whole(self) -> None:
        github = self.desk.github
        (pull,) = github.pulls()
        assert github.file("sums.py", pull.head_branch) == b"def add(a, b):\n    return a + b\n"
        assert set(github.branches()) == {"main", pull.head_branch}
        assert len(github.commits(pull.head_branch)) == 1
        (comment,) = github.comments(self.number, login=BOT)
        assert "state=done" in comment.body
        verified = [row for row in github.repository().statuses if row["context"] == "ay-bot/verified"]
        assert len(verified) == 1


@pytest.mark.slow
@pytest.mark.parametrize("phase", get_args(Phase))
def test_killed_at_a_phase_of_the_pipeline(plain_desk: Desk, tmp_path: Path, phase: str):
    delivery = Delivery(plain_desk, tmp_path)
    assert delivery.run(phase) == -signal.SIGKILL
    assert list(delivery.temporary.glob("local-box-*")) or phase != "session"
    assert delivery.run() == 0
    delivery.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(WRITES))
def test_killed_at_a_write(plain_desk: Desk, tmp_path: Path, number: int, moment: str):
    delivery = Delivery(plain_desk, tmp_path)
    kill = plain_desk.github.kill_before if moment == "before" else plain_desk.github.kill_after
    kill("WRITE", r"^(?!.*/issues/comments/\d+$)", delivery.kill, skip=number)
    assert delivery.run() == -signal.SIGKILL
    assert delivery.run() == 0
    delivery.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("write", ["/graphql", "/comments$", "/statuses/"])
def test_killed_after_a_write_to_a_pull_request(plain_desk: Desk, tmp_path: Path, write: str):
    github, earlier = plain_desk.github, plain_desk.github.world.now() - timedelta(minutes=5)
    github.push("feature", {"new.py": "x = 1\n"}, at=earlier)
    pull = github.open_pull("Add", head="feature", at=earlier)
    delivery = Delivery(plain_desk, tmp_path, pull.number)
    github.kill_after("WRITE", write, delivery.kill)
    assert delivery.run() == -signal.SIGKILL
    assert delivery.run() == 0
    assert github.file("sums.py", "feature") == b"def add(a, b):\n    return a + b\n"
    assert len(github.commits("feature")) == 2
    tracking = [comment for comment in github.comments(pull.number, login=BOT) if "kind=tracking" in comment.body]
    assert len(tracking) == 1
    assert "state=done" in tracking[0].body


@pytest.mark.slow
def test_the_matrix_covers_every_write(plain_desk: Desk, tmp_path: Path):
    delivery = Delivery(plain_desk, tmp_path)
    assert delivery.run() == 0
    delivery.assert_whole()
    assert list(delivery.temporary.iterdir()) == []
    writes = [
        request for request in (*plain_desk.github.requests, *plain_desk.github.git_requests)
        if request.writes and not (request.method == "PATCH" and "/issues/comments/" in request.path)
    ]  # fmt: skip
    assert len(writes) == WRITES, "\n".join(map(str, writes))
