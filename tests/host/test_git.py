import hashlib
import os
import stat
from pathlib import Path

import pytest
from git_repositories import make_repository

from ay_bot.errors import ExitCode, UsageError
from ay_bot.host import git
from ay_bot.host.git import GitFailed, run_git


@pytest.fixture
def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a program in git's place and return a function that says what it does."""

    def make(script: str) -> None:
        program = tmp_path / "git"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return make


def test_returns_what_git_says(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "1"})
    assert run_git(["cat-file", "-p", "HEAD:a"], git_dir=repository / ".git") == b"1"
    assert (
        run_git(["hash-object", "--stdin"], data=b"x\r\n").decode().strip()
        == hashlib.sha1(b"blob 3\0x\r\n").hexdigest()
    )


def test_a_failure_carries_gits_words(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="not a git repository") as caught:
        run_git(["rev-parse", "HEAD"], git_dir=tmp_path)
    assert caught.value.exit_code is ExitCode.BUG
    with pytest.raises(UsageError, match="is not a directory"):
        run_git(["version"], directory=tmp_path / "nowhere")


def test_nothing_of_the_callers_environment_reaches_git(fake_git, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_git("env")
    for name in (
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_SSH_COMMAND",
        "GIT_CONFIG_COUNT",
        "LD_PRELOAD",
        "OPENAI_API_KEY",
        "HTTPS_PROXY",
    ):
        monkeypatch.setenv(name, "x" if name != "LD_PRELOAD" else "")
    seen = dict(line.split("=", 1) for line in run_git(["x"]).decode().splitlines())
    assert {name: value for name, value in seen.items() if name not in {"PWD", "_", "SHLVL", "OLDPWD"}} == {
        "PATH": seen["PATH"],
        **git._ENVIRONMENT,
    }
    assert seen["HOME"] == "/nonexistent"


def test_git_is_limited(fake_git) -> None:
    # The limits are set right after the start, so give them a moment.
    fake_git("sleep 0.2; ulimit -v; ulimit -f; ulimit -c")
    memory, file_size, core = map(int, run_git(["x"]).split())
    assert memory * 1024 == git.ADDRESS_SPACE
    assert file_size * 512 == git.FILE_SIZE
    assert core == 0


def test_a_git_that_hangs_is_ended(fake_git, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_git("exec sleep 60")
    monkeypatch.setattr(git, "SECONDS", 0.3)
    with pytest.raises(GitFailed, match=r"not done after 0\.3 s"):
        run_git(["x"])


def test_nothing_can_be_fetched(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "1"})
    run_git(["init", "-q", "--bare", str(tmp_path / "clone")])
    with pytest.raises(GitFailed, match="not allowed"):
        run_git(["fetch", f"file://{repository}"], git_dir=tmp_path / "clone")
