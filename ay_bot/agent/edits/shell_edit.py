"""Edits from the shell: a JSON line with files and edits or a reply in, a JSON line with what became of them out."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ay_bot.agent.edits.formats import Format, Item, apply_items, guess_format, parse_reply
from ay_bot.agent.edits.memory import MemoryStage, stage_texts
from ay_bot.agent.edits.patch import Operation
from ay_bot.agent.edits.report import Report
from ay_bot.agent.edits.search_replace import Block, Command, Problem
from ay_bot.agent.edits.staging import StageError
from ay_bot.agent.edits.syntax import new_syntax_errors
from ay_bot.agent.edits.tool_call import ToolEdit
from ay_bot.agent.edits.unified import FileDiff
from ay_bot.agent.edits.whole import WholeFile

Status = Literal["applied", "already", "refused", "held", "malformed", "ignored"]
Edit = dict[str, str | bool]
LONGEST_LINE = 256 * 1024 * 1024
SCALARS = ("str", "int", "float")  # what a field may be, as the validation's places name it
EXPECTED = {
    "missing": "is missing",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be 0 or more",
}
NOTHING = "no edit is asked for: `edits` is empty, or nothing in the reply can be read as one in a known format"
HELD = "it could be applied, but nothing is written because another edit of the call can't be"


class Request(BaseModel):
    """One line of input; null is a file that does not exist."""

    model_config = ConfigDict(frozen=True, strict=True)

    id: str | int | float | None = None
    files: dict[str, str | None] = {}
    edits: list[ToolEdit] | None = None
    reply: str | None = None


class Outcome(BaseModel):
    """What became of one edit; `pass` says how loosely its place was found."""

    model_config = ConfigDict(frozen=True)

    path: str | None
    status: Status
    how: str | None
    reason: str

    def shown(self) -> dict[str, str | None]:
        """As the line of output has it."""
        return {"path": self.path, "status": self.status, "pass": self.how, "reason": self.reason}


class BadLine(Exception):
    """A line that is no request; the text says why."""

    def __init__(self, why: str, identity: str | float | None = None) -> None:
        super().__init__(why)
        self.identity = identity


def answer_line(line: bytes, form: Format | None, *, parse_only: bool) -> str:
    """The line of output for a line of input. Raises BadLine."""
    request = _read(line)
    items = _items(request, form, strict=parse_only)
    if parse_only:
        return _parsed(request, items)
    try:
        stage = stage_texts(request.files)
    except StageError as error:
        raise BadLine(str(error), request.id) from error
    return _applied(request, items, stage)


def answer_bad_line(error: BadLine) -> str:
    """The line of output for a line that is no request."""
    outcome = Outcome(path=None, status="malformed", how=None, reason=str(error))
    return _line(id=error.identity, ok=False, files={}, results=[outcome.shown()])


def _read(line: bytes) -> Request:
    if not line.strip():
        msg = "there is nothing on standard input"
        raise BadLine(msg)
    if len(line) > LONGEST_LINE:
        msg = f"the line has {len(line):,} bytes; at most {LONGEST_LINE:,} are read"
        raise BadLine(msg)
    try:
        content: object = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        msg = f"the line is not JSON: {error}"
        raise BadLine(msg) from error
    identity = content.get("id") if isinstance(content, dict) else None
    known = identity if isinstance(identity, str | int | float) and not _is_endless(identity) else None
    try:
        request = Request.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in SCALARS)
        what = EXPECTED.get(first["type"], first["msg"])
        msg = f"the line is not a request: {f'`{where}` ' if where else 'it '}{what}"
        raise BadLine(msg, known) from error
    if _is_endless(request.id):
        msg = "the line is not a request: its `id` is a number that JSON can't say"
        raise BadLine(msg)
    if (request.edits is None) == (request.reply is None):
        msg = "the line is not a request: it must have either `edits` or `reply`, and not both"
        raise BadLine(msg, known)
    return request


def _refuse_constant(name: str) -> None:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


def _is_endless(identity: object) -> bool:
    return isinstance(identity, float) and not math.isfinite(identity)


def _items(request: Request, form: Format | None, *, strict: bool) -> tuple[Item, ...]:
    if request.reply is None:
        return tuple(Block(edit.path, edit.search, edit.replace, edit.occurrence) for edit in request.edits or ())
    known = [name for name, text in request.files.items() if text is not None]
    return parse_reply(request.reply, form or guess_format(request.reply), known, strict=strict)


def _parsed(request: Request, items: Sequence[Item]) -> str:
    problems = [item for item in items if isinstance(item, Problem)]
    edits = [edit for item in items for edit in _edits(item)]
    return _line(id=request.id, ok=not problems, edits=edits, results=[_malformed(item).shown() for item in problems])


def _applied(request: Request, items: Sequence[Item], stage: MemoryStage) -> str:
    reports = apply_items(stage, items, stage.resolve, stage.name)
    flat = [report for some in reports for report in some]
    failed = not flat or not all(report.ok for report in flat)
    outcomes = [out for item, some in zip(items, reports, strict=True) for out in _outcomes(item, some, failed=failed)]
    if not flat:
        outcomes.append(Outcome(path=None, status="refused", how=None, reason=NOTHING))
    if not failed:
        outcomes = list(_with_warnings(outcomes, stage))
    files = stage.texts(before=failed)
    return _line(id=request.id, ok=not failed, files=files, results=[outcome.shown() for outcome in outcomes])


def _outcomes(item: Item, reports: Sequence[Report], *, failed: bool) -> Iterator[Outcome]:
    if isinstance(item, Problem):
        yield _malformed(item)
        return
    if isinstance(item, Command):
        yield Outcome(path=None, status="ignored", how=None, reason=f"a shell command is not an edit: {item.text}")
        return
    for report in reports:
        if not report.ok:
            yield Outcome(path=report.path or None, status="refused", how=None, reason=report.text)
        elif report.already:
            yield Outcome(path=report.path, status="already", how=report.how, reason=report.text)
        elif failed:
            yield Outcome(path=report.path, status="held", how=report.how, reason=HELD)
        else:
            yield Outcome(path=report.path, status="applied", how=report.how, reason=report.text)


def _malformed(problem: Problem) -> Outcome:
    return Outcome(path=problem.path or None, status="malformed", how=None, reason=problem.why)


def _with_warnings(outcomes: Sequence[Outcome], stage: MemoryStage) -> Iterator[Outcome]:
    """The outcomes; the last one of a file that no longer parses says so."""
    broken = new_syntax_errors(stage)
    last = {Path(outcome.path): number for number, outcome in enumerate(outcomes) if outcome.path}
    for number, outcome in enumerate(outcomes):
        mine = [f"warning: {outcome.path} {what}" for path, what in broken.items() if last.get(path) == number]
        yield outcome.model_copy(update={"reason": "\n".join([outcome.reason, *mine])})


def _edits(item: Item) -> list[Edit]:
    """An item as the parser read it, in the form of the `edit` tool as far as that can say it."""
    match item:
        case Block():
            return [{"path": item.path, "search": item.search, "replace": item.replace}]
        case Command():
            return [{"shell": item.text}]
        case WholeFile():
            return [{"path": item.path, "content": item.content}]
        case Operation():
            hunks = [(chunk.hunk.old, chunk.hunk.new) for chunk in item.chunks]
            hunks += [([], list(item.lines))] if item.action == "Add" else []
            move = item.move_to
            return _hunk_edits(item.path, hunks, move=move, delete=item.action == "Delete")
        case FileDiff():
            pairs = [(hunk.hunk.old, hunk.hunk.new) for hunk in item.hunks]
            move = item.new or "" if item.new != item.old and item.old else ""
            return _hunk_edits(item.path, pairs, move=move, delete=item.new is None)
        case Problem():
            return []


def _hunk_edits(path: str, hunks: Sequence[tuple[list[str], list[str]]], *, move: str, delete: bool) -> list[Edit]:
    edits: list[Edit] = [{"path": path, "search": _text(old), "replace": _text(new)} for old, new in hunks]
    if move:
        edits.append({"path": path, "move_to": move})
    if delete:
        edits.append({"path": path, "delete": True})
    return edits


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _line(**content: object) -> str:
    return json.dumps(content)
