"""The five ways of asking for edits: which one a reply uses, what it asks for, and handing that to the engine."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal, assert_never, get_args

from ay_bot.agent.edits.diffing import apply_diff
from ay_bot.agent.edits.filenames import find_meant
from ay_bot.agent.edits.patch import Operation, PatchError, parse_patch
from ay_bot.agent.edits.patching import Resolve, Show, apply_operations, name_operation
from ay_bot.agent.edits.replacing import Replacement, replace_all
from ay_bot.agent.edits.report import Report, report_unwritable
from ay_bot.agent.edits.search_replace import Block, Command, Problem, is_prose, parse_blocks
from ay_bot.agent.edits.staging import Stage, StageError
from ay_bot.agent.edits.tool_call import parse_calls
from ay_bot.agent.edits.unified import FileDiff, parse_diff
from ay_bot.agent.edits.whole import WholeFile, begins_elsewhere, parse_files, write_whole
from ay_bot.errors import UsageError

Format = Literal["edit", "apply_patch", "search_replace", "udiff", "whole"]
Item = Block | Operation | FileDiff | WholeFile | Command | Problem

MARKS: dict[Format, re.Pattern[str]] = {
    "search_replace": re.compile(r"^[ \t]*<{5,9} SEARCH>?[ \t\r]*$", re.MULTILINE),
    "apply_patch": re.compile(r"^[ \t]*\*\*\* Begin Patch[ \t\r]*$", re.MULTILINE),
    "udiff": re.compile(r"^(?:--- .*\n\+\+\+ |@@ |diff --git )", re.MULTILINE),
}
FENCED_DIFF = re.compile(r"^[ \t]*```(?:diff|udiff|patch)\b", re.MULTILINE)


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
    if marked := marked_formats(reply):
        return marked[0]
    if FENCED_DIFF.search(reply):
        return "udiff"
    if '"edits"' in reply and '"search"' in reply:
        return "edit"
    return "whole" if parse_files(reply) else "search_replace"


def marked_formats(reply: str) -> list[Format]:
    """The formats that a reply has the marks of, in order."""
    marks = [(found.start(), form) for form, mark in MARKS.items() if (found := mark.search(reply))]
    return [form for _, form in sorted(marks)]


def parse_reply(reply: str, form: Format, known: Collection[str] = (), *, strict: bool = False) -> tuple[Item, ...]:
    """Read what a reply asks for; what can't be read is a `Problem` among the rest.

    A reply that has nothing of its format is read in the one that it has the marks of, unless `strict`.
    """
    items = name_known(_parse(reply, form, known, strict=strict), known)
    if strict or any(map(_is_read, items)):
        return items
    for other in marked_formats(reply):
        if other != form and any(map(_is_read, read := name_known(_parse(reply, other, known, strict=False), known))):
            return read
    return items


def _is_read(item: Item) -> bool:
    """Whether it says what shall become of which file, in its own format."""
    if isinstance(item, WholeFile):
        return not begins_elsewhere(item.content)
    return not isinstance(item, Problem | Command) and bool(item.path)


def _parse(reply: str, form: Format, known: Collection[str], *, strict: bool) -> tuple[Item, ...]:
    match form:
        case "edit":
            return parse_calls(reply)
        case "apply_patch":
            try:
                return parse_patch(reply)
            except PatchError as error:
                return (Problem("", str(error)),)
        case "search_replace":
            return parse_blocks(reply, known, strict=strict)
        case "udiff":
            return parse_diff(reply)
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
    except UnicodeEncodeError as error:
        return [report_unwritable(name, error)]


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


def name_known(items: Sequence[Item], known: Collection[str]) -> tuple[Item, ...]:
    """The items, with the names that known files go by where a file must be there already."""
    return tuple(_named(item, known) for item in items)


def _named(item: Item, known: Collection[str]) -> Item:
    match item:
        case Block() if item.search.strip():
            return replace(item, path=find_meant(item.path, known))
        case Operation():
            return name_operation(item, known)
        case FileDiff():
            return _named_diff(item, known)
        case _:
            return item


def _named_diff(diff: FileDiff, known: Collection[str]) -> FileDiff:
    """The diff with the names that the files go by: git's prefixes may or may not be part of them."""
    if not diff.path and len(known) == 1:
        only = next(iter(known))
        return replace(diff, old=only, new=only)
    old, new = _known(diff.old, known), _known(diff.new, known)
    if old is None or diff.renamed:
        return replace(diff, old=old, new=new)
    return replace(diff, old=find_meant(old, known), new=new and find_meant(new, known))


def _known(name: str | None, known: Collection[str]) -> str | None:
    if not name or name in known:
        return name
    short = name[2:] if name.startswith(("a/", "b/")) else ""
    return next((other for other in (short, f"a/{name}", f"b/{name}") if other in known), name)
