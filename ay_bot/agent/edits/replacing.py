"""The front end for search and replace: several replacements in one file, applied in order or not at all."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from ay_bot.agent.edits.engine import Applied, Refused, apply_hunk
from ay_bot.agent.edits.hunk import Hunk, build_hunk
from ay_bot.agent.edits.matching import Source, find
from ay_bot.agent.edits.numbering import strip_numbers
from ay_bot.agent.edits.report import Report, report_outcome, report_unwritable
from ay_bot.agent.edits.staging import Stage, StageError
from ay_bot.agent.edits.text import Line, join, split


@dataclass(frozen=True, slots=True)
class Replacement:
    """Text that stands in a file, and what shall stand there; `occurrence` (from 1) says which of several is meant."""

    search: str
    replace: str
    occurrence: int = 0


def replace_all(stage: Stage, path: Path, name: str, replacements: list[Replacement]) -> list[Report]:
    """Stage every replacement in `path`, and report each."""
    try:
        staged = stage.open(path, name)
        if staged.after is None:
            return [_create(stage, path, name, replacements)]
        decoded = stage.text(path, name)
    except StageError as error:
        return [Report(name, f"{name}: {error}", ok=False)]
    lines = split(decoded.text)
    reports: list[Report] = []
    for number, replacement in enumerate(replacements, 1):
        label = name if len(replacements) == 1 else f"{name}, edit {number}"
        outcome = replace_one(lines, replacement.search, replacement.replace, replacement.occurrence)
        reports.append(report_outcome(name, label, outcome))
        if isinstance(outcome, Applied):
            lines = outcome.lines
    try:
        stage.write(path, name, decoded.encode(join(lines)))
    except UnicodeEncodeError as error:
        reports.append(report_unwritable(name, error))
    return reports


def replace_one(lines: list[Line], search: str, replace: str, occurrence: int = 0) -> Applied | Refused:
    """Apply one replacement to the lines of a file, at one of several places if it is said which."""
    old, new = [line.body for line in split(search)], [line.body for line in split(replace)]
    if not old:
        return _fill(lines, new)
    if old == new:
        return Refused("search and replace are the same, so there is nothing to do")
    hunk = build_hunk(old, new)
    place = _nth(lines, search, replace, hunk, occurrence) if occurrence else None
    outcome = place or _whole_lines_or_within(lines, search, replace, hunk)
    if isinstance(outcome, Refused) and not outcome.ambiguous and (bare := strip_numbers(search, replace)):
        again = replace_one(lines, *bare)
        return again if isinstance(again, Applied) else outcome
    if isinstance(outcome, Refused) or outcome.already or outcome.lines != lines:
        return outcome
    return Refused("it would change nothing")


def _whole_lines_or_within(lines: list[Line], search: str, replace: str, hunk: Hunk) -> Applied | Refused:
    """Whole lines are meant where they stand; or else a piece of a line, if it stands once."""
    bodies = [line.body for line in lines]
    old = hunk.old
    if search.endswith(("\n", "\r")) or _stands(bodies, old):
        return apply_hunk(lines, hunk)
    text = "\n".join(bodies)
    wanted = "\n".join(old)
    count = text.count(wanted)
    if count > 1:
        return Refused(
            f"the search text stands {count} times in the file, at lines {_lines_of(text, wanted)}; "
            "add lines to make it unique",
            ambiguous=True,
        )
    if count == 1 and not _is_whole(text, wanted):
        return _within(lines, text, text.index(wanted), wanted, "\n".join(split_bodies(replace)))
    outcome = apply_hunk(lines, hunk)
    if count == 1 and isinstance(outcome, Applied):
        return dataclasses.replace(outcome, how="exact")  # it was, but for the space around it
    return outcome


def _nth(lines: list[Line], search: str, replace: str, hunk: Hunk, occurrence: int) -> Applied | Refused | None:
    """Apply to that one of several places; None where there are not several."""
    source = Source([line.body for line in lines])
    if search.endswith(("\n", "\r")) or _stands(source.lines, hunk.old):
        found = find(source, hunk.old, 0, len(lines))
        if 1 < len(found) >= occurrence:
            return apply_hunk(lines, hunk, low=found[occurrence - 1].start, high=found[occurrence - 1].end)
        return _too_few(len(found), occurrence) if found and occurrence > len(found) else None
    text, wanted = "\n".join(source.lines), "\n".join(hunk.old)
    count = text.count(wanted)
    if 1 < count >= occurrence:
        at = -1
        for _ in range(occurrence):
            at = text.find(wanted, at + (1 if at < 0 else len(wanted)))
        return _within(lines, text, at, wanted, "\n".join(split_bodies(replace)))
    return _too_few(count, occurrence) if 0 < count < occurrence else None


def _too_few(count: int, occurrence: int) -> Refused:
    return Refused(f"occurrence {occurrence} is asked for, but the search text stands {_times(count)} in the file")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _stands(bodies: list[str], old: list[str]) -> bool:
    starts = (at for at, body in enumerate(bodies) if body == old[0])
    return any(bodies[at : at + len(old)] == old for at in starts)


def _is_whole(text: str, wanted: str) -> bool:
    """Whether a piece is whole lines but for white space at both ends."""
    at = text.index(wanted)
    before = text[text.rfind("\n", 0, at) + 1 : at]
    end = at + len(wanted)
    stop = text.find("\n", end)
    return not before.strip() and not text[end : stop if stop >= 0 else len(text)].strip()


def split_bodies(text: str) -> list[str]:
    """The lines of a text without their ends."""
    return [line.body for line in split(text)]


def _within(lines: list[Line], text: str, at: int, wanted: str, new: str) -> Applied | Refused:
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at + len(wanted))
    end = len(text) if end < 0 else end
    first = text.count("\n", 0, start)
    old = text[start:end].split("\n")
    changed = (text[start:at] + new + text[at + len(wanted) : end]).split("\n")
    return apply_hunk(lines, build_hunk(old, changed), low=first, high=first + len(old))


def _lines_of(text: str, wanted: str) -> str:
    numbers: list[str] = []
    at = text.find(wanted)
    while at >= 0 and len(numbers) < 10:
        numbers.append(str(text.count("\n", 0, at) + 1))
        at = text.find(wanted, at + 1)
    return ", ".join(numbers)


def _fill(lines: list[Line], new: list[str]) -> Applied | Refused:
    if any(line.body.strip() for line in lines):
        return Refused("search is empty, but the file exists and has text; give the lines to replace")
    written = [Line(text, "\n") for text in new]
    return Applied(written, 1, len(written), "empty file filled")


def _create(stage: Stage, path: Path, name: str, replacements: list[Replacement]) -> Report:
    if len(replacements) != 1 or replacements[0].search.strip():
        return Report(name, f"{name} does not exist; to create it, give one edit with an empty search", ok=False)
    content = replacements[0].replace
    stage.write(path, name, content.encode("utf-8", "replace"))
    return Report(name, f"created {name} ({len(split(content))} lines)", how="new file")
