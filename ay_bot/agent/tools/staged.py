"""What the editing tools share: writing a stage if all of it succeeded, and saying what happened."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ay_bot.agent.edits.report import Report
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.edits.syntax import new_syntax_errors
from ay_bot.agent.tools.failed_edits import SHOW_AT, WHOLE
from ay_bot.agent.tools.result import ToolResult, one_line, plural
from ay_bot.agent.tools.workbench import Workbench

WHOLE_FILE_LINES = 400


class Present(Collection[str]):
    """The files of a workspace by name, to find which one is meant; they are not listed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __contains__(self, name: object) -> bool:
        """Whether there is such a file."""
        try:
            return isinstance(name, str) and (self._root / name).is_file()
        except (OSError, ValueError):
            return False

    def __iter__(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def __len__(self) -> int:
        """Nothing."""
        return 0


def stage_result(stage: Stage, bench: Workbench, reports: list[Report]) -> ToolResult:
    """Commit `stage` if no report is a refusal and no file must be read first, and tell the model."""
    failed = [report for report in reports if not report.ok]
    if failed:
        head = f"error: nothing was written; {len(failed)} of {plural(len(reports), 'edit')} can't be applied"
        return _refusal(stage, bench, [head, *(report.text for report in failed)], failed)
    blind = [one for one in reports if one.how not in WHOLE and bench.failed_edits.must_read(one.path)]
    if blind:
        names = ", ".join(dict.fromkeys(report.path for report in blind))
        text = f"error: nothing was written; edits of {names} failed before: read it first, or write it whole"
        return _refusal(stage, bench, [text], blind)
    warnings = [f"warning: {bench.shown(path)} {what}" for path, what in new_syntax_errors(stage).items()]
    stage.commit()
    bench.edited.update(path for path, staged in stage.files.items() if staged.changed)
    bench.failed_edits.made(report.path for report in reports)
    text = "\n".join(dict.fromkeys(report.text for report in reports))
    if warnings:
        text += "\n" + "\n".join(warnings)
    return ToolResult(text, outcome=one_line(text) + (f", {plural(len(warnings), 'syntax error')}" if warnings else ""))


def _refusal(stage: Stage, bench: Workbench, parts: list[str], failed: Sequence[Report]) -> ToolResult:
    outcome = one_line(parts[-1])
    pattern = ""
    for path in dict.fromkeys(report.path for report in failed if report.path):
        failures = bench.failed_edits.failed(path)
        pattern = bench.failed_edits.find_pattern(path) or pattern
        text = stage.original(path)
        if failures >= SHOW_AT and text is not None and text.count("\n") <= WHOLE_FILE_LINES:
            parts.append(f"{path} is now:\n{text}")
        if failures == SHOW_AT and text is not None:
            parts.append(f"Before the next edit of {path}, read it again, or write it whole.")
    text = "\n".join(parts)[: bench.output_limit]
    return ToolResult(text, outcome=outcome, ok=False, failure="edit", pattern=pattern)
