"""The five ways of asking for edits: which one a reply uses, what it asks for, and handing that to the engine."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal, assert_never, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ay_bot.agent.edits.diffing import apply_diff
from ay_bot.agent.edits.patch import Operation, PatchError, parse_patch
from ay_bot.agent.edits.patching import Resolve, Show, apply_operations
from ay_bot.agent.edits.replacing import Replacement, replace_all
from ay_bot.agent.edits.report import Report
from ay_bot.agent.edits.search_replace import Block, Command, Problem, is_prose, parse_blocks
from ay_bot.agent.edits.staging import Stage, StageError
from ay_bot.agent.edits.unified import FileDiff, parse_diff
from ay_bot.agent.edits.whole import WholeFile, parse_files, write_whole
from ay_bot.errors import UsageError

Format = Literal["edit", "apply_patch", "search_replace", "udiff", "whole"]
Item = Block | Operation | FileDiff | WholeFile | Command | Problem

MARKS: dict[Format, re.Pattern[str]] = {
    "search_replace": re.compile(r"^[ \t]*<{5,9} SEARCH>?[ \t\r]*$", re.MULTILINE),
    "apply_patch": re.compile(r"^[ \t]*\*\*\* Begin Patch[ \t\r]*$", re.MULTILINE),
    "udiff": re.compile(r"^(?:--- .*\n\+\+\+ |@@ |diff --git )", re.MULTILINE),
}
FENCED_DIFF = re.compile(r"^[ \t]*```(?:diff|udiff|patch)\b", re.MULTILINE)


class ToolEdit(BaseModel):
    """One edit of the `edit` tool; its path is the call's own if it has none."""

    model_config = ConfigDict(frozen=True, strict=True)

    path: str = ""
    search: str
    replace: str
    occurrence: int = Field(default=0, ge=0)


class ToolCall(BaseModel):
    """The arguments of the `edit` tool, as a reply without tool calls holds them."""

    model_config = ConfigDict(frozen=True, strict=True)

    path: str = ""
    edits: tuple[ToolEdit, ...]


def parse_format(name: str | None) -> Format | None:
    """The format of this name; None where none is given. Raises UsageError."""
    formats: tuple[Format, ...] = get_args(Format)
    if name is None:
        return None
    if found := next((form for form in formats if form == name), None):
        return found
    message = f"there is no edit format `{name}`"
    raise UsageError(message, hint=f"choose one of {', '.join(formats)}")


def guess_format(reply: str) -> Format:
    """The format of a reply, by the first mark that only one has."""
    marks = [(found.start(), form) for form, mark in MARKS.items() if (found := mark.search(reply))]
    if marks:
        return min(marks)[1]
    if FENCED_DIFF.search(reply):
        return "udiff"
    if '"edits"' in reply and '"search"' in reply:
        return "edit"
    return "whole" if parse_files(reply) else "search_replace"


def parse_reply(reply: str, form: Format, known: Collection[str] = ()) -> tuple[Item, ...]:
    """Read what a reply asks for; what can't be read is a `Problem` among the rest."""
    match form:
        case "edit":
            return _tool_edits(reply)
        case "apply_patch":
            try:
                return parse_patch(reply)
            except PatchError as error:
                return (Problem("", str(error)),)
        case "search_replace":
            return parse_blocks(reply, known)
        case "udiff":
            return tuple(_named(diff, known) for diff in parse_diff(reply))
        case "whole":
            return parse_files(reply, known)
        case _:
            assert_never(form)


def apply_items(stage: Stage, items: Sequence[Item], resolve: Resolve, show: Show) -> list[list[Report]]:
    """Stage all items in order, with the reports of each."""
    return [_apply(stage, item, resolve, show) for item in items]


def _apply(stage: Stage, item: Item, resolve: Resolve, show: Show) -> list[Report]:
    name = "" if isinstance(item, Command) else item.path
    try:
        return _staged(stage, item, name, resolve, show)
    except StageError as error:
        return [Report(name, str(error), ok=False)]
    except UnicodeEncodeError:
        return [Report(name, f"{name} is not UTF-8, and the new text has characters that it can't hold", ok=False)]


def _staged(stage: Stage, item: Item, name: str, resolve: Resolve, show: Show) -> list[Report]:
    reports: list[Report] = []
    match item:
        case Block() if is_prose(name) and not item.search.strip():
            reports.append(Report(name, f"{name!r} is not a path; put one before the block", ok=False))
        case Block():
            reports += replace_all(
                stage, resolve(name), name, [Replacement(item.search, item.replace, item.occurrence)]
            )
        case Operation():
            reports += apply_operations(stage, [item], resolve, show)
        case FileDiff():
            reports += apply_diff(stage, item, resolve)
        case WholeFile():
            reports.append(write_whole(stage, resolve(name), name, item.content))
        case Problem():
            reports.append(Report(name, item.why, ok=False))
        case Command():
            pass  # nothing runs it
        case _:
            assert_never(item)
    return reports


def _tool_edits(reply: str) -> tuple[Item, ...]:
    start, end = reply.find("{"), reply.rfind("}") + 1
    try:
        call = ToolCall.model_validate(json.loads(reply[start:end] if 0 <= start < end else reply), strict=False)
    except (ValueError, RecursionError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        return (Problem("", f"the reply is not a JSON object with `path` and `edits`: {first}"),)
    return tuple(Block(edit.path or call.path, edit.search, edit.replace, edit.occurrence) for edit in call.edits)


def _named(diff: FileDiff, known: Collection[str]) -> FileDiff:
    """The diff with the names that the files go by: git's prefixes may or may not be part of them."""
    if not diff.path and len(known) == 1:
        only = next(iter(known))
        return replace(diff, old=only, new=only)
    return replace(diff, old=_known(diff.old, known), new=_known(diff.new, known))


def _known(name: str | None, known: Collection[str]) -> str | None:
    if not name or name in known:
        return name
    short = name[2:] if name.startswith(("a/", "b/")) else ""
    return next((other for other in (short, f"a/{name}", f"b/{name}") if other in known), name)
