"""Edits that a model wrote into its reply, in one of the text formats: all are made, or none."""

from typing import get_args

from pydantic import Field, field_validator

from ay_bot.agent.edits.formats import Format, apply_items, parse_reply
from ay_bot.agent.edits.search_replace import Command
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, refused
from ay_bot.agent.tools.staged import stage_result
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Workbench


class EditTextArguments(Arguments):
    """A reply's text, and how its edits are written."""

    form: Format = Field(description=" or ".join(get_args(Format)))
    text: str = Field(description="string")

    @field_validator("text")
    @classmethod
    def _ends_its_last_line(cls, text: str) -> str:
        return text if text.endswith("\n") else f"{text}\n"


def edit_text(arguments: EditTextArguments, bench: Workbench) -> ToolResult:
    """Make the edits; a shell command among them is not run, and the result says so."""
    items = parse_reply(arguments.text, arguments.form)
    if not items:
        return refused("edit", f"error: nothing was written; there is no edit in the reply as {arguments.form} has it")
    stage = Stage()
    reports = apply_items(stage, items, bench.writable, bench.shown)
    result = stage_result(stage, bench, [report for some in reports for report in some])
    if any(isinstance(item, Command) for item in items):
        note = "\nshell blocks are not run: call the shell tool"
        return ToolResult(result.text + note, outcome=result.outcome, ok=result.ok, failure=result.failure)
    return result


EDIT_TEXT = Tool(
    build_spec("edit_text", "Edits written in the reply", {"form": "string", "text": "string"}),
    EditTextArguments,
    edit_text,
    lambda arguments: f"edits as {arguments.form}",
)
