"""The `apply_patch` tool: a patch over several files in Codex's grammar, all or nothing."""

from pydantic import Field

from ay_bot.agent.edits.patch import PatchError, parse_patch
from ay_bot.agent.edits.patching import apply_operations, name_operation
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, refused
from ay_bot.agent.tools.staged import Present, stage_result
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Workbench


class PatchArguments(Arguments):
    """The patch."""

    patch: str = Field(description="string")


def apply_patch(arguments: PatchArguments, bench: Workbench) -> ToolResult:
    """Apply every operation of the patch, or none."""
    try:
        operations = parse_patch(arguments.patch)
    except PatchError as error:
        return refused("patch", f"error: {error}")
    stage = Stage()
    named = [name_operation(operation, Present(bench.root)) for operation in operations]
    reports = apply_operations(stage, named, bench.writable, bench.shown)
    return stage_result(stage, bench, reports)


def _summary(arguments: PatchArguments) -> str:
    try:
        return ", ".join(operation.path for operation in parse_patch(arguments.patch))
    except PatchError:
        return "(a patch that can't be read)"


APPLY_PATCH = Tool(
    build_spec("apply_patch", "Apply a *** Begin Patch … *** End Patch", {"patch": "string"}),
    PatchArguments,
    apply_patch,
    _summary,
)
