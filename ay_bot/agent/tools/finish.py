"""The `finish` tool: the one way to say that the work is done, or to answer."""

from pydantic import Field

from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, plural
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Refusal, Workbench


class FinishArguments(Arguments):
    """What was done, for people."""

    summary: str = Field(default="", description="string")


def finish(arguments: FinishArguments, bench: Workbench) -> ToolResult:
    """End the session, unless edits wait that the model may take for made."""
    if held := bench.held:
        bench.held = ()
        text = (
            f"not finished: {plural(len(held), 'edit')} of an earlier reply had to wait for its others and is not made"
        )
        return ToolResult(f"{text}. Make it, or finish again", outcome="edits wait", ok=False)
    return ToolResult(arguments.summary.strip(), outcome="finished", ends=True)


FINISH = Tool(
    build_spec("finish", "End the task, saying what you changed and why", {"summary": "string"}),
    FinishArguments,
    finish,
    lambda arguments: arguments.summary,
)


def answer(arguments: FinishArguments, bench: Workbench) -> ToolResult:
    """End the session with an answer, which has to say something."""
    if not arguments.summary.strip():
        raise Refusal("summary is the answer, and it is empty")
    return finish(arguments, bench)


ANSWER = Tool(
    build_spec("finish", "End the task. summary is your answer, in Markdown", {"summary": "string"}),
    FinishArguments,
    answer,
    lambda arguments: arguments.summary,
)
