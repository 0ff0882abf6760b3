"""The one way in which the host runs git: a clean environment, nothing of anybody's that could run, and bounds."""

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ay_bot.errors import AyBotError, UsageError

ADDRESS_SPACE = 6 * 1024**3
FILE_SIZE = 2 * 1024**3
SECONDS = 300.0

_ENVIRONMENT = {
    "LC_ALL": "C",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "",  # nothing is ever fetched, not even lazily by a partial clone
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
}
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.packedGitLimit=1g",  # maps of packs must fit under ADDRESS_SPACE
    "core.packedGitWindowSize=64m",
    "core.logAllRefUpdates=false",
    "core.quotePath=true",
    "gc.auto=0",
)

_FRUGAL = ("core.packedGitLimit=16m", "core.packedGitWindowSize=1m", "core.deltaBaseCacheLimit=8m")


class GitFailed(AyBotError):
    """A git command gave an error. Its callers turn the ones that a person can do something about into UsageError."""

    def __init__(self, command: str, complaint: str) -> None:
        super().__init__(f"git {command} failed: {complaint or 'it gave no reason'}")
        self.complaint = complaint


def run_git(
    arguments: Sequence[str],
    *,
    git_dir: Path | None = None,
    directory: Path | None = None,
    data: bytes = b"",
    output: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Run git and return what it wrote, or write that to `output`; raise GitFailed if it exits with an error."""
    git = _find_git()
    command = [git, *(part for setting in _SETTINGS for part in ("-c", setting))]
    if git_dir is not None:
        command.append(f"--git-dir={git_dir}")
    if directory is not None and not directory.is_dir():
        msg = f"{directory} is not a directory"
        raise UsageError(msg)
    with subprocess.Popen(
        [*command, *arguments],
        cwd=directory or "/",
        env=_environment(git, environment or {}),
        stdin=subprocess.PIPE,
        stdout=output or subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        _limit(process.pid)
        try:
            written, complaint = process.communicate(data, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise GitFailed(arguments[0], f"it was not done after {SECONDS:g} s") from None
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise GitFailed(arguments[0], complaint.decode("utf-8", "replace").strip())
    return written or b""


def _environment(git: str, extra: Mapping[str, str]) -> dict[str, str]:
    search = f"{Path(git).parent}{os.pathsep}{os.defpath}"
    return {**_ENVIRONMENT, "PATH": search, **extra}


def _find_git() -> str:
    git = shutil.which("git")
    if git is None:
        raise UsageError("git was not found on PATH", hint="install it, for instance with: apt-get install git")
    return git


def _limit(process: int) -> None:
    # Set from outside rather than by preexec_fn, which is not safe where threads run; a git that is
    # done before this line has used little.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(process, resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.prlimit(process, resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
        resource.prlimit(process, resource.RLIMIT_CORE, (0, 0))


@contextlib.contextmanager
def stream_git(arguments: Sequence[str], git_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run git with pipes to it and from it, for what is too much to hold; it ends with the block."""
    git = _find_git()
    settings = (*_SETTINGS, *_FRUGAL)
    command = [git, *(part for setting in settings for part in ("-c", setting)), f"--git-dir={git_dir}", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd="/", env=_environment(git, {}), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    ) as process:
        _limit(process.pid)
        try:
            yield process
        finally:
            process.kill()
