"""Commands in the box: one at a time, each in its own session, with a time limit, and nothing left running after it."""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ay_bot.agent.jobs import JOBS, Job, end_others
from ay_bot.agent.readable import readable
from ay_bot.agent.watchdog import take_reason

PIPE_SIZE = 1024 * 1024
LOG_LIMIT = 64 * 1024 * 1024
TIMED_OUT_STATUS = 124
KILLED_STATUS = 128 + signal.SIGKILL

_one_at_a_time = threading.Lock()  # ending one command's left-overs would end another command


@dataclass(frozen=True)
class CommandResult:
    """What a command did. `output` has the head and the tail; `log`, if there is one, the whole up to 64 MiB."""

    exit_code: int
    timed_out: bool
    output: str
    total_bytes: int
    seconds: float
    log: Path | None


class Output:
    """The head and the tail of a stream of bytes, and the whole of it in a file."""

    def __init__(self, head: int, tail: int, log: Path | None, tell: Callable[[bytes], None] | None = None) -> None:
        self._head_size = head
        self._tell = tell
        self._told = 0
        self._tail_size = tail
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600) if log else -1

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self._write_log(data)
        self.total += len(data)
        space = self._head_size - len(self._head) - self._told
        if space > 0:
            self._take_head(data[:space])
            data = data[space:]
        self._tail += data
        if len(self._tail) > 2 * self._tail_size + PIPE_SIZE:
            self._cut_tail()

    def _take_head(self, data: bytes) -> None:
        if self._tell and data:
            self._told += len(data)
            self._tell(data)
        else:
            self._head += data

    def close(self) -> None:
        """End the file."""
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def text(self) -> str:
        """Return the head and the tail, and between them how much was left out."""
        self._cut_tail()
        left_out = self.total - len(self._head) - self._told - len(self._tail)
        if not left_out:
            return (self._head + self._tail).decode("utf-8", "replace")
        head = self._head.decode("utf-8", "replace")
        return f"{head}\n[... {left_out} bytes left out ...]\n{self._tail.decode('utf-8', 'replace')}"

    def _cut_tail(self) -> None:
        excess = len(self._tail) - self._tail_size
        if excess > 0:
            del self._tail[:excess]

    def _write_log(self, data: bytes) -> None:
        space = LOG_LIMIT - self.total
        if self._log >= 0 and space > 0:
            with contextlib.suppress(OSError):  # a full disk costs the log, not the command
                os.write(self._log, data[:space])


@cache
def shell() -> str:
    """The shell that commands are written for: bash where the image has it."""
    return shutil.which("bash") or "/bin/sh"


def run_command(  # noqa: PLR0913 - each a fact of its own, and all but one named
    command: str,
    *,
    cwd: Path,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    head: int,
    tail: int,
    log: Path | None = None,
    tell: Callable[[bytes], None] | None = None,
) -> CommandResult:
    """Run `command` with a shell in `cwd`; `environment` is added to the box's own. Sizes are bytes, times seconds.

    The head goes to `tell` as it comes, if there is one, and is not in the result.
    """
    with _one_at_a_time:
        start = time.monotonic()
        output = Output(head, tail, log, tell)
        try:
            exit_code, timed_out = _run(command, cwd, start + timeout, environment or {}, output)
        finally:
            output.close()
        seconds = time.monotonic() - start
        text = readable(output.text()) + _note(exit_code)
        return CommandResult(exit_code, timed_out, text, output.total, seconds, log)


def _note(exit_code: int) -> str:
    """Say whether something of the command was ended because the box had too much; its exit code does not."""
    reason = take_reason()
    if not reason and exit_code == KILLED_STATUS:
        return "\n[ay-bot: the command was killed, perhaps because the box used more memory than its limit]\n"
    return f"\n[ay-bot: {reason}; what used most was ended]\n" if reason else ""


def _run(command: str, cwd: Path, end: float, added: Mapping[str, str], output: Output) -> tuple[int, bool]:
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        try:
            process = _start(command, cwd, added, writer)
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        timed_out = not _collect(process.pid, reader, end, output)
        _end_leftovers(process)
        for _ in range(LOG_LIMIT // PIPE_SIZE):  # what is in the pipe; a process that escaped might write for ever
            if not _drain(reader, output):
                break
    finally:
        os.close(reader)
    if timed_out:
        return TIMED_OUT_STATUS, True
    status = process.returncode
    return (status if status >= 0 else 128 - status), False  # as shells count signals


def _start(command: str, cwd: Path, added: Mapping[str, str], writer: int) -> subprocess.Popen[bytes]:
    # The environment of this process was composed by the host for the commands of this box (see __main__).
    environment = {**os.environ, **added} if added else None  # noqa: TID251
    # Nothing to close: every descriptor of this process is close-on-exec, which keeps the start below a millisecond.
    process = subprocess.Popen(
        [shell(), "-c", command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        close_fds=False,
        start_new_session=True,
    )
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/oom_score_adj").write_bytes(b"1000")  # a command dies before the agent does
    return process


def _collect(pid: int, reader: int, end: float, output: Output) -> bool:
    """Read until the command's own process ends; False if `end` came first."""
    ended = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(reader, select.POLLIN)
        while (left := end - time.monotonic()) > 0:
            ready = {descriptor for descriptor, _ in poll.poll(left * 1000 + 1)}
            if reader in ready and not _drain(reader, output):
                poll.unregister(reader)
            if ended in ready:
                return True
        return False
    finally:
        os.close(ended)


def _drain(reader: int, output: Output) -> bool:
    """Take what is there; False at the end of the stream or when there is nothing."""
    try:
        data = os.read(reader, PIPE_SIZE)
    except BlockingIOError:
        return False
    output.add(data)
    return bool(data)


def start_job(command: str, *, cwd: Path, log: Path) -> Job:
    """Start a command that runs on; its output goes to `log`, which can't grow beyond the box's limit on files."""
    with _one_at_a_time:
        writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            process = _start(command, cwd, {}, writer)
        finally:
            os.close(writer)
    process.returncode = 0  # Jobs waits for it
    return JOBS.add(command, process.pid, log)


def _end_leftovers(process: subprocess.Popen[bytes]) -> None:
    if os.getpid() == 1 and (jobs := JOBS.running()):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        end_others(jobs)
        return
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        process.wait()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        return
    for pid in {process.pid, *_session_members(process.pid)}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _session_members(session: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if os.getsid(int(entry.name)) == session:
                    members.append(int(entry.name))
    return members
