"""The `shell` tool: a command in the workspace, within a time limit."""

from pydantic import Field

from ay_bot.agent.guarding import find_command_fault
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, one_line, refused
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Ran, Refusal, Workbench


class ShellArguments(Arguments):
    """A command for sh, and after how many seconds it is ended."""

    command: str = Field(description="string")
    timeout: float | None = Field(default=None, description="seconds", gt=0)


def shell(arguments: ShellArguments, bench: Workbench) -> ToolResult:
    """Run it, and give head and tail of what it wrote."""
    if not arguments.command.strip() or "\0" in arguments.command:
        msg = "the command is empty or holds a NUL"
        raise Refusal(msg)
    if fault := find_command_fault(arguments.command, bench.policy.commands):
        return refused("policy", f"error: {fault}")
    timeout = min(arguments.timeout or bench.command_timeout, bench.command_timeout)
    log = bench.next_log()
    half = bench.output_limit // 2
    ran = bench.run(arguments.command, cwd=bench.root, timeout=timeout, head=half, tail=half, log=log)
    notes = [exit_note(ran, timeout)] if ran.exit_code or ran.timed_out or not ran.output.strip() else []
    if ran.total_bytes > bench.output_limit:
        notes.append(f"whole output, {ran.total_bytes:,} bytes: {log}")
    text = ran.output.rstrip("\n")
    if notes:
        text = (text + "\n" if text else "") + f"[{'; '.join(notes)}]"
    return ToolResult(text, outcome=exit_note(ran, timeout) + _last(ran), ok=ran.exit_code == 0 and not ran.timed_out)


def exit_note(ran: Ran, timeout: float) -> str:
    """How a command ended."""
    if ran.timed_out:
        return f"ended after the time limit of {timeout:g} s"
    return f"exit code {ran.exit_code}" + ("" if ran.output.strip() else ", no output")


def _last(ran: Ran) -> str:
    last = ran.output.strip().rpartition("\n")[2]
    return f": {one_line(last, 80)}" if last else ""


SHELL = Tool(
    build_spec("shell", "Run an sh command", {"command": "string"}, {"timeout": "number"}),
    ShellArguments,
    shell,
    lambda arguments: arguments.command,
)
