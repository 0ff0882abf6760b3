"""Verification against trees of a real repository; the tests' outcomes are scripted where only the rule matters."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import local_runner
from git_repositories import checkout_of, finished, make_repository

from ay_bot.host import suite
from ay_bot.host.changes import VerifiedPatch, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.checks import CheckedPatch, verify
from ay_bot.host.checks import TestsFailed as Failed
from ay_bot.host.junit import Report
from ay_bot.host.overlays import base_tests_over_candidate, candidate_tests_over_base
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.suite import SuiteResult
from ay_bot.host.suite import TestRunner as Runner

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "tests/test_calc.py": "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n\ndef test_zero():\n    assert add(0, 0) == 0\n",
    "conftest.py": "",
}
FIX = {"calc.py": "def add(a, b):\n    return a + b\n"}
ADD, ZERO = "tests/test_calc.py::test_add", "tests/test_calc.py::test_zero"


@pytest.fixture(autouse=True)
def reports_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local sandbox has no /tmp of its own to leave reports in."""
    monkeypatch.setattr(suite, "REPORTS", str(tmp_path))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    place = tmp_path_factory.mktemp("checks")
    with checkout_of(make_repository(place / "repo", FILES), place / "scratch") as checkout:
        yield checkout


def patch_of(checkout: Checkout, changed: Mapping, deleted: tuple[str, ...] = ()) -> VerifiedPatch:
    message, body = finished(changed, deleted)
    patch = propose(checkout, checkout.repository.head, message, body, PathPolicy())
    assert isinstance(patch, VerifiedPatch)
    return patch


class Scripted:
    """Answers for each tree with the next of its outcomes; the last one stays."""

    command = "scripted"

    def __init__(self, script: Mapping[str, list[Mapping[str, str] | int]]) -> None:
        self.script = {tree: list(runs) for tree, runs in script.items()}
        self.asked: dict[str, int] = defaultdict(int)

    def run(self, tree: str, purpose: str) -> SuiteResult:
        runs = self.script[tree]
        outcomes = runs[min(self.asked[tree], len(runs) - 1)]
        self.asked[tree] += 1
        if isinstance(outcomes, int):
            return SuiteResult(
                purpose=purpose, tree=tree, image="i", exit_code=outcomes, seconds=1, output="out", report_fault="none"
            )
        failed = any(outcome in {"failed", "error"} for outcome in outcomes.values())
        report = Report(outcomes=dict(outcomes), details={})
        return SuiteResult(
            purpose=purpose, tree=tree, image="i", exit_code=int(failed), seconds=1, output="out", report=report
        )

    def run_again(self, tree: str, purpose: str = "rerun") -> SuiteResult:
        return self.run(tree, purpose)


def judge(checkout: Checkout, patch: VerifiedPatch, script: Mapping):
    runner = Scripted(script)
    base = checkout.tree_of(patch.base)
    return verify(runner, checkout, patch, runner.run(base, "baseline")), runner


@pytest.fixture
def fix(checkout: Checkout) -> VerifiedPatch:
    return patch_of(checkout, FIX)


def base_of(checkout: Checkout) -> str:
    return checkout.tree_of(checkout.repository.head)


def test_overlays(checkout: Checkout) -> None:
    patch = patch_of(
        checkout,
        {**FIX, "tests/test_calc.py": "changed", "tests/test_new.py": "new", "pyproject.toml": "", "other.py": ""},
        ("conftest.py",),
    )
    mixed = base_tests_over_candidate(checkout, patch)
    assert set(checkout.list_files(mixed)) == {b"calc.py", b"conftest.py", b"other.py", b"tests/test_calc.py"}
    assert checkout.read_file(mixed, "calc.py") == FIX["calc.py"].encode()
    assert checkout.read_file(mixed, "tests/test_calc.py") == FILES["tests/test_calc.py"].encode()
    other = candidate_tests_over_base(checkout, patch)
    assert set(checkout.list_files(other)) == {
        b"calc.py",
        b"tests/test_calc.py",
        b"tests/test_new.py",
        b"pyproject.toml",
    }
    assert checkout.read_file(other, "calc.py") == FILES["calc.py"].encode()
    assert checkout.read_file(other, "tests/test_calc.py") == b"changed"


def test_a_change_of_code_alone_needs_no_mixed_trees(checkout: Checkout, fix: VerifiedPatch) -> None:
    assert base_tests_over_candidate(checkout, fix) == fix.tree
    assert candidate_tests_over_base(checkout, fix) == base_of(checkout)


