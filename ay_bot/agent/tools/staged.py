"""What the two editing tools share: writing a stage if all of it succeeded, and saying what happened."""

from ay_bot.agent.edits.report import Report
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.edits.syntax import new_syntax_errors
from ay_bot.agent.tools.result import ToolResult, one_line, plural
from ay_bot.agent.tools.workbench import Workbench

WHOLE_FILE_LINES = 400


def stage_result(stage: Stage, bench: Workbench, reports: list[Report]) -> ToolResult:
    """Commit `stage` if no report is a refusal, and tell the model."""
    failed = [report for report in reports if not report.ok]
    if failed:
        return _refusal(stage, bench, failed, len(reports))
    warnings = new_syntax_errors(stage, bench.shown)
    stage.commit()
    bench.edited.update(path for path, staged in stage.files.items() if staged.changed)
    for report in reports:
        bench.edit_failures.pop(report.path, None)
    text = "\n".join(dict.fromkeys(report.text for report in reports))
    if warnings:
        text += "\n" + "\n".join(warnings)
    return ToolResult(text, outcome=one_line(text) + (f", {plural(len(warnings), 'syntax error')}" if warnings else ""))


def _refusal(stage: Stage, bench: Workbench, failed: list[Report], total: int) -> ToolResult:
    head = f"error: nothing was written; {len(failed)} of {plural(total, 'edit')} can't be applied"
    parts = [head, *(report.text for report in failed)]
    for path in dict.fromkeys(report.path for report in failed if report.path):
        bench.edit_failures[path] = failures = bench.edit_failures.get(path, 0) + 1
        text = stage.original(path)
        if failures >= 2 and text is not None and text.count("\n") <= WHOLE_FILE_LINES:
            parts.append(f"{path} is now:\n{text}")
    return ToolResult(
        "\n".join(parts)[: bench.output_limit], outcome=one_line(failed[0].text), ok=False, failure="edit"
    )
