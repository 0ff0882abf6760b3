"""The `job` tool: a look at a command that runs on, a wait for its end, or its end now."""

from pydantic import Field

from ay_bot.agent.jobs import JOBS, Job
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, one_line, refused
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Workbench


class JobArguments(Arguments):
    """Which, how long to wait for its end, and whether to end it then."""

    id: int = Field(description="integer")
    wait: float = Field(default=0.0, description="seconds", ge=0)
    end: bool = Field(default=False, description="boolean")


def look(arguments: JobArguments, bench: Workbench) -> ToolResult:
    """Give what it wrote since the last look, and whether it still runs."""
    job = JOBS.all.get(arguments.id)
    if job is None:
        known = ", ".join(str(number) for number in JOBS.all) or "none"
        return refused("refused", f"error: there is no job {arguments.id}; there are: {known}")
    JOBS.wait(job, min(arguments.wait, bench.command_timeout))
    if arguments.end:
        JOBS.end(job)
    state = describe_job(job)
    text = JOBS.read(job, bench.output_limit).rstrip("\n")
    return ToolResult(f"{text}\n[{state}]" if text else f"[{state}]", outcome=one_line(f"{state}: {job.command}"))


def describe_job(job: Job) -> str:
    """Say in a few words how a job is."""
    running = job in JOBS.running()
    return f"job {job.number} runs" if running else f"job {job.number} ended with exit code {job.exit_code}"


JOB = Tool(
    build_spec("job", "Look at a background command, end it", {"id": "integer"}, {"wait": "number", "end": "boolean"}),
    JobArguments,
    look,
    lambda arguments: f"{arguments.id}" + (" (end)" if arguments.end else ""),
)
