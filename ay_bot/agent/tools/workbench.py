"""What the tools work with: the workspace, its limits, and the one way to run a command."""

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ay_bot.agent.edits.search_replace import Block
from ay_bot.agent.guarding import find_read_fault, find_write_fault
from ay_bot.agent.jobs import Job
from ay_bot.agent.tools.failed_edits import FailedEdits
from ay_bot.protocol.box_policy import BoxPolicy
from ay_bot.protocol.events import PlanStep

READ_LIMIT = 40_000  # bytes, about 10,000 tokens
KEPT_REFUSALS = 10
KEPT_LOGS = 4  # each may have 64 MiB, and the scratch space is small


class Refusal(Exception):
    """A path or an argument that a tool won't take; the text is for the model."""


class Ran(Protocol):
    """What is left of a command that ran."""

    @property
    def exit_code(self) -> int:
        """The exit code, or minus the signal's number."""
        ...

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it."""
        ...

    @property
    def output(self) -> str:
        """Head and tail of standard output and error."""
        ...

    @property
    def total_bytes(self) -> int:
        """How much there was in all."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...


class Start(Protocol):
    """Start a shell command that runs on."""

    def __call__(self, command: str, *, cwd: Path, log: Path) -> Job:
        """Return it; `log` gets its output."""
        ...


class Run(Protocol):
    """Run a shell command to its end."""

    def __call__(
        self, command: str, *, cwd: Path, timeout: float, head: int, tail: int, log: Path | None = None
    ) -> Ran:
        """Return what is left of it; `log` gets the whole output."""
        ...


@dataclass(slots=True)
class Workbench:
    """One session's workspace and limits. Times are seconds."""

    root: Path
    scratch: Path
    run: Run
    start: Start | None = None
    test_command: str = ""
    command_timeout: float = 600.0
    test_timeout: float = 1200.0
    output_limit: int = READ_LIMIT
    logs: int = 0
    failed_edits: FailedEdits = field(default_factory=FailedEdits)
    held: tuple[Block, ...] = ()  # edits of the last reply that wait for the rest of it
    policy: BoxPolicy = field(default_factory=BoxPolicy)
    edited: set[Path] = field(default_factory=set)
    plan: tuple[PlanStep, ...] = ()
    tests: str = ""  # what the last run of the tests said, its failures too, cut
    rejected: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_REFUSALS))

    def next_log(self) -> Path:
        """A new file for the whole output of a command."""
        self.logs += 1
        (self.scratch / f"output-{self.logs - KEPT_LOGS}.log").unlink(missing_ok=True)
        return self.scratch / f"output-{self.logs}.log"

    def shown(self, path: Path) -> str:
        """A path as the model should write it."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return str(path)

    def readable(self, text: str) -> Path:
        """The real path behind what the model wrote, inside the workspace or the log directory."""
        path = self._inside(text, (self.root, self.scratch))
        if self.policy.hidden and not path.exists() and (fault := find_read_fault(self.shown(path), self.policy)):
            raise Refusal(fault)
        return path

    def writable(self, text: str) -> Path:
        """The real path of a file that may be written: inside the workspace, and not git's."""
        path = self._inside(text, (self.root,))
        if any(part.lower() == ".git" for part in path.relative_to(os.path.realpath(self.root)).parts):
            msg = f"{text}: nothing inside .git may be written"
            raise Refusal(msg)
        if path.is_dir():
            msg = f"{text} is a directory"
            raise Refusal(msg)
        if fault := find_write_fault(self.shown(path), self.policy):
            raise Refusal(fault)
        return path

    def _inside(self, text: str, allowed: tuple[Path, ...]) -> Path:
        if "\0" in text or not text.strip():
            msg = "the path is empty or holds a NUL"
            raise Refusal(msg)
        try:
            real = os.path.realpath(self.root / text.strip().encode("utf-8", "surrogateescape").decode())
        except (OSError, ValueError) as error:
            msg = f"{text}: not a path ({error})"
            raise Refusal(msg) from None
        for base in allowed:
            top = os.path.realpath(base)
            if real == top or real.startswith(top + os.sep):
                return Path(real)
        msg = f"{text} is outside the workspace {self.root}"
        raise Refusal(msg)
