"""What goes wrong before, around and inside a run: each has a clear message, its exit code, and an untouched repository."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from bot_runs import QUICK_TESTS, SYSTEM_PATH, Bot, Ended, commit_all, fingerprint, git
from scripted_answers import (
    Answer,
    Call,
    Fault,
    call,
    fails_with,
    finish,
    sends_garbage,
    sends_half_a_stream,
    serve,
)

from ay_bot.host.redact.redactor import Redactor

FIX = call("edit", path="calculator.py", edits=[{"search": "return a - b", "replace": "return a + b"}])
MENDED = (call("run_tests"), FIX, call("run_tests"), finish("Added instead of taking away."))
pytestmark = pytest.mark.slow


def refused(ended: Ended, exit_code: int, *words: str) -> None:
    """Check that a run ended with this exit code, and that what it says holds these words, a hint, and no traceback."""
    assert ended.exit_code == exit_code
    assert "ay-bot: error: " in ended.stderr
    assert "hint: " in ended.stderr
    assert "Traceback" not in ended.stderr
    missing = [word for word in words if word.lower() not in ended.stderr.lower()]
    assert not missing


def run(
    bot: Bot, repository: Path, answers: Sequence[Answer] = (), fault: Fault | None = None, **options: object
) -> Ended:
    """Run against a scripted model, and check that the repository is as it was, to the byte."""
    before = fingerprint(repository)
    with serve(answers, fault) as model:
        ended = bot.run(repository, **{"api_base": model.api_base, **options})
    assert fingerprint(repository) == before
    return ended


# ------------------------------------------------------------------------------------------- the command line


def test_not_a_git_repository(bot: Bot, calculator: Path):
    refused(run(bot, calculator), 2, "git repository", str(calculator))


def test_no_such_directory(bot: Bot, tmp_path: Path):
    ended = bot.run(tmp_path / "nowhere", api_base="http://127.0.0.1:9/v1")
    assert ended.exit_code == 2
    assert "nowhere" in ended.stderr


def test_unborn_branch(bot: Bot, calculator: Path):
    git(calculator, "init", "-q")
    refused(run(bot, calculator), 2, "commit")


@pytest.mark.parametrize("task", ["", " \n\t "])
def test_empty_task(task: str, bot: Bot, repository: Path):
    refused(run(bot, repository, task=task), 2, "task is empty")


def test_empty_issue_file(bot: Bot, repository: Path, tmp_path: Path):
    (tmp_path / "issue.md").write_bytes(b"\n")
    refused(run(bot, repository, task=None, issue=tmp_path / "issue.md"), 2, "task is empty")


def test_missing_issue_file(bot: Bot, repository: Path):
    refused(run(bot, repository, task=None, issue="no-such-file.md"), 2, "no-such-file.md")


def test_no_model(bot: Bot, repository: Path):
    refused(run(bot, repository, model=None), 2, "no model", "--model")


@pytest.mark.bwrap
def test_unknown_model(bot: Bot, repository: Path):
    refused(run(bot, repository, model="nobody/nothing", api_base=None), 2, "nobody/nothing")


@pytest.mark.bwrap
def test_no_key(bot: Bot, repository: Path):
    refused(run(bot, repository, model="openai/gpt-4o", api_base=None), 2, "OPENAI_API_KEY")


def test_no_test_command(bot: Bot, tmp_path: Path):
    (tmp_path / "prose").mkdir()
    (tmp_path / "prose" / "README").write_text("Nothing to run here.\n")
    commit_all(tmp_path / "prose")
    refused(run(bot, tmp_path / "prose", test=None), 2, "test", "--test")


def test_unknown_sandbox(bot: Bot, repository: Path):
    refused(run(bot, repository, sandbox="none"), 2, "sandbox", "bubblewrap")


def test_broken_config_in_base(bot: Bot, calculator: Path):
    (calculator / ".github").mkdir()
    (calculator / ".github" / "ay-bot.yml").write_text("max_steps: many\ntyop: 1\n")
    commit_all(calculator)
    refused(run(bot, calculator), 2, "max_steps", "tyop", ".github/ay-bot.yml")


@pytest.mark.bwrap
def test_branch_that_exists(bot: Bot, repository: Path):
    git(repository, "branch", "taken")
    refused(run(bot, repository, MENDED, branch="taken"), 2, "taken")


# ------------------------------------------------------------------------------------------- the sandbox


def test_no_engine_and_no_bubblewrap(bot: Bot, repository: Path, tmp_path: Path):
    few = tmp_path / "few"
    few.mkdir()
    for name in ("git", "sh"):
        (few / name).symlink_to(shutil.which(name, path=SYSTEM_PATH) or "")
    bot.environment |= {"PATH": str(few), "DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    refused(run(bot, repository, sandbox="auto"), 8, "docker", "bubblewrap")


def test_no_engine(bot: Bot, repository: Path, tmp_path: Path):
    bot.environment |= {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    refused(run(bot, repository, sandbox="docker"), 8, "docker")


@pytest.mark.docker
def test_image_that_does_not_exist(bot: Bot, repository: Path):
    ended = run(bot, repository, sandbox="docker", image="no-such-image-here:never")
    refused(ended, 8, "no-such-image-here:never")


# ------------------------------------------------------------------------------------------- the model


@pytest.fixture(scope="module", autouse=True)
def unreachable(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bot, "subprocess.Popen[str]", int] | None]:
    """A run against a port where nobody listens, begun before the other tests: it waits between its tries."""
    if not any(item.name == test_unreachable_server.__name__ for item in request.session.items):
        yield None
        return
    directory = tmp_path_factory.mktemp("unreachable")
    (directory / "repository").mkdir()
    (directory / "repository" / "test_it.py").write_text("def test_it():\n    assert 0\n")
    commit_all(directory / "repository")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bot = Bot(directory)
    process = bot.start(*bot.run_arguments(directory / "repository", api_base=f"http://127.0.0.1:{port}/v1"))
    yield bot, process, port
    process.kill()
    process.communicate()


@pytest.mark.bwrap
@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_server_says_no(status: int, bot: Bot, repository: Path):
    ended = run(bot, repository, fault=fails_with(status))
    refused(ended, 9)
    assert ended.result["status"] == "error"
    given_up = [event for event in ended.events if event["type"] == "model_gave_up"]
    causes = {401: "authentication", 402: "payment", 403: "permission", 404: "not_found"}
    assert [event["cause"] for event in given_up] == [causes[status]]


@pytest.mark.bwrap
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        pytest.param(fails_with(429, Retry_After="0"), "rate_limit", id="429 for ever"),
        pytest.param(fails_with(503, Retry_After="0"), "provider", id="503 for ever"),
        pytest.param(sends_garbage, "malformed", id="garbage"),
        pytest.param(sends_half_a_stream, "malformed", id="half a stream"),
    ],
)
def test_server_stays_broken(fault: Fault, cause: str, bot: Bot, repository: Path):
    ended = run(bot, repository, fault=fault)
    refused(ended, 9)
    given_up = [event for event in ended.events if event["type"] == "model_gave_up"]
    assert [event["cause"] for event in given_up] == [cause]
    assert [event for event in ended.events if event["type"] == "model_retried"]


@pytest.mark.bwrap
def test_server_recovers(bot: Bot, repository: Path):
    times = iter([fails_with(429, Retry_After="0"), fails_with(503, Retry_After="0")])
    before = fingerprint(repository)
    with serve(MENDED) as model:

        def sick_at_first(handler):
            fault = next(times, None)
            if fault is None:
                model.fault = None
                return fails_with(500, Retry_After="0")(handler)
            return fault(handler)

        model.fault = sick_at_first
        ended = bot.run(repository, api_base=model.api_base)
    assert ended.exit_code == 0
    assert fingerprint(repository) == before


@pytest.mark.bwrap
def test_model_that_only_errs(bot: Bot, repository: Path):
    nonsense = [Answer((Call("no_such_tool", {"x": 1}),)), Answer(), Answer(text="Hm."), *[call("read")] * 30]
    ended = run(bot, repository, nonsense)
    assert ended.exit_code in {4, 5}
    assert [event for event in ended.events if event["type"] == "model_erred"]
    assert len([event for event in ended.events if event["type"] == "model_asked"]) < 30


# ------------------------------------------------------------------------------------------- the outcome


@pytest.mark.bwrap
def test_no_change(bot: Bot, repository: Path):
    ended = run(bot, repository, [call("read", path="calculator.py"), finish("Nothing to do.")])
    assert ended.exit_code == 5
    assert ended.result["status"] == "no_change"
    assert ended.result["reason"]
    assert ended.diff == b""


@pytest.mark.bwrap
def test_change_that_undoes_itself(bot: Bot, repository: Path):
    back = call("edit", path="calculator.py", edits=[{"search": "return a + b", "replace": "return a - b"}])
    assert run(bot, repository, [FIX, back, finish()]).exit_code == 5


@pytest.mark.bwrap
def test_only_workflows_touched(bot: Bot, repository: Path):
    make = "mkdir -p .github/workflows; echo 'on: push' > .github/workflows/x.yml"
    ended = run(bot, repository, [call("shell", command=make), finish()], repair_rounds=0)
    assert ended.exit_code == 6
    assert ended.result["status"] == "refused"
    assert [withheld["path"] for withheld in ended.result["withheld"]] == [".github/workflows/x.yml"]
    assert ended.result["withheld"][0]["rule"]


@pytest.mark.bwrap
def test_workflow_is_withheld_and_the_rest_goes_on(bot: Bot, repository: Path):
    make = "mkdir -p .github/workflows; echo 'on: push' > .github/workflows/x.yml"
    ended = run(bot, repository, [call("shell", command=make), FIX, finish()])
    assert ended.exit_code == 0
    assert [withheld["path"] for withheld in ended.result["withheld"]] == [".github/workflows/x.yml"]
    assert b"workflows" not in ended.diff


@pytest.mark.bwrap
def test_tokens_are_spent(bot: Bot, repository: Path):
    ended = run(bot, repository, MENDED, max_tokens=1)
    assert ended.exit_code == 4
    assert ended.result["status"] == "stopped"
    assert "token" in ended.result["reason"]
    assert ended.result["usage"]["requests"] == 0


@pytest.mark.bwrap
def test_steps_are_spent(bot: Bot, repository: Path):
    ended = run(bot, repository, [call("shell", command=f"echo {number}") for number in range(9)], max_steps=3)
    assert ended.exit_code == 4
    assert ended.result["status"] == "stopped"
    assert ended.result["usage"]["requests"] == 3


@pytest.mark.bwrap
def test_time_is_spent(bot: Bot, repository: Path):
    ended = run(bot, repository, [call("shell", command="sleep 100")], timeout=8)
    assert ended.exit_code == 4
    assert ended.result["status"] == "stopped"
    assert ended.seconds < 16


# ------------------------------------------------------------------------------------------- the tests


@pytest.mark.bwrap
def test_unrelated_failure_before_the_change(bot: Bot, calculator: Path):
    (calculator / "test_other.py").write_text("def test_other():\n    assert 1 == 2\n")
    commit_all(calculator)
    ended = run(bot, calculator, MENDED)
    assert ended.exit_code == 0
    assert ended.result["status"] == "verified"
    assert ended.verdict("test_other") == "still_failing"
    assert ended.verdict("test_add") == "fixed"


@pytest.mark.bwrap
def test_change_that_breaks_another_test(bot: Bot, repository: Path):
    breaking = call("edit", path="calculator.py", edits=[{"search": "return 2 * a", "replace": "return 3 * a"}])
    ended = run(bot, repository, [FIX, breaking, finish()], repair_rounds=0)
    assert ended.exit_code == 7
    assert ended.verdict("test_double") == "broken"
    assert ended.verdict("test_add") == "fixed"


@pytest.mark.bwrap
def test_base_tests_hang(bot: Bot, calculator: Path):
    (calculator / "test_slow.py").write_text("import time\n\n\ndef test_slow():\n    time.sleep(1000)\n")
    (calculator / ".github").mkdir()
    (calculator / ".github" / "ay-bot.yml").write_text("test_timeout: 3\n")
    commit_all(calculator)
    ended = run(bot, calculator, [FIX, finish()], repair_rounds=0)
    assert ended.exit_code in {4, 7}
    assert "time" in ended.result["reason"]
    assert ended.seconds < 40


@pytest.mark.bwrap
def test_change_makes_the_tests_hang(bot: Bot, calculator: Path):
    (calculator / ".github").mkdir()
    (calculator / ".github" / "ay-bot.yml").write_text("test_timeout: 5\n")
    commit_all(calculator)
    hang = call("edit", path="calculator.py", edits=[{"search": "return 2 * a", "replace": "while True: pass"}])
    ended = run(bot, calculator, [FIX, hang, finish()], repair_rounds=0)
    assert ended.exit_code == 7
    assert ended.result["status"] == "tests_failed"
    assert [event for event in ended.events if event["type"] == "tests_ran" and event["timed_out"]]
    assert ended.seconds < 60


FORGER = """\
import os, re, sys

