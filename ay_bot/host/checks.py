"""The proof of a change: its tests and the base commit's, run against one another in fresh boxes."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import InitVar, dataclass
from typing import Self

from ay_bot.host.changes import VerifiedPatch
from ay_bot.host.checkout import Checkout
from ay_bot.host.failure_text import build_feedback
from ay_bot.host.overlays import base_tests_over_candidate, candidate_tests_over_base
from ay_bot.host.report import SuiteRun, TestRow
from ay_bot.host.suite import Purpose, SuiteResult, TestRunner
from ay_bot.host.verdicts import BAD, GOOD, WHOLE, Run, Trees, count_verdicts, judge_tests
from ay_bot.protocol.conversation import Value

LONGEST_RERUN = 300.0  # seconds; slower tests are not run again only to find the flaky ones
_SEAL = object()


class Proof(Value):
    """Everything that the host saw of the tests. `per_test` is False where only exit codes could be compared."""

    command: str
    image: str
    base: str
    base_tree: str
    tree: str
    per_test: bool
    rows: tuple[TestRow, ...]
    counts: dict[str, int]
    runs: tuple[SuiteRun, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CheckedPatch:
    """Evidence: the tests prove this patch. Made here only."""

    seal: InitVar[object]
    patch: VerifiedPatch
    proof: Proof
    reason: str

    def __post_init__(self, seal: object) -> None:
        """Refuse to exist without this module's seal."""
        if seal is not _SEAL:
            msg = "a CheckedPatch is made by ay_bot.host.checks alone"
            raise TypeError(msg)


@dataclass(frozen=True)
class TestsFailed:
    """The tests don't prove the patch. `feedback` tells the model what to mend."""

    __test__ = False  # to pytest: not a class of tests

    patch: VerifiedPatch
    proof: Proof
    reason: str
    feedback: str


def verify(
    runner: TestRunner,
    checkout: Checkout,
    patch: VerifiedPatch,
    baseline: SuiteResult,
    *,
    reruns: int = 2,
    wordless: bool = False,
) -> CheckedPatch | TestsFailed:
    """Run what has to be run, side by side, and judge. The feedback is `wordless` where tests see more than agents."""
    with _Trial(runner, checkout, patch, baseline) as trial:
        trial.run_all()
        for number in range(reruns):
            if not trial.run_doubtful_again(only_bad=number > 0):
                break
        proof = trial.build_proof()
        failures = trial.candidate_runs
    proven, reason = decide(proof.rows)
    if proven:
        return CheckedPatch(_SEAL, patch, proof, reason)
    feedback = build_feedback(reason, proof.rows, () if wordless else failures, runner.command)
    return TestsFailed(patch, proof, reason, feedback)


def decide(rows: Sequence[TestRow]) -> tuple[bool, str]:
    """Say whether the rows prove a change, and why."""
    counts = count_verdicts(rows)
    bad = [f"{counts[verdict]} {verdict}" for verdict in counts if verdict in BAD]
    failing = counts.get("still_failing", 0)
    passing = sum(row.candidate == "passed" for row in rows)
    good = " and ".join(f"{counts[verdict]} {verdict}" for verdict in counts if verdict in GOOD)
    if bad:
        return False, f"tests were harmed: {', '.join(bad)}"
    if not passing:
        return False, f"no test passes: {failing} still failing" if failing else "no test ran and passed"
    if not failing:
        return True, f"all tests pass{f', {good}' if good else ''}"
    if good:
        return True, f"{good}; {failing} failed before and still fail"
    return False, f"nothing was fixed: {failing} failed before and still fail"


