"""What a person sees in a terminal: live progress on stderr, and the result of a run on stdout."""

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self, TextIO

from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.events import (
    AssistantSaid,
    BoxOpened,
    ContextReduced,
    Delegated,
    DelegateFinished,
    EgressAttempted,
    ModelAnswered,
    ModelChosen,
    ModelErred,
    ModelGaveUp,
    ModelRetried,
    ModelSwitched,
    Noticed,
    PathRefused,
    PhaseStarted,
    Record,
    RunFinished,
    RunStarted,
    SetupRan,
    StepStarted,
    TestsRan,
    ToolFinished,
    ToolStarted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType
    from rich.status import Status

    from ay_bot.agent.opening import Opening
    from ay_bot.host.doctor import DoorState, Examination, SandboxState
    from ay_bot.host.egress import Attempt
    from ay_bot.host.github.annotations import WorkflowLog
    from ay_bot.host.report import Result, Verification
    from ay_bot.host.sandbox_exec import Executed
    from ay_bot.host.setup.engine import KeptImage
    from ay_bot.host.setup.images import Runtime

WIDEST = 200
MOST_NAMED = 12
SHOWN_PHASES = {"context", "baseline", "session", "changes", "checks", "message"}
FOLDED_PHASES = {"repository", "session", "checks", "publish"}
"""What stands between two of them is folded with the first."""
STYLE = {
    "fixed": "green",
    "new": "green",
    "unchanged": "dim",
    "still_failing": "yellow",
    "new_unproven": "yellow",
    "flaky": "yellow",
}


class FileCount:
    """How many files were read: one line that changes on a terminal, a line for each tenth `in_a_log`, or nothing."""

    def __init__(self, stream: TextIO, *, in_a_log: bool) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._in_a_log = in_a_log
        self._tenth = 0
        self._shown = ""

    def show(self, done: int, of: int) -> None:
        """Say that so many files of so many are read."""
        text = f"ay-bot: {done} of {of} files"
        tenth = 10 * done // max(of, 1)
        if self._live:
            self._shown = text
            self._stream.write(f"\r{text}")
            self._stream.flush()
        elif self._in_a_log and tenth > self._tenth:
            self._stream.write(f"{text}\n")
        self._tenth = tenth

    def __enter__(self) -> Self:
        """Begin without a word."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the live line away."""
        if self._shown:
            self._stream.write(f"\r{' ' * len(self._shown)}\r")
            self._stream.flush()


class Progress:
    """A face of the event log: a line for what happened, and on a terminal a live line for what happens now."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._step = 0
        self._usage = Usage()
        self._doing = "starting"
        self._status: Status | None = None

    def __enter__(self) -> Self:
        """Start the live line, where there is a terminal to show it."""
        if self._stream.isatty():
            from rich.console import Console

            self._status = Console(file=self._stream).status(self._now())
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the live line."""
        if self._status:
            self._status.stop()
            self._status = None

    def __call__(self, record: Record) -> None:
        """Show one event."""
        line = self._line(record)
        if line:
            self._print(line)
        if self._status:
            self._status.update(self._now())

    def _print(self, line: str) -> None:
        text = printable(f"{time.monotonic() - self._started:6.1f}s  {line}")[:WIDEST].replace("##[", "## [")
        if self._status:
            self._status.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self._stream.write(text + "\n")
            self._stream.flush()

    def _now(self) -> str:
        cost = "" if self._usage.cost_usd is None else f" · ${self._usage.cost_usd:.4f}"
        tokens = self._usage.prompt_tokens + self._usage.completion_tokens
        return f"{self._doing} · step {self._step} · {tokens:,} tokens{cost}"

    def _line(self, record: Record) -> str:  # noqa: C901, PLR0911, PLR0912 - one arm for each kind of event
        match record.event:
            case RunStarted() as event:
                return f"ay-bot {event.version} on {event.repository} at {event.base[:12]}, model {event.model}"
            case PhaseStarted() as event:
                self._doing = event.phase
                return f"{event.phase:<10} {event.detail}".rstrip() if event.phase in SHOWN_PHASES else ""
            case BoxOpened() as event:
                return f"{'box':<10} {event.purpose}: {event.box} ({event.image[:60]})"
            case Delegated() as event:
                line = self._line(record.model_copy(update={"event": event.event}))
                return f"{event.part} {event.agent}: {line}" if line else ""
            case DelegateFinished() as event:
                return f"{event.part} {event.agent}: {event.status} after {event.steps} steps: {event.summary}"
            case StepStarted() as event:
                self._step = event.step
                self._doing = "thinking"
                return ""
            case ToolStarted() as event:
                self._doing = event.tool
                return ""
            case ToolFinished() as event:
                mark = "" if event.ok else "failed: "
                return f"step {self._step:<5} {event.tool}: {mark}{event.outcome} ({event.seconds:.1f}s){self._spent()}"
            case AssistantSaid() as event:
                return f"step {self._step:<5} “{event.text.strip().splitlines()[0] if event.text.strip() else ''}”"
            case ModelAnswered() as event:
                self._usage = event.total
                return ""
            case ModelErred() as event:
                return f"step {self._step:<5} the model erred: {event.problem}"
            case ModelRetried() as event:
                return f"{'model':<10} {event.reason}; next try in {event.retry_in:.0f}s"
            case ModelSwitched() as event:
                why = f" ({event.reason})" if event.reason else ""
                return f"{'model':<10} {event.role}: {event.after} in place of {event.before}: {event.cause}{why}"
            case ModelChosen() as event:
                return f"{'model':<10} {event.models.get('main', '')} for a task as hard as {event.score:.2f} of 1"
            case ModelGaveUp() as event:
                return f"{'model':<10} {event.cause}: {event.message}"
            case ContextReduced() as event:
                return f"{'context':<10} {event.before_tokens:,} tokens cut to {event.after_tokens:,}"
            case TestsRan() as event:
                counts = f"{event.passed} passed, {event.failed} failed, {event.skipped} skipped"
                ended = "did not end in time" if event.timed_out else f"exit {event.exit_code}"
                return f"{'tests':<10} {event.purpose}: {counts} ({ended}, {event.seconds:.1f}s)"
            case SetupRan() as event:
                ended = "done" if not event.exit_code else f"exit {event.exit_code}"
                return f"{'set-up':<10} {event.command}: {ended} ({event.seconds:.1f}s)"
            case EgressAttempted() as event if not event.allowed:
                from ay_bot.host.egress.attempts import describe

                return f"{'network':<10} {describe(event.box, event)}"
            case PathRefused() as event:
                return f"{'withheld':<10} {event.path}: {event.rule}"
            case Noticed() as event:
                return f"{'note':<10} {event.text}"
            case _:
                return ""

    def _spent(self) -> str:
        tokens = self._usage.prompt_tokens + self._usage.completion_tokens
        cost = "" if not self._usage.cost_usd else f", ${self._usage.cost_usd:.4f}"
        return f" · {tokens:,} tokens{cost}" if tokens else ""


class FoldedProgress(Progress):
    """Progress in the log of a job of GitHub Actions: each phase is a group that readers can fold."""

    def __init__(self, stream: TextIO, log: "WorkflowLog") -> None:
        super().__init__(stream)
        self._log = log
        self._group = ExitStack()

    def __exit__(self, *details: object) -> None:
        """End the last group."""
        self._group.close()
        super().__exit__(*details)

    def __call__(self, record: Record) -> None:
        """Show one event, in the group of its phase."""
        if isinstance(record.event, PhaseStarted) and record.event.phase in FOLDED_PHASES:
            self._group.close()
            self._group.enter_context(self._log.group(f"{record.event.phase} {record.event.detail}".rstrip()))
        elif isinstance(record.event, RunFinished):
            self._group.close()
        super().__call__(record)


class CommandView:
    """What a person sees of a command in a box: its output as it comes, and what its wall has to say to it."""

    def __init__(self, output: TextIO, remarks: TextIO) -> None:
        self._output = output
        self._remarks = remarks
        self._at_line_start = True

    def show(self, text: str) -> None:
        """Show what the command wrote, which is fit for a terminal already."""
        self._output.write(text)
        self._output.flush()
        self._at_line_start = text.endswith("\n")

    def tell(self, attempt: "Attempt") -> None:
        """Say which host it asked for in vain, and what would allow that."""
        if attempt.allowed:
            return
        fix = f"; to allow it, {attempt.fix}" if attempt.fix else ""
        self.notice(f"refused: {attempt.method} {attempt.host}:{attempt.port}: {attempt.why}{fix}")

    def notice(self, text: str) -> None:
        """Say something beside the output."""
        self._remarks.write(f"ay-bot: {printable(text)}\n")
        self._remarks.flush()

    def end(self, done: "Executed", *, with_output: bool) -> None:
        """Say how it ended, where the exit code alone does not."""
        if with_output and not self._at_line_start:
            self.show("\n")
        if done.timed_out:
            self.notice(f"the command was ended after {done.seconds:.0f} s; give it more with --timeout")
        for message in done.messages:
            self.notice(message)


def printable(text: str) -> str:
    """Return text on one line without control characters, so that no box can steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def printable_lines(text: str) -> str:
    """Return text with its lines and tabs, but no other control characters."""
    return "\n".join(printable(line.replace("\t", "    ")) for line in text.split("\n"))


def show_result(result: "Result", diff: bytes) -> None:
    """Print the whole result of a run on stdout, for people."""
    from rich.console import Console
    from rich.rule import Rule
    from rich.syntax import Syntax

    console = Console(file=sys.stdout, highlight=False)
    if result.verification:
        console.print(Rule("Verification"))
        _show_verification(console, result.verification)
    if diff:
        console.print(Rule("Change"))
        shown = printable_lines(diff.decode("utf-8", "replace"))
        console.print(Syntax(shown, "diff", theme="ansi_dark", background_color="default", word_wrap=True))
    if result.commit_message:
        console.print(Rule("Commit message"))
        console.print(printable_lines(result.commit_message).rstrip(), markup=False)
    if result.pull_request:
        console.print(Rule("Pull request" + (" (draft)" if result.pull_request.draft else "")))
        console.print(f"# {result.pull_request.title}\n", markup=False)
        console.print(printable_lines(result.pull_request.body).rstrip(), markup=False, soft_wrap=True)
    console.print(Rule())
    _show_end(console, result)


def _show_verification(console: "Console", verification: "Verification") -> None:
    console.print(_verification_table(verification))
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in verification.counts.items() if count)
    console.print(f"{counts or 'no test was reported one by one'}", markup=False)
    console.print(f"command: {verification.command}\nimage:   {verification.image}", markup=False)
    for note in verification.notes:
        console.print(f"note:    {printable(note)}", markup=False)


def _verification_table(verification: "Verification") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    changed = [row for row in verification.tests if row.verdict != "unchanged"]
    if not changed:
        return Text("no test changed its outcome")
    table = Table("Test", "Base", "Candidate", "Verdict", box=None, pad_edge=False)
    for row in changed[:50]:
        style = STYLE.get(row.verdict, "red")
        table.add_row(Text(printable(row.id), overflow="fold"), row.base, row.candidate, Text(row.verdict, style=style))
    if len(changed) > 50:
        table.add_row(f"… and {len(changed) - 50} more", "", "", "")
    return table


def _show_end(console: "Console", result: "Result") -> None:
    usage = result.usage
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    style = "bold green" if result.status == "verified" else "bold yellow"
    console.print(f"[{style}]{result.status}[/]: ", end="")
    console.print(printable_lines(result.reason), markup=False)
    tokens = f"{usage.prompt_tokens:,} tokens in, {usage.completion_tokens:,} out"
    console.print(f"{usage.requests} model calls, {tokens}, {cost}; {result.timings.get('total', 0.0):.1f} s in all")
    if result.branch:
        console.print(f"branch `{result.branch}` now holds commit {result.commit[:12]}", markup=False)


def _describe_door(door: "DoorState") -> str:
    if door.opens:
        return "a network policy of `allowlist` can be used: doors open"
    return f"no network policy but `none`: {door.problem}" + (f" (hint: {door.hint})" if door.hint else "")


def _describe_wall(sandbox: "SandboxState") -> list[str]:
    told = [f"{weakness.lacks}: {weakness.why}" for weakness in sandbox.weaknesses]
    door = [_describe_door(sandbox.door)] if sandbox.door else []
    return [sandbox.image, *filter(None, [sandbox.engine]), *(f"without {one}" for one in told), *door]


def show_images(images: "Sequence[KeptImage]") -> None:
    """Print what set-ups left on an engine on stdout, for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Image", "Repository", "Made of", "Age", "Size", "In use", box=None, pad_edge=False)
    for image in images:
        age = max(0.0, time.time() - image.made)
        shown = f"{age / 3600:.0f} h" if age < 172_800 else f"{age / 86_400:.0f} d"
        words = (image.name, image.repository, image.base)
        table.add_row(
            *(Text(printable(word), overflow="fold") for word in words),
            shown,
            f"{image.size / 1e6:,.0f} MB",
            "yes" if image.in_use else "no",
        )
    Console(file=sys.stdout, highlight=False).print(table if images else "no images of set-ups on this engine")


def show_runtime(runtime: "Runtime") -> None:
    """Print what is known of the carried runtime on stdout, for people."""
    said = f"volume {runtime.volume}\nfrom image {runtime.image}\narchitecture {runtime.architecture}"
    if runtime.runs:
        sys.stdout.write(f"{said}\nsize {runtime.size / 1e6:.0f} MB\nruns Python {runtime.python} on this engine\n")
        return
    engine = f" (this engine is {runtime.engine})" if runtime.engine != runtime.architecture else ""
    sys.stdout.write(f"{said}\nit does not run here{engine}: {printable(runtime.problem)}\n")


def show_opening(opening: "Opening") -> None:
    """Print how an agent would begin, on stdout, for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    table = Table("Layer", "May have", "Has", "Files", box=None, pad_edge=False)
    for layer in opening.layers:
        names = [f"{printable(path)} ({size:,})" if size else printable(path) for path, size in layer.files]
        more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
        table.add_row(layer.layer, f"{layer.limit:,}", f"{layer.tokens:,}", Text("\n".join(names[:MOST_NAMED] + more)))
    console.print(table)
    console.print(f"{opening.tokens:,} of {opening.limit:,} tokens; the rest is left for the work", markup=False)


def show_examination(examination: "Examination") -> None:
    """Print what `ay-bot doctor` found on stdout, for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    table = Table("Sandbox", "Usable", "What to know", box=None, pad_edge=False)
    for sandbox in examination.sandboxes:
        known = _describe_wall(sandbox) if sandbox.usable else [sandbox.problem, f"hint: {sandbox.hint}"]
        usable = Text("yes", style="green") if sandbox.usable else Text("no", style="red")
        table.add_row(sandbox.name, usable, Text("\n".join(known), overflow="fold"))
    console.print(f"ay-bot {examination.version}, box image {examination.default_image}\n", markup=False)
    console.print(table)
    for name in examination.removed:
        console.print(f"removed {printable(name)}", markup=False)
    if state := examination.repository:
        console.print(f"\n{printable(state.path)}: {state.workflows} workflows", markup=False)
        problems = Table("Where", "Problem", "Fix", box=None, pad_edge=False)
        for finding in state.findings:
            place = f"{finding.rule} {finding.file} {finding.job}".strip()
            problems.add_row(
                *(Text(printable(text), overflow="fold") for text in (place, finding.problem, finding.fix))
            )
        for advice in state.advice:
            problems.add_row(
                *(Text(printable(text), overflow="fold") for text in (advice.about, advice.problem, advice.fix))
            )
        console.print(problems if problems.row_count else "nothing to mend", markup=False)