FORGED = '<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="2">' \\
    '<testcase classname="test_calculator" name="test_add" time="0.1"/>' \\
    '<testcase classname="test_calculator" name="test_double" time="0.1"/></testsuite></testsuites>'

def pytest_unconfigure(config):
    path = config.getoption("xmlpath", None)
    if path:
        with open(path, "w") as file:
            file.write(FORGED)
        os._exit(EXIT)
"""


@pytest.mark.bwrap
@pytest.mark.parametrize("exit_code", [0, 1])
def test_at_49_conftest_forges_the_report(exit_code: int, bot: Bot, repository: Path):
    patch = "".join(f"+{line}\n" for line in FORGER.replace("EXIT", str(exit_code)).splitlines())
    add = call("apply_patch", patch=f"*** Begin Patch\n*** Add File: conftest.py\n{patch}*** End Patch\n")
    ended = run(bot, repository, [add, call("run_tests"), finish("All green.")], repair_rounds=0)
    assert ended.exit_code == 7
    assert ended.result["status"] == "tests_failed"
    assert not [row for row in ended.result["verification"]["tests"] if row["verdict"] in {"fixed", "new"}]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{}]><testsuites>&z;</testsuites>'.format(
    "".join(f'<!ENTITY {name} "{f"&{former};" * 10}">' for former, name in zip("abcdefgh", "bcdefghz", strict=True))
)


@pytest.mark.bwrap
@pytest.mark.parametrize(
    "report",
    [
        pytest.param(BOMB, id="entities"),
        pytest.param("<testsuites><testsuite>", id="torn"),
    ],
)
def test_at_45_report_that_is_no_report(report: str, bot: Bot, calculator: Path):
    forger = f"REPORT = {report!r}\n" + FORGER.partition("\n\n")[0]
    forger += FORGER[FORGER.index("\n\ndef ") :].replace("FORGED", "REPORT").replace("os._exit(EXIT)", "pass")
    (calculator / "conftest.py").write_text(forger)
    commit_all(calculator)
    ended = run(bot, calculator, [FIX, finish()], repair_rounds=0)
    # The exit code alone is left to believe, and that is said; nobody is told which test is which.
    assert ended.exit_code in {0, 7}
    assert [row["id"] for row in ended.result["verification"]["tests"]] in ([], ["(the whole command)"])
    assert ended.result["verification"]["notes"]
    assert "root:" not in ended.stdout


# ------------------------------------------------------------------------------------------- odd repositories


def make_odd(directory: Path, tmp_path: Path) -> None:
    """Make the calculator a repository that holds one of everything that is not a plain file."""
    (directory / "windows.py").write_bytes(b"def shout(text):\r\n    return text.lower()\r\n")
    (directory / "test_windows.py").write_bytes(
        b"from windows import shout\r\n\r\n\r\ndef test_shout():\r\n    assert shout('a') == 'A'\r\n"
    )
    (directory / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n*.txt export-ignore\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    (directory / "model.bin").write_text(pointer)
    (directory / "kept.txt").write_text("export-ignore must not drop this\n")
    (directory / "inside").symlink_to("calculator.py")
    (directory / "dangling").symlink_to("no/such/file")
    (directory / "outside").symlink_to("/etc/passwd")
    (directory / "upwards").symlink_to("../../../../etc")
    (directory / "tool.sh").write_text("#!/bin/sh\nexit 0\n")
    (directory / "tool.sh").chmod(0o755)
    with open(bytes(directory) + b"/caf\xe9.dat", "wb") as file:
        file.write(b"a name in Latin-1\n")
    (directory / "new\nline.dat").write_text("a name with a line feed\n")
    (directory / "sub").mkdir()
    (directory / ".gitmodules").write_text('[submodule "sub"]\n\tpath = sub\n\turl = ../sub.git\n')
    git(directory, "init", "-q")
    git(directory, "add", "-A", "-f")
    git(directory, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(directory, "commit", "-q", "-m", "One of everything")


SHOUT = call("edit", path="windows.py", edits=[{"search": "text.lower()", "replace": "text.upper()"}])


def test_repository_with_one_of_everything(sandbox: str, bot: Bot, calculator: Path, tmp_path: Path):
    make_odd(calculator, tmp_path)
    look = call("shell", command="ls -la; cat kept.txt; cat outside | head -1; cat inside")
    ended = run(bot, calculator, [look, FIX, SHOUT, call("run_tests"), finish()], sandbox=sandbox)
    assert ended.exit_code == 0
    result = ended.result
    assert result["status"] == "verified"
    assert ended.verdict("test_shout") == "fixed"
    changed = [line for line in ended.diff.splitlines() if line.startswith(b"diff --git")]
    assert changed == [b"diff --git a/calculator.py b/calculator.py", b"diff --git a/windows.py b/windows.py"]
    assert b"+    return text.upper()\r\n" in ended.diff
    assert any("sub" in notice for notice in result["notices"]), "nobody was told that the submodule is missing"


@pytest.mark.bwrap
def test_tree_of_one_of_everything_keeps_every_entry(bot: Bot, calculator: Path, tmp_path: Path):
    make_odd(calculator, tmp_path)
    base = git(calculator, "ls-tree", "-r", "-z", "HEAD")
    with serve([FIX, SHOUT, finish()]) as model:
        ended = bot.run(calculator, api_base=model.api_base, branch="mended")
    assert ended.exit_code == 0
    after = git(calculator, "ls-tree", "-r", "-z", "mended")
    differing = {entry.partition("\t")[2] for entry in set(base.split("\0")) ^ set(after.split("\0"))}
    assert differing == {"calculator.py", "windows.py"}


@pytest.mark.bwrap
def test_fifty_thousand_files_and_one_of_a_hundred_megabytes(bot: Bot, calculator: Path):
    commit_all(calculator)
    stream = ["commit refs/heads/main\ncommitter P <p@example.org> 0 +0000\ndata 3\nBig\nfrom refs/heads/main^0\n"]
    stream += [f"M 100644 inline many/{n % 500}/{n}.txt\ndata 6\n{n:06}\n" for n in range(50_000)]
    stream.append(f"M 100644 inline big.bin\ndata {100_000_000}\n{'x' * 100_000_000}\n")
    git(calculator, "fast-import", "--quiet", "--force", input="".join(stream))
    git(calculator, "reset", "-q", "--hard")
    command = f"{QUICK_TESTS} test_calculator.py"  # to search 50,000 files for tests takes pytest seconds
    ended = run(bot, calculator, [FIX, finish()], test=command)
    assert ended.exit_code == 0
    assert ended.verdict("test_add") == "fixed"
    assert ended.diff.count(b"diff --git") == 1


@pytest.mark.bwrap
def test_dirty_work_tree_is_said_and_left_alone(bot: Bot, repository: Path):
    (repository / "calculator.py").write_text("raise SystemExit('not committed')\n")
    (repository / "untracked.py").write_text("1 / 0\n")
    ended = run(bot, repository, MENDED)
    assert ended.exit_code == 0
    assert any("commit" in notice.lower() for notice in ended.result["notices"])
    assert b"not committed" not in ended.diff


@pytest.mark.bwrap
def test_unreachable_server(unreachable: tuple[Bot, "subprocess.Popen[str]", int]):
    bot, process, port = unreachable
    ended = bot.end_of(process)
    refused(ended, 9, f"127.0.0.1:{port}", "--api-base")
    assert [event["cause"] for event in ended.events if event["type"] == "model_gave_up"] == ["unreachable"]
    assert len([event for event in ended.events if event["type"] == "model_retried"]) > 1
    assert bot.leftovers() == []


# ------------------------------------------------------------------------------------------- what is told to whom


CANARIES = {"OPENAI_API_KEY": "sk-canary-of-the-model-4Q7x", "GITHUB_TOKEN": "ghp_canary-of-the-forge-9Z2k"}


def test_at_21_no_secret_is_anywhere_in_the_box_or_in_what_a_run_leaves(sandbox: str, bot: Bot, repository: Path):
    """The whole job with marked keys: what the model is told, arguments, environments, events and every file."""
    bot.environment |= CANARIES
    look = call("shell", command="env; cat /proc/*/environ /proc/*/cmdline; grep -rs canary /etc /home /tmp . | head")
    (repository.parent / "issue.md").write_text("Adding takes away.\n")
    with serve([look, FIX, finish("Mended.")]) as model, open(repository.parent / "issue.md", "rb") as issue:
        arguments = bot.run_arguments(repository, task=None, issue="-", api_base=model.api_base, sandbox=sandbox)
        process = bot.start(*arguments, stdin=issue)
        shown, held, written = set(), set(), set()
        while process.poll() is None:
            shown |= {line for line in command_lines() if "canary" in line}
            held |= set(holders())
            written |= set(files_with_secrets(bot.temporary))
            time.sleep(0.05)
        ended = bot.end_of(process)
    assert ended.exit_code == 0
    assert ended.result["task"].startswith("Adding takes away.")
    assert shown == set(), "a secret stood in the arguments of a process"
    assert {holder for holder in held if holder not in WHO_HOLDS_WHAT} == set(), "another process held a secret"
    assert held or os.geteuid(), "nobody was seen to hold a key, so this test shows nothing"
    assert "PATH=" in model.said_to_it(), "the box's environment was not seen, so this test shows nothing"
    assert not SECRETS.find_values(model.said_to_it().encode())
    assert not SECRETS.find_values((ended.stdout + ended.stderr).encode())
    written |= {path for place in (bot.out, bot.home, repository) for path in files_with_secrets(place)}
    assert written == set(), "a secret was written down"
    assert any("events.jsonl" in path.name for path in bot.out.rglob("*"))


SECRETS = Redactor(tuple(CANARIES.values()))
"""It finds them as they are, reversed, encoded and in part."""
WHO_HOLDS_WHAT = {("host", "OPENAI_API_KEY"), ("host", "GITHUB_TOKEN"), ("gateway", "OPENAI_API_KEY")}
"""Whose environment may have which key: the host was started with both, and nobody but the gateway gets one of it."""


def holders() -> Iterator[tuple[str, str]]:
    """Yield who has which of the secrets in its environment, as far as this user may look."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment, words = ((entry / name).read_bytes() for name in ("environ", "cmdline"))
        except OSError:
            continue
        host = b"/ay-bot\0run\0" in words
        role = "gateway" if b"ay_bot.gateway" in words else "host" if host else words.decode(errors="replace")
        yield from ((role, name) for name, value in CANARIES.items() if value.encode() in environment)


def files_with_secrets(directory: Path) -> Iterator[Path]:
    """Yield every file below a directory that holds a secret in any form."""
    # os.walk looks away where a directory is gone by now: the run that is looked at makes and removes them.
    for path in (Path(folder, name) for folder, _, names in os.walk(directory) for name in names):
        try:
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        except OSError:
            continue
        if SECRETS.find_values(content):
            yield path


def command_lines() -> Iterator[str]:
    """Yield the arguments of every process of this machine but those that the box itself looked for."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "grep" not in line:
            yield line


@pytest.mark.bwrap
def test_what_a_person_sees(bot: Bot, repository: Path):
    with serve(MENDED) as model:
        arguments = bot.run_arguments(repository, api_base=model.api_base)
        arguments.remove("--json")
        ended = bot.end_of(bot.start(*arguments))
    assert ended.exit_code == 0
    for word in (
        "Verification",
        "test_add",
        "fixed",
        "+    return a + b",
        "Commit message",
        "Pull request",
        "verified",
    ):
        assert word in ended.stdout
    for word in ("baseline", "step 1", "checks", "tokens"):
        assert word in ended.stderr
