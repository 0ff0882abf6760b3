"""What a model is told of tests that don't prove its change: what failed first, then the words of the failures."""

from collections.abc import Sequence

from ay_bot.host.plain_text import clean_text, fence, shorten
from ay_bot.host.report import TestRow
from ay_bot.host.suite import SuiteResult
from ay_bot.host.verdicts import BAD

LONGEST = 6_000
MOST_IDS = 30
MOST_DETAILS = 5
_MEANING = {
    "broken": "passed before, fails now",
    "weakened": "passes only because the test or its configuration was changed; with the original tests it doesn't",
    "removed": "no longer there; tests may not be removed",
    "still_failing": "failed before, still fails",
}


def build_feedback(reason: str, rows: Sequence[TestRow], runs: Sequence[SuiteResult], command: str) -> str:
    """Return at most LONGEST characters: the verdicts that count, then what the failing tests said."""
    failing = [row for row in rows if row.verdict in BAD] or [row for row in rows if row.verdict == "still_failing"]
    lines = [f"Your change was tested in a fresh box with `{command}` and is not accepted: {reason}."]
    lines += [f"- {row.id}: {_describe(row)}" for row in failing[:MOST_IDS]]
    if len(failing) > MOST_IDS:
        lines.append(f"- and {len(failing) - MOST_IDS} more")
    if any(row.verdict in {"weakened", "removed"} for row in failing):
        lines.append("Mend the code rather than the tests: put the tests that you changed back as they were.")
    head = shorten("\n".join(lines), LONGEST // 2)
    room = LONGEST - len(head) - 200
    return f"{head}\n\nWhat the tests wrote:\n{fence(shorten(_words_of(failing, runs), room))}"[:LONGEST]


def _describe(row: TestRow) -> str:
    if row.verdict == "broken" and row.base == "absent":
        return "a new test, fails"
    return _MEANING[row.verdict]


def _words_of(failing: Sequence[TestRow], runs: Sequence[SuiteResult]) -> str:
    details: list[str] = []
    for row in failing:
        found = (run.report.details.get(row.id) for run in runs if run.report)
        if words := next((text for text in found if text), ""):
            details.append(f"{row.id}\n{words}")
        if len(details) == MOST_DETAILS:
            break
    if details:
        return clean_text("\n\n".join(details))
    worst = next((run for run in runs if not run.passed), runs[0])
    return clean_text(f"{worst.output}\n({worst.ending})")
