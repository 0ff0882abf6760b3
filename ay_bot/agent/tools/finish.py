"""The `finish` tool: the one way to say that the work is done."""

from pydantic import Field

from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Workbench


class FinishArguments(Arguments):
    """What was done, for people."""

    summary: str = Field(default="", description="string")


def finish(arguments: FinishArguments, _: Workbench) -> ToolResult:
    """End the session."""
    return ToolResult(arguments.summary.strip(), outcome="finished", ends=True)


FINISH = Tool(
    build_spec("finish", "End the task, saying what you changed and why", {"summary": "string"}),
    FinishArguments,
    finish,
    lambda arguments: arguments.summary,
)
