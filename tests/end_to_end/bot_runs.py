"""Runs of the real `ay-bot` program, and what they leave behind: exit code, output, files, and the user's repository."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PROGRAM = Path(sys.executable).parent / "ay-bot"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
QUICK_TESTS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q"
"""The plugins of this machine's pytest take a second and more of each run of the tests, and no test here needs them."""

KEPT = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "LANG", "COVERAGE_PROCESS_CONFIG")


@dataclass(frozen=True)
class Ended:
    """A run that ended."""

    exit_code: int
    stdout: str
    stderr: str
    out: Path
    seconds: float

    @property
    def result(self) -> dict[str, Any]:
        """The content of result.json, which has to be what stdout says."""
        result = json.loads((self.out / "result.json").read_text())
        assert json.loads(self.stdout) == result
        assert result["exit_code"] == self.exit_code
        return result

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of events.jsonl, in order."""
        return read_events(self.out)

    @property
    def diff(self) -> bytes:
        """The content of change.diff."""
        return (self.out / "change.diff").read_bytes()

    def verdict(self, name: str) -> str:
        """Return the verdict on the one test whose id ends with `name`."""
        rows = [row for row in self.result["verification"]["tests"] if row["id"].endswith(name)]
        assert len(rows) == 1, f"{len(rows)} rows for {name}: {rows}"
        return str(rows[0]["verdict"])


def read_events(out: Path) -> list[dict[str, Any]]:
    """Return the whole events that an events.jsonl holds so far."""
    path = out / "events.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line)["event"] for line in lines]


class Bot:
    """`ay-bot` with a home and a temporary directory of its own, so that nothing it leaves can be overlooked."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.temporary = directory / "tmp"
        self.out = directory / "out"
        self.home.mkdir()
        self.temporary.mkdir()
        self.environment = {
            "PATH": f"{PROGRAM.parent}:{SYSTEM_PATH}",
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            **{name: os.environ[name] for name in KEPT if name in os.environ},
        }

    def start(self, *arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        """Start the program with these arguments."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            env=self.environment,
            cwd=self.home,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def run_arguments(self, repository: Path, **options: object) -> list[str]:
        """Return the arguments of `ay-bot run`: usual ones, and `options` on top (None leaves one out)."""
        usual: dict[str, object] = {
            "repo": repository,
            "task": "make the tests pass",
            "model": "openai/scripted",
            "test": QUICK_TESTS,
            "sandbox": "bubblewrap",
            "out": self.out,
        }
        merged = {name.replace("_", "-"): value for name, value in {**usual, **options}.items() if value is not None}
        return ["run", "--json", *(part for name, value in merged.items() for part in (f"--{name}", str(value)))]

    def run(self, repository: Path, **options: object) -> Ended:
        """Run `ay-bot run` to its end; see `run_arguments`."""
        return self.end_of(self.start(*self.run_arguments(repository, **options)))

    def end_of(self, process: "subprocess.Popen[str]", timeout: float = 110) -> Ended:
        """Wait for a program that was started."""
        started = time.monotonic()
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
        print(stderr)
        return Ended(process.returncode, stdout, stderr, self.out, time.monotonic() - started)

    def leftovers(self) -> list[str]:
        """Return what is in the temporary directory."""
        return sorted(path.name for path in self.temporary.iterdir())


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds, at most so long, and say whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def fingerprint(repository: Path) -> dict[str, str]:
    """Return type, mode, time of change and content of everything below a directory, `.git` included."""
    found = {}
    for directory, folders, files in os.walk(os.fsencode(repository)):
        for name in (b".", *folders, *files):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = b""
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = hashlib.file_digest(file, "sha256").digest()
            found[repr(path)] = f"{status.st_mode:o} {status.st_mtime_ns} {content!r}"
    return found


def git(repository: Path, *arguments: str, **more: Any) -> str:
    """Run git as somebody with a name and no configuration, and return what it says."""
    person = {"NAME": "A Person", "EMAIL": "person@example.org", "DATE": "2026-01-02T03:04:05Z"}
    identity = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in person.items()}
    environment = {"PATH": SYSTEM_PATH, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **identity}
    command = ["git", "-c", "init.defaultBranch=main", "-c", "core.autocrlf=false", "-C", str(repository), *arguments]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, errors="surrogateescape", **more
    ).stdout


def commit_all(repository: Path) -> str:
    """Make a directory a repository with one commit of everything in it, and return that commit."""
    git(repository, "init", "-q")
    git(repository, "add", "-A", "-f")
    git(repository, "commit", "-q", "-m", "As it was")
    return git(repository, "rev-parse", "HEAD").strip()