class _Trial:
    """The runs on the four trees of one patch, some of which may be the same tree."""

    def __init__(self, runner: TestRunner, checkout: Checkout, patch: VerifiedPatch, baseline: SuiteResult) -> None:
        self._runner = runner
        self._patch = patch
        self._base = checkout.tree_of(patch.base)
        self._base_tests = base_tests_over_candidate(checkout, patch)
        self._new_tests = candidate_tests_over_base(checkout, patch)
        self._runs: dict[str, list[SuiteResult]] = {self._base: [baseline]}
        self._notes: list[str] = []
        self._pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="tests")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error nobody waits for tests that may take long: whoever owns the boxes ends them.
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    @property
    def candidate_runs(self) -> tuple[SuiteResult, ...]:
        """The runs that failures are explained from: the candidate's, then those with the base's tests."""
        trees = dict.fromkeys((self._patch.tree, self._base_tests))
        return tuple(self._runs[tree][0] for tree in trees)

    def run_all(self) -> None:
        """Run the tests on each tree that has no run yet."""
        wanted: dict[str, Purpose] = {}
        for tree, purpose in self._purposes():
            if tree not in self._runs:
                wanted.setdefault(tree, purpose)
        started = {tree: self._pool.submit(self._runner.run, tree, purpose) for tree, purpose in wanted.items()}
        for tree, future in started.items():
            self._runs[tree] = [future.result()]

    def run_doubtful_again(self, *, only_bad: bool) -> bool:
        """Run the trees again whose outcomes differ; return whether there were any."""
        rows = self._rows()
        # Removed tests too: a name that differs from run to run, by an address in it, looks like that.
        doubtful = [row for row in rows if row.verdict in BAD or (row.verdict in GOOD and not only_bad)]
        if not doubtful:
            return False
        slowest = max(runs[0].seconds for runs in self._runs.values())
        if slowest > LONGEST_RERUN:
            self._notes.append(f"Changed outcomes were not run again to find flaky tests: a run takes {slowest:.0f} s.")
            return False
        trees = {self._patch.tree}
        if any(row.base != "absent" for row in doubtful):
            trees.add(self._base)
        if any(row.verdict in BAD for row in doubtful):
            trees.add(self._base_tests)  # for the good ones it is a second look at the candidate's code already
        futures = {tree: self._pool.submit(self._runner.run_again, tree) for tree in sorted(trees)}
        for tree, future in futures.items():
            self._runs[tree].append(future.result())
        return True

    def build_proof(self) -> Proof:
        """Return what was seen."""
        rows = self._rows()
        candidate = self._runs[self._patch.tree][0]
        return Proof(
            command=self._runner.command,
            image=candidate.image,
            base=self._patch.base,
            base_tree=self._base,
            tree=self._patch.tree,
            per_test=self._per_test,
            rows=rows,
            counts=count_verdicts(rows),
            runs=tuple(_summarise(result) for runs in self._runs.values() for result in runs),
            notes=(*self._notes, *self._explain(rows)),
        )

    @property
    def _per_test(self) -> bool:
        return all(self._runs[tree][0].report is not None for tree in (self._base, self._patch.tree))

    def _purposes(self) -> tuple[tuple[str, Purpose], ...]:
        return ((self._patch.tree, "candidate"), (self._base_tests, "base_tests"), (self._new_tests, "new_tests"))

    def _rows(self) -> tuple[TestRow, ...]:
        trees = (self._base, self._patch.tree, self._base_tests, self._new_tests)
        return judge_tests(Trees(*([self._read(result) for result in self._runs[tree]] for tree in trees)))

    def _read(self, result: SuiteResult) -> Run:
        if self._per_test:
            return result.outcomes
        # Where the base's tests leave a report, an end without one is not theirs, whatever its exit code says.
        unreported = result.report is None and self._runs[self._base][0].report is not None
        return {WHOLE: "passed" if result.passed and not unreported else "failed"}

    def _explain(self, rows: Sequence[TestRow]) -> list[str]:
        notes = []
        reported = self._runs[self._base][0].report is not None
        for runs in self._runs.values():
            first = runs[0]
            if first.report is None:
                what = f"{first.purpose.replace('_', ' ')}: {first.ending}"
                counts = (
                    "the base commit's is, so that it counts as failed" if reported else "its exit code alone counts"
                )
                notes.append(f"No test report is believed ({what}; {first.report_fault}): {counts}.")
        if len({result.image for runs in self._runs.values() for result in runs}) > 1:
            notes.append("The box image changed between two runs of the tests.")
        if any(row.verdict == "flaky" for row in rows):
            notes.append("Some tests gave different outcomes on the same tree; they prove nothing either way.")
        return notes


def _summarise(result: SuiteResult) -> SuiteRun:
    outcomes = result.report
    return SuiteRun(
        purpose=result.purpose,
        tree=result.tree,
        ending=result.ending,
        seconds=result.seconds,
        passed=outcomes.count("passed") if outcomes else 0,
        failed=outcomes.count("failed", "error") if outcomes else 0,
        skipped=outcomes.count("skipped") if outcomes else 0,
    )
