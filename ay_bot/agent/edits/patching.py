"""The front end for patches: every operation is staged, and reported."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from ay_bot.agent.edits.engine import Applied, Refused, apply_hunk
from ay_bot.agent.edits.filenames import find_meant
from ay_bot.agent.edits.folding import bare, exact, folded, trimmed
from ay_bot.agent.edits.matching import Source
from ay_bot.agent.edits.patch import Chunk, Operation
from ay_bot.agent.edits.report import Report, report_unwritable
from ay_bot.agent.edits.staging import Stage, StageError
from ay_bot.agent.edits.text import Line, join, split
from ay_bot.agent.edits.whole import write_whole
from ay_bot.agent.edits.writing import close, usual_end

Resolve = Callable[[str], Path]
Show = Callable[[Path], str]


def name_operation(operation: Operation, known: Collection[str]) -> Operation:
    """The operation, with the name of the file that must be there; git's prefixes are part of it, as Codex has it."""
    if operation.action != "Update" or operation.path.startswith(("a/", "b/", "/")):
        return operation
    return replace(operation, path=find_meant(operation.path, known))


def apply_operations(stage: Stage, operations: Sequence[Operation], resolve: Resolve, show: Show) -> list[Report]:
    """Stage all operations in order; a path that may not be written raises what `resolve` raises."""
    return [_apply(stage, operation, resolve, show) for operation in operations]


def _apply(stage: Stage, operation: Operation, resolve: Resolve, show: Show) -> Report:
    path = resolve(operation.path)
    name = show(path)
    try:
        match operation.action:
            case "Add":
                return _add(stage, path, name, "".join(f"{line}\n" for line in operation.lines))
            case "Delete":
                if stage.open(path, name).after is None:
                    return Report(name, f"{name} does not exist", ok=False)
                stage.write(path, name, None)
                return Report(name, f"deleted {name}", how="exact")
            case "Update":
                return _update(stage, operation, path, resolve, show)
    except StageError as error:
        return Report(name, str(error), ok=False)
    except UnicodeEncodeError as error:
        return report_unwritable(name, error)


def _add(stage: Stage, path: Path, name: str, content: str) -> Report:
    """Write a file, whole; of one that is there, lines that stay keep their bytes."""
    before = stage.open(path, name).after
    if before and b"\0" not in before[:8192]:
        return write_whole(stage, path, name, content)
    stage.write(path, name, content.encode("utf-8", "replace"))
    return Report(name, f"added {name}", how="new file")


def _update(stage: Stage, operation: Operation, path: Path, resolve: Resolve, show: Show) -> Report:
    name = show(path)
    decoded = stage.text(path, name)
    lines = split(decoded.text)
    cursor = 0
    notes: list[str] = []
    hows: list[str] = []
    already = True
    for number, chunk in enumerate(operation.chunks, 1):
        outcome = _chunk(lines, replace(chunk, hunk=replace(chunk.hunk, end=usual_end(lines))), cursor)
        if isinstance(outcome, Refused):
            return Report(name, f"{name}, hunk {number}: {outcome.why}", ok=False)
        if outcome.already:
            notes.append(f"hunk {number} already applied")
        elif outcome.how != "exact":
            notes.append(f"hunk {number}: {outcome.how}")
        hows.append(outcome.how)
        already = already and outcome.already
        lines, cursor = outcome.lines, outcome.last
    stage.write(path, name, decoded.encode(join(lines)))
    text = f"updated {name}" + (f" ({'; '.join(notes)})" if notes else "")
    how = ", ".join(dict.fromkeys(hows))
    if operation.move_to and (target := resolve(operation.move_to)) != path:
        stage.write(target, show(target), stage.open(path, name).after)
        stage.open(target, show(target)).mode = stage.open(path, name).mode
        stage.write(path, name, None)
        text += f", moved to {show(target)}"
        already = False
    return Report(name, text, how=how, already=already)


def _chunk(lines: list[Line], chunk: Chunk, cursor: int) -> Applied | Refused:
    low = cursor
    for anchor in chunk.anchors:
        found = _anchor(lines, anchor, low)
        if found is None:
            return Refused(f"the line {anchor!r} after @@ does not stand in the file after line {low}")
        low = found + 1
    if not chunk.hunk.old:
        return _insert(lines, chunk, low if chunk.anchors else len(lines))
    if chunk.at_end:
        low = max(low, len(lines) - len(chunk.hunk.old))
        return apply_hunk(lines, chunk.hunk, low=low)
    # The anchor may also be the hunk's first line.
    outcome = apply_hunk(lines, chunk.hunk, low=low, first=bool(chunk.anchors))
    if isinstance(outcome, Refused) and chunk.anchors:
        again = apply_hunk(lines, chunk.hunk, low=low - 1, first=True)
        return again if isinstance(again, Applied) else outcome
    return outcome


def _anchor(lines: list[Line], anchor: str, low: int) -> int | None:
    source = Source([line.body for line in lines])
    for key in (exact, trimmed, folded, bare):
        try:
            return source.keys(key).index(key(anchor), low)
        except ValueError:
            continue
    return next((at for at in range(low, len(lines)) if bare(anchor) in bare(lines[at].body)), None)


def _insert(lines: list[Line], chunk: Chunk, at: int) -> Applied:
    end = usual_end(lines)
    new = [Line(text, end) for text in chunk.hunk.new]
    written = close([*lines[:at], *new, *lines[at:]], lines)
    return Applied(written, at + 1, at + len(new), "exact")
