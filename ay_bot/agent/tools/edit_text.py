"""Edits that a model wrote into its reply, in one of the text formats: all are made, or none.

What could be made of a reply that can't be made whole is held until the next one, so that it need not be said again.
"""

from collections.abc import Sequence
from dataclasses import replace
from posixpath import normpath
from typing import get_args

from pydantic import Field, field_validator

from ay_bot.agent.edits.formats import Format, Item, apply_items, parse_reply
from ay_bot.agent.edits.search_replace import Block, Command
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, plural, refused
from ay_bot.agent.tools.staged import Present, stage_result
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
    items = parse_reply(arguments.text, arguments.form, Present(bench.root))
    if not items:
        return refused("edit", f"error: nothing was written; there is no edit in the reply as {arguments.form} has it")
    items = (*_still_meant(bench.held, items), *items)
    bench.held = ()
    stage = Stage()
    reports = apply_items(stage, items, bench.writable, bench.shown)
    result = stage_result(stage, bench, [report for some in reports for report in some])
    notes = ["shell blocks are not run: call the shell tool"] if any(isinstance(one, Command) for one in items) else []
    if not result.ok:
        pairs = zip(items, reports, strict=True)
        good = [item for item, some in pairs if isinstance(item, Block) and all(report.ok for report in some)]
        bench.held = tuple(good)
        if good:
            notes.append(
                f"{plural(len(good), 'other edit')} can be made and will be, with your next: send the rest only"
            )
    return replace(result, text="\n".join([result.text, *notes]))


def _still_meant(held: Sequence[Block], items: Sequence[Item]) -> Sequence[Block]:
    """Those that an earlier reply asked for and this one takes for granted; none if it gives any of them again."""
    given = {_bare(item) for item in items if isinstance(item, Block)}
    return () if given & {_bare(block) for block in held} else held


def _bare(block: Block) -> tuple[str, str]:
    return normpath(block.path), "".join(block.search.split())


EDIT_TEXT = Tool(
    build_spec("edit_text", "Edits written in the reply", {"form": "string", "text": "string"}),
    EditTextArguments,
    edit_text,
    lambda arguments: f"edits as {arguments.form}",
)
