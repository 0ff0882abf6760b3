"""The `shell` tool: a command in the workspace, within a time limit."""

from pydantic import Field

from ay_bot.agent.guarding import find_command_fault
from ay_bot.agent.jobs import JOBS, MOST_JOBS
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, one_line, refused
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Ran, Refusal, Workbench


class ShellArguments(Arguments):
    """A command for sh, and after how many seconds it is ended; in the background it has no limit but the box's."""

    command: str = Field(description="string")
    timeout: float | None = Field(default=None, description="seconds", gt=0)
    background: bool = Field(default=False, description="boolean")


def shell(arguments: ShellArguments, bench: Workbench) -> ToolResult:
    """Run it, and give head and tail of what it wrote."""
    if not arguments.command.strip() or "\0" in arguments.command:
        msg = "the command is empty or holds a NUL"
        raise Refusal(msg)
    if fault := find_command_fault(arguments.command, bench.policy.commands):
        return refused("policy", f"error: {fault}")
    if arguments.background:
        return _start(arguments.command, bench)
    timeout = min(arguments.timeout or bench.command_timeout, bench.command_timeout)
    log = bench.next_log()
    half = bench.output_limit // 2
    ran = bench.run(arguments.command, cwd=bench.root, timeout=timeout, head=half, tail=half, log=log)
    for name in [name for name in bench.failed_edits.unread if name in arguments.command]:
        bench.failed_edits.read(name)  # whatever it does with it, the model has looked
    notes = [exit_note(ran, timeout)] if ran.exit_code or ran.timed_out or not ran.output.strip() else []
    if ran.total_bytes > bench.output_limit:
        notes.append(f"whole output, {ran.total_bytes:,} bytes: {log}")
    text = ran.output.rstrip("\n")
    if notes:
        text = (text + "\n" if text else "") + f"[{'; '.join(notes)}]"
    return ToolResult(text, outcome=exit_note(ran, timeout) + _last(ran), ok=ran.exit_code == 0 and not ran.timed_out)


def _start(command: str, bench: Workbench) -> ToolResult:
    if bench.start is None:
        return refused("refused", "error: nothing can run in the background here")
    if len(JOBS.running()) >= MOST_JOBS:
        return refused("refused", f"error: at most {MOST_JOBS} background commands at once; end one with job first")
    job = bench.start(command, cwd=bench.root, log=bench.scratch / f"job-{len(JOBS.all) + 1}.log")
    return ToolResult(f"[job {job.number} runs; look at it with job]", outcome=f"job {job.number} runs")


def exit_note(ran: Ran, timeout: float) -> str:
    """How a command ended."""
    if ran.timed_out:
        return f"ended after the time limit of {timeout:g} s"
    return f"exit code {ran.exit_code}" + ("" if ran.output.strip() else ", no output")


def _last(ran: Ran) -> str:
    last = ran.output.strip().rpartition("\n")[2]
    return f": {one_line(last, 80)}" if last else ""


SHELL = Tool(
    build_spec("shell", "Run an sh command", {"command": "string"}, {"timeout": "number", "background": "boolean"}),
    ShellArguments,
    shell,
    lambda arguments: arguments.command,
)
