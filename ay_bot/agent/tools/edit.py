"""The `edit` tool: text replaced by text, several times in one file, all or nothing."""

import json
from dataclasses import replace
from typing import Final

from pydantic import Field, field_validator

from ay_bot.agent.edits.filenames import find_meant
from ay_bot.agent.edits.replacing import Replacement, replace_all
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult
from ay_bot.agent.tools.staged import Present, stage_result
from ay_bot.agent.tools.tool import Tool
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import ToolSpec

OCCURRENCE: Final = '\nor say which one is meant: {"search": …, "replace": …, "occurrence": 1 for the first}'


class OneEdit(Arguments):
    """Text that stands once in the file, and what replaces it; or which of several it is, as the refusal says."""

    search: str
    replace: str
    occurrence: int = Field(default=0, ge=0)


class EditArguments(Arguments):
    """A file, and its edits in order."""

    path: str = Field(description="string")
    edits: tuple[OneEdit, ...] = Field(description="array of {search: string, replace: string}", min_length=1)

    @field_validator("edits", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        # Some models write the array as a string, or one edit without the array.
        if isinstance(value, str):
            try:
                value = json.loads(value, strict=False)
            except ValueError:
                return value
        return [value] if isinstance(value, dict) else value


def edit(arguments: EditArguments, bench: Workbench) -> ToolResult:
    """Replace, or create the file where the one search is empty and there is none."""
    stage = Stage()
    there = any(one.search.strip() for one in arguments.edits)
    path = bench.writable(find_meant(arguments.path, Present(bench.root)) if there else arguments.path)
    replacements = [Replacement(one.search, one.replace, one.occurrence) for one in arguments.edits]
    reports = replace_all(stage, path, bench.shown(path), replacements)
    result = stage_result(stage, bench, reports)
    return replace(result, text=result.text + OCCURRENCE) if any(one.ambiguous for one in reports) else result


EDIT = Tool(
    ToolSpec(
        name="edit",
        description="Replace text in a file. search: exact lines standing once in it; empty creates the file",
        parameters={
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "edits": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"search": {"type": "string"}, "replace": {"type": "string"}},
                        "required": ["search", "replace"],
                    },
                },
            },
            "required": ["path", "edits"],
        },
    ),
    EditArguments,
    edit,
    lambda arguments: f"{arguments.path} ({len(arguments.edits)})",
)
