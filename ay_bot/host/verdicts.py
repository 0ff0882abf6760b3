"""What the outcomes of a test on four trees mean for a change: one verdict per test, by a pure function."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ay_bot.host.junit import FAILING, TestOutcome
from ay_bot.host.report import TestRow

Verdict = Literal[
    "fixed", "broken", "still_failing", "unchanged", "new", "new_unproven", "removed", "weakened", "flaky"
]
State = Literal["passed", "failed", "skipped", "absent", "mixed"]
Run = Mapping[str, TestOutcome]

BAD: frozenset[Verdict] = frozenset({"broken", "removed", "weakened"})
GOOD: frozenset[Verdict] = frozenset({"fixed", "new"})
WHOLE = "(the whole command)"
ORDER: tuple[Verdict, ...] = (
    "broken",
    "weakened",
    "removed",
    "flaky",
    "still_failing",
    "fixed",
    "new",
    "new_unproven",
    "unchanged",
)
"""Verdicts as a table shows them: what needs attention first."""


class Trees(NamedTuple):
    """All runs on each of the four trees, the first run first. Trees that are equal share their runs."""

    base: Sequence[Run]
    candidate: Sequence[Run]
    base_tests: Sequence[Run]  # the base commit's tests over the candidate
    new_tests: Sequence[Run]  # the candidate's tests over the base commit


def judge_tests(trees: Trees) -> tuple[TestRow, ...]:
    """Return a row for every test that the base or the candidate has, what needs attention first."""
    ids = {test for run in (*trees.base, *trees.candidate) for test in run}
    files = [_files_with_tests(runs) for runs in trees]
    rows = []
    for test in ids:
        base, candidate, base_tests, new_tests = (
            _state(test, runs, with_tests) for runs, with_tests in zip(trees, files, strict=True)
        )
        if base == "failed" and base_tests == "absent" and not any(test in run for run in trees.base):
            base = "absent"  # only its file was there, and could not be collected
        verdict = judge(base, candidate, base_tests, new_tests)
        rows.append(TestRow(id=test, base=base, candidate=candidate, verdict=verdict))
    return tuple(sorted(rows, key=lambda row: (ORDER.index(row.verdict), row.id)))


def judge(base: State, candidate: State, base_tests: State, new_tests: State) -> Verdict:
    """Return the verdict for one test from its state on the four trees."""
    if "mixed" in (base, candidate, base_tests):
        return "flaky"
    if base == "absent":
        return _judge_new(candidate, new_tests)
    if candidate == "absent":
        return "removed"
    if candidate == "failed":
        return "still_failing" if base == "failed" else "broken"
    return _judge_kept(base, candidate, base_tests)


def count_verdicts(rows: Iterable[TestRow]) -> dict[str, int]:
    """Return how often each verdict was given, in the table's order, without zeros."""
    counts = Counter(row.verdict for row in rows)
    return {verdict: counts[verdict] for verdict in ORDER if counts[verdict]}


def _judge_kept(base: State, candidate: State, base_tests: State) -> Verdict:
    if base == "skipped":
        return "unchanged"
    if candidate == "skipped" or base_tests != "passed":
        return "weakened"
    return "fixed" if base == "failed" else "unchanged"


def _judge_new(candidate: State, new_tests: State) -> Verdict:
    if candidate == "failed":
        return "broken"
    return "new" if candidate == "passed" and new_tests == "failed" else "new_unproven"


def _state(test: str, runs: Sequence[Run], files: Sequence[frozenset[str]]) -> State:
    states = {_state_in(test, run, with_tests) for run, with_tests in zip(runs, files, strict=True)}
    return states.pop() if len(states) == 1 else "mixed"


def _state_in(test: str, run: Run, files: frozenset[str]) -> State:
    outcome = run.get(test)
    if outcome is None:
        # pytest reports a file that it can't collect as a test by the file's name, in place of the tests in it.
        if "::" in test and run.get(test.partition("::")[0]) in FAILING:
            return "failed"
        return "passed" if test in files else "absent"
    return "failed" if outcome in FAILING else "skipped" if outcome == "skipped" else "passed"


def _files_with_tests(runs: Sequence[Run]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(test.partition("::")[0] for test in run if "::" in test) for run in runs)
