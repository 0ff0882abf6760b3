"""The front end for unified diffs: every hunk is placed by the engine, staged, and reported."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ay_bot.agent.edits.engine import Applied, Refused, apply_hunk
from ay_bot.agent.edits.report import Report, report_outcome
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.edits.text import Line, join, split
from ay_bot.agent.edits.unified import FileDiff
from ay_bot.agent.edits.unified_hunk import DiffHunk
from ay_bot.agent.edits.writing import usual_end

Resolve = Callable[[str], Path]


def apply_diff(stage: Stage, diff: FileDiff, resolve: Resolve) -> list[Report]:
    """Stage what a diff says of one file, with a report for each hunk. Raises StageError and UnicodeEncodeError."""
    name = diff.path
    if diff.trouble or not name:
        return [Report(name, f"{name or 'the diff'}: {diff.trouble or 'it names no file'}", ok=False)]
    if diff.old and diff.new and not diff.renamed:  # two names of one file, as `diff -u file.orig file` writes them
        name = diff.new if stage.open(resolve(diff.new), diff.new).after is not None else diff.old
        diff = replace(diff, old=name, new=name)
    path = resolve(name)
    if diff.old is None or (stage.open(path, name).after is None and not _old_lines(diff)):
        return [_create(stage, path, name, diff)]
    reports = _change(stage, path, name, diff)
    if all(report.ok for report in reports) and diff.new != diff.old:
        reports.append(_leave(stage, path, name, diff.new, resolve))
    return reports


def _change(stage: Stage, path: Path, name: str, diff: FileDiff) -> list[Report]:
    decoded = stage.text(path, name)
    lines = split(decoded.text)
    hunks = [hunk for hunk in diff.hunks if hunk.hunk.changes]
    if not hunks and diff.new == diff.old:
        return [Report(name, f"{name}: the diff changes nothing", ok=False)]
    reports: list[Report] = []
    cursor = 0
    shift = 0
    for number, hunk in enumerate(hunks, 1):
        outcome = _place(lines, hunk, cursor, hunk.line - 1 + shift)
        reports.append(report_outcome(name, name if len(hunks) == 1 else f"{name}, hunk {number}", outcome))
        if isinstance(outcome, Applied):
            shift += len(outcome.lines) - len(lines)
            lines, cursor = _with_end(outcome, hunk), outcome.last
    stage.write(path, name, decoded.encode(join(lines)))
    return reports


def _place(lines: list[Line], hunk: DiffHunk, cursor: int, stated: int) -> Applied | Refused:
    """Anywhere, if it stands once; or else at the line that the header states; or else once after the last hunk."""
    old = hunk.hunk.old
    if not old:
        if any(line.body.strip() for line in lines):
            return Refused("a hunk without lines of the file can't be placed; add lines before and after")
        return Applied([Line(text, usual_end(lines)) for text in hunk.hunk.new], 1, len(hunk.hunk.new), "exact")
    outcome = apply_hunk(lines, hunk.hunk)
    if isinstance(outcome, Applied):
        return outcome
    if stated >= 0 and [line.body for line in lines[stated : stated + len(old)]] == old:
        return apply_hunk(lines, hunk.hunk, low=stated, high=stated + len(old))
    if outcome.ambiguous and cursor:
        later = apply_hunk(lines, hunk.hunk, low=cursor)
        return later if isinstance(later, Applied) and not later.already else outcome
    return outcome


def _with_end(outcome: Applied, hunk: DiffHunk) -> list[Line]:
    """The lines, the last with or without its newline if the hunk says that this changes."""
    lines = outcome.lines
    if hunk.old_newline == hunk.new_newline or outcome.last < len(lines) or not lines or outcome.already:
        return lines
    return [*lines[:-1], Line(lines[-1].body, usual_end(lines) if hunk.new_newline else "")]


def _create(stage: Stage, path: Path, name: str, diff: FileDiff) -> Report:
    text = "".join(f"{line}\n" for hunk in diff.hunks for line in hunk.hunk.new)
    if diff.hunks and not diff.hunks[-1].new_newline:
        text = text.removesuffix("\n")
    content = text.encode("utf-8", "replace")
    present = stage.open(path, name).after
    if present == content:
        return Report(name, f"{name}: already applied", how="exact", already=True)
    if present and present.strip():
        return Report(name, f"{name} exists, but the diff says that it is new", ok=False)
    stage.write(path, name, content)
    return Report(name, f"created {name}", how="new file")


def _leave(stage: Stage, path: Path, name: str, new: str | None, resolve: Resolve) -> Report:
    """Delete the file if nothing is left of it, or move it."""
    staged = stage.open(path, name)
    if new is None:
        if staged.after and staged.after.strip():
            return Report(name, f"{name} has more lines than those that the diff deletes with it", ok=False)
        stage.write(path, name, None)
        return Report(name, f"deleted {name}", how="exact")
    target = resolve(new)
    if target != path:
        if stage.open(target, new).after is not None:
            return Report(new, f"{name} can't become {new}, which exists", ok=False)
        stage.write(target, new, staged.after)
        stage.open(target, new).mode = staged.mode
        stage.write(path, name, None)
    return Report(new, f"moved {name} to {new}", how="exact")


def _old_lines(diff: FileDiff) -> Sequence[str]:
    return [line for hunk in diff.hunks for line in hunk.hunk.old]
