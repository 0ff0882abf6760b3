"""The verification as a table in Markdown, for the tracking comment and the job summary; written by the host alone."""

from ay_bot.host.plain_text import clean_line, shorten
from ay_bot.host.pull_request import escape_cell
from ay_bot.host.report import SuiteRun, TestRow, Verification

LONGEST_ID = 200


def render_verification(verification: Verification, most_rows: int) -> str:
    """Return the verdicts, the tests whose outcome changed, and how they were run."""
    counts = ", ".join(f"{count} {clean_line(name).replace('_', ' ')}" for name, count in verification.counts.items())
    how = "per test, from JUnit reports" if verification.per_test else "by exit code alone"
    parts = [
        f"**Verification** {counts or 'no test was compared'} ({how}); command {code(verification.command)}",
        _render_tests(verification.tests, most_rows),
        "\n".join(f"- {clean_line(shorten(note, 300))}" for note in verification.notes[:10]),
    ]
    return "\n\n".join(part for part in parts if part)


def render_runs(runs: tuple[SuiteRun, ...]) -> str:
    """Return a row for each run of the tests."""
    lines = ["| run | tree | result | passed | failed | skipped | seconds |", "| --- " * 3 + "| --: " * 4 + "|"]
    for run in runs[:20]:
        counts = f"{run.passed} | {run.failed} | {run.skipped}"
        name, ending = clean_line(run.purpose).replace("_", " "), code(run.ending)
        lines.append(f"| {name} | {code(run.tree[:12])} | {ending} | {counts} | {run.seconds:.1f} |")
    return "\n".join(lines) if runs else ""


def code(text: str, limit: int = LONGEST_ID) -> str:
    """Return text as code on one line, which it can't leave, in a table or outside of one; no marker is in it."""
    short = text if len(text) <= limit else f"{text[: limit // 3]}…{text[-(limit - limit // 3) :]}"
    return escape_cell(short).replace("<!", "< !")


def _render_tests(tests: tuple[TestRow, ...], most_rows: int) -> str:
    rows = [row for row in tests if row.verdict != "unchanged"]
    if not rows:
        return ""
    lines = ["| test | before | after | verdict |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {code(row.id)} | {clean_line(row.base)} | {clean_line(row.candidate)} | {row.verdict.replace('_', ' ')} |"
        for row in rows[:most_rows]
    ]
    if len(rows) > most_rows:
        lines.append(f"| and {len(rows) - most_rows} more | | | |")
    if unchanged := len(tests) - len(rows):
        lines.append(f"| {unchanged} others | | | unchanged |")
    return "\n".join(lines)
