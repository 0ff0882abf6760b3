"""`ay-bot sandbox exec`: a command behind the wall, with its output and its exit code."""

import os
import subprocess
from pathlib import Path

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.sandbox_exec import Executed, Wanted, run
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER


@pytest.fixture(params=[DOCKER, BUBBLEWRAP])
def driver(request: pytest.FixtureRequest) -> str:
    return request.param


def shell(driver: str, script: str, **settings: object) -> Executed:
    return run(["sh", "-c", script], os.environ, Wanted(sandbox=driver, **settings))


def test_output_and_exit_code_come_back(driver: str) -> None:
    done = shell(driver, "pwd; ls -A; echo 'two words' >&2; exit 7")
    assert (done.driver, done.exit_code, done.timed_out) == (driver, 7, False)
    assert done.output == "/work\ntwo words\n"


def test_arguments_reach_the_command_as_they_are(driver: str) -> None:
    words = ["a b", "$HOME", "*", "'\"", "", "-x", "é\n"]
    done = run(["printf", "<%s>", *words], os.environ, Wanted(sandbox=driver))
    assert done.output == "".join(f"<{word}>" for word in words)


def test_the_tree_of_head_is_the_workspace(driver: str, tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y"]
    (tmp_path / "kept").write_text("of HEAD\n")
    for arguments in (["init", "-q"], ["add", "kept"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], check=True)
    (tmp_path / "kept").write_text("not committed\n")
    (tmp_path / "other").write_text("")
    done = shell(driver, "cat kept; ls -A; echo changed > kept", repository=tmp_path)
    assert done.output == "of HEAD\nkept\n"
    assert (tmp_path / "kept").read_text() == "not committed\n"


def test_a_command_that_takes_too_long_is_ended(driver: str) -> None:
    done = shell(driver, "echo begun; sleep 60", timeout=0.5)
    assert (done.exit_code, done.timed_out, done.output) == (124, True, "begun\n")


def test_nothing_is_there_to_do_harm_to(driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2-of-the-caller")
    (tmp_path / "planted").write_text("of the host")
    harm = f"rm -rf {tmp_path}; cat {tmp_path}/planted; cat /proc/*/environ; touch /etc/x /usr/x; kill -9 1; printf '\\033[2J'"
    done = shell(driver, harm)
    assert (tmp_path / "planted").read_text() == "of the host"
    assert "hunter2" not in done.output
    assert "\x1b" not in done.output


@pytest.mark.parametrize(
    ("command", "settings", "message"),
    [
        ([], {}, "no command"),
        (["ls"], {"sandbox": "chroot"}, "no sandbox `chroot`"),
        (["ls"], {"timeout": 0}, "can't have 0 seconds"),
        (["ls"], {"repository": Path("/nonexistent")}, "does not exist"),
        (["ls"], {"policy": Path("/nonexistent")}, "can't be read"),
        (["ls"], {"network": "pypi"}, "`--network pypi` names no network"),
        (["ls"], {"network": "pip,10.0.0.1"}, "names no network"),
        (["ls"], {"sandbox": "bubblewrap", "image": "debian"}, "can't use the image"),
    ],
)
def test_what_cannot_be_done_is_told(command: list[str], settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(command, os.environ, Wanted(**settings))
