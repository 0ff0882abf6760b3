"""The throw-away repository that makes the model's `git diff` work."""

import shutil
import subprocess

import pytest

from ay_bot.agent import repository
from ay_bot.agent.repository import BackgroundRepository

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def git(root, *arguments):
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def test_it_holds_the_seed(tmp_path):
    (tmp_path / "a").write_text("1\n")
    made = BackgroundRepository(tmp_path)
    made.start()
    made.settle()
    (tmp_path / "a").write_text("2\n")
    assert git(tmp_path, "log", "--format=%s").split() == ["base"]
    assert "-1\n+2" in git(tmp_path, "diff")


def test_it_is_given_up_when_it_takes_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(repository, "PATIENCE", 0.0)
    monkeypatch.setattr(repository, "SCRIPT", "git init -q && sleep 30")
    made = BackgroundRepository(tmp_path)
    made.start()
    made.settle()
    assert not (tmp_path / ".git").exists()


def test_a_repository_of_ones_own_is_left_alone(tmp_path):
    (tmp_path / ".git").mkdir()
    made = BackgroundRepository(tmp_path)
    made.start()
    made.settle()
    assert list((tmp_path / ".git").iterdir()) == []