def test_a_fix_is_proven_and_looked_at_twice(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, runner = judge(
        checkout,
        fix,
        {base_of(checkout): [{ADD: "failed", ZERO: "passed"}], fix.tree: [{ADD: "passed", ZERO: "passed"}]},
    )
    assert isinstance(result, CheckedPatch)
    assert result.patch is fix
    assert result.proof.counts == {"fixed": 1, "unchanged": 1}
    assert result.proof.per_test
    assert result.reason == "all tests pass, 1 fixed"
    assert runner.asked == {base_of(checkout): 2, fix.tree: 2}
    assert {run.purpose for run in result.proof.runs} == {"baseline", "candidate", "rerun"}


def test_nothing_is_run_again_when_nothing_changed(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, runner = judge(checkout, fix, {base_of(checkout): [{ZERO: "passed"}], fix.tree: [{ZERO: "passed"}]})
    assert isinstance(result, CheckedPatch)
    assert runner.asked == {base_of(checkout): 1, fix.tree: 1}


def test_other_failures_may_stay(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, _ = judge(
        checkout,
        fix,
        {base_of(checkout): [{ADD: "failed", ZERO: "failed"}], fix.tree: [{ADD: "passed", ZERO: "failed"}]},
    )
    assert isinstance(result, CheckedPatch)
    assert result.reason == "1 fixed; 1 failed before and still fail"


def test_nothing_fixed_is_not_enough_where_tests_fail(checkout: Checkout, fix: VerifiedPatch) -> None:
    script = {base_of(checkout): [{ADD: "failed", ZERO: "passed"}], fix.tree: [{ADD: "failed", ZERO: "passed"}]}
    result, _ = judge(checkout, fix, script)
    assert isinstance(result, Failed)
    assert "nothing was fixed" in result.reason
    assert ADD in result.feedback


def test_a_broken_test_is_tried_three_times(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, runner = judge(checkout, fix, {base_of(checkout): [{ZERO: "passed"}], fix.tree: [{ZERO: "failed"}]})
    assert isinstance(result, Failed)
    assert result.proof.counts == {"broken": 1}
    assert runner.asked[fix.tree] == 3


def test_a_flaky_test_neither_harms_nor_helps(checkout: Checkout, fix: VerifiedPatch) -> None:
    base = base_of(checkout)
    result, _ = judge(
        checkout,
        fix,
        {
            base: [{ADD: "failed", ZERO: "passed"}],
            fix.tree: [{ADD: "passed", ZERO: "failed"}, {ADD: "passed", ZERO: "passed"}],
        },
    )
    assert isinstance(result, CheckedPatch)
    assert result.proof.counts == {"flaky": 1, "fixed": 1}
    assert any("different outcomes" in note for note in result.proof.notes)
    result, _ = judge(checkout, fix, {base: [{ADD: "failed"}, {ADD: "passed"}], fix.tree: [{ADD: "passed"}]})
    assert result.proof.counts == {"flaky": 1}


def test_names_that_differ_from_run_to_run_are_not_taken_for_removed_tests(
    checkout: Checkout, fix: VerifiedPatch
) -> None:
    base = [{ADD: "failed", "t::x[0x1]": "passed"}, {ADD: "failed", "t::x[0x2]": "passed"}]
    candidate = [{ADD: "passed", "t::x[0x3]": "passed"}, {ADD: "passed", "t::x[0x4]": "passed"}]
    result, _ = judge(checkout, fix, {base_of(checkout): base, fix.tree: candidate})
    assert isinstance(result, CheckedPatch)
    assert result.proof.counts == {"flaky": 4, "fixed": 1}


def test_an_interruption_does_not_wait_for_tests_that_run(checkout: Checkout) -> None:
    patch = patch_of(checkout, {**FIX, "tests/test_calc.py": "changed"})
    release = threading.Event()

    class Stuck(Scripted):
        def run(self, tree: str, purpose: str) -> SuiteResult:
            if purpose == "candidate":
                raise KeyboardInterrupt
            release.wait(60)
            return super().run(tree, purpose)

    baseline = Scripted({base_of(checkout): [{}]}).run(base_of(checkout), "baseline")
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            verify(Stuck({}), checkout, patch, baseline)
        assert time.monotonic() - started < 30
    finally:
        release.set()


def test_a_suite_without_tests_proves_nothing(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, _ = judge(checkout, fix, {base_of(checkout): [{}], fix.tree: [{}]})
    assert isinstance(result, Failed)
    assert "no test" in result.reason


@pytest.mark.parametrize(
    ("base", "candidate", "proven", "verdict"),
    [(1, 0, True, "fixed"), (0, 0, True, "unchanged"), (0, 1, False, "broken"), (1, 1, False, "still_failing")],
)
def test_exit_codes_alone(
    checkout: Checkout, fix: VerifiedPatch, base: int, candidate: int, proven: bool, verdict: str
) -> None:
    result, _ = judge(checkout, fix, {base_of(checkout): [base], fix.tree: [candidate]})
    assert isinstance(result, CheckedPatch) is proven
    assert not result.proof.per_test
    assert result.proof.counts == {verdict: 1}
    assert any("exit code alone" in note for note in result.proof.notes)


def test_exit_codes_that_vary_prove_nothing(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, _ = judge(checkout, fix, {base_of(checkout): [1], fix.tree: [0, 1]})
    assert isinstance(result, Failed)
    assert result.proof.counts == {"flaky": 1}


def test_at_49_a_forged_report_leaves_the_exit_code(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, _ = judge(checkout, fix, {base_of(checkout): [{ADD: "failed"}], fix.tree: [1]})
    assert isinstance(result, Failed)
    assert result.proof.counts == {"still_failing": 1}


def test_slow_tests_are_not_run_again(checkout: Checkout, fix: VerifiedPatch) -> None:
    class Slow(Scripted):
        def run(self, tree: str, purpose: str) -> SuiteResult:
            return super().run(tree, purpose).model_copy(update={"seconds": 1000.0})

    runner = Slow({base_of(checkout): [{ADD: "failed"}], fix.tree: [{ADD: "passed"}]})
    result = verify(runner, checkout, fix, runner.run(base_of(checkout), "baseline"))
    assert isinstance(result, CheckedPatch)
    assert runner.asked[fix.tree] == 1
    assert any("not run again" in note for note in result.proof.notes)


def test_the_evidence_cannot_be_forged(checkout: Checkout, fix: VerifiedPatch) -> None:
    result, _ = judge(checkout, fix, {base_of(checkout): [{ZERO: "passed"}], fix.tree: [{ZERO: "passed"}]})
    with pytest.raises(TypeError, match="alone"):
        CheckedPatch(object(), result.patch, result.proof, "")
    with pytest.raises((TypeError, ValueError)):
        replace(result, reason="")


# ------------------------------------------------------------------------------------------- with real tests


@pytest.fixture(scope="module")
def runner(checkout: Checkout) -> Runner:
    return local_runner(checkout)


def really_judge(checkout: Checkout, runner: Runner, changed: Mapping, deleted: tuple[str, ...] = ()):
    patch = patch_of(checkout, changed, deleted)
    return verify(runner, checkout, patch, runner.run(base_of(checkout), "baseline"), reruns=0)


def test_a_real_fix_with_a_new_test(checkout: Checkout, runner: Runner) -> None:
    added = (
        "from calc import add\n\ndef test_more():\n    assert add(2, 2) == 4\n\ndef test_always():\n    assert True\n"
    )
    result = really_judge(checkout, runner, {**FIX, "tests/test_more.py": added})
    assert isinstance(result, CheckedPatch)
    assert {row.id: row.verdict for row in result.proof.rows} == {
        ADD: "fixed",
        ZERO: "unchanged",
        "tests/test_more.py::test_more": "new",
        "tests/test_more.py::test_always": "new_unproven",
    }
    assert len({run.tree for run in result.proof.runs}) == 4


@pytest.mark.parametrize(
    ("changed", "deleted", "verdict"),
    [
        ({"tests/test_calc.py": FILES["tests/test_calc.py"].replace("== 3", "== -1")}, (), "weakened"),
        ({}, ("tests/test_calc.py",), "removed"),
        ({"tests/test_calc.py": FILES["tests/test_calc.py"].replace("def test_add", "def xtest_add")}, (), "removed"),
        (
            {
                "tests/test_calc.py": "import pytest\n"
                + FILES["tests/test_calc.py"].replace("def test_add", "@pytest.mark.skip\ndef test_add")
            },
            (),
            "weakened",
        ),
        (
            {
                "conftest.py": "def pytest_collection_modifyitems(items):\n    items[:] = [i for i in items if 'add' not in i.name]\n"
            },
            (),
            "removed",
        ),
        ({"conftest.py": "import calc\ncalc.add = lambda a, b: a + b\n"}, (), "weakened"),
        ({"pytest.ini": "[pytest]\naddopts = -k zero\n"}, (), "removed"),
    ],
    ids=["assertion", "file deleted", "renamed", "skipped", "deselected", "patched by conftest", "configuration"],
)
def test_at_49_cheating_is_caught(
    checkout: Checkout, runner: Runner, changed: Mapping, deleted: tuple[str, ...], verdict: str
) -> None:
    result = really_judge(checkout, runner, changed, deleted)
    assert isinstance(result, Failed)
    assert {row.id: row.verdict for row in result.proof.rows}[ADD] == verdict
    assert "put the tests that you changed back" in result.feedback


def test_a_wrong_fix_is_explained_to_the_model(checkout: Checkout, runner: Runner) -> None:
    result = really_judge(checkout, runner, {"calc.py": "def add(a, b):\n    return 7  # \x1b[31m ``` \n"})
    assert isinstance(result, Failed)
    assert result.proof.counts == {"broken": 1, "still_failing": 1}
    assert "7" in result.feedback
    assert ZERO in result.feedback
    assert len(result.feedback) <= 6000
    assert "\x1b" not in result.feedback
