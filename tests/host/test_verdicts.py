import itertools
from typing import get_args

import pytest

from ay_bot.host import report
from ay_bot.host.verdicts import ORDER, State, Trees, Verdict, count_verdicts, judge, judge_tests

P, F, E, S = "passed", "failed", "error", "skipped"
ID = "tests/test_a.py::test_x"


@pytest.mark.parametrize(
    ("base", "candidate", "base_tests", "new_tests", "verdict"),
    [
        ("passed", "passed", "passed", "passed", "unchanged"),
        ("skipped", "skipped", "skipped", "skipped", "unchanged"),
        ("skipped", "passed", "passed", "skipped", "unchanged"),
        ("failed", "passed", "passed", "failed", "fixed"),
        ("failed", "failed", "failed", "failed", "still_failing"),
        ("failed", "failed", "passed", "failed", "still_failing"),
        ("passed", "failed", "failed", "passed", "broken"),
        ("passed", "failed", "passed", "failed", "broken"),
        ("skipped", "failed", "failed", "skipped", "broken"),
        ("absent", "failed", "absent", "failed", "broken"),
        ("failed", "passed", "failed", "passed", "weakened"),
        ("passed", "passed", "failed", "passed", "weakened"),
        ("passed", "passed", "absent", "passed", "weakened"),
        ("passed", "skipped", "passed", "skipped", "weakened"),
        ("failed", "skipped", "failed", "skipped", "weakened"),
        ("passed", "absent", "passed", "absent", "removed"),
        ("failed", "absent", "failed", "absent", "removed"),
        ("skipped", "absent", "skipped", "absent", "removed"),
        ("absent", "passed", "absent", "failed", "new"),
        ("absent", "passed", "absent", "passed", "new_unproven"),
        ("absent", "passed", "absent", "absent", "new_unproven"),
        ("absent", "skipped", "absent", "failed", "new_unproven"),
        ("mixed", "passed", "passed", "passed", "flaky"),
        ("passed", "mixed", "passed", "passed", "flaky"),
        ("passed", "passed", "mixed", "passed", "flaky"),
    ],
)
def test_verdicts(base: State, candidate: State, base_tests: State, new_tests: State, verdict: Verdict) -> None:
    assert judge(base, candidate, base_tests, new_tests) == verdict


def test_nothing_good_is_said_without_the_base_commits_own_tests() -> None:
    states = get_args(State)
    for base, candidate, base_tests, new_tests in itertools.product(states, repeat=4):
        verdict = judge(base, candidate, base_tests, new_tests)
        if verdict == "fixed":
            assert (base, candidate, base_tests) == ("failed", "passed", "passed")
        if verdict == "new":
            assert (base, candidate, new_tests) == ("absent", "passed", "failed")
        if base == "passed" and candidate != "passed":
            assert verdict in {"broken", "removed", "weakened", "flaky"}


def test_every_verdict_has_its_place() -> None:
    assert set(ORDER) == set(get_args(Verdict))


def verdict_of(
    base: dict, candidate: dict, base_tests: dict | None = None, new_tests: dict | None = None
) -> dict[str, str]:
    trees = Trees(
        [base],
        [candidate],
        [candidate if base_tests is None else base_tests],
        [base if new_tests is None else new_tests],
    )
    return {row.id: row.verdict for row in judge_tests(trees)}


def test_a_file_that_can_be_collected_again_is_fixed_with_its_tests() -> None:
    file, other = "tests/test_a.py", "tests/test_b.py::test_o"
    assert verdict_of({file: E, other: P}, {ID: P, other: P}) == {file: "fixed", ID: "fixed", other: "unchanged"}


def test_a_test_added_to_a_file_that_could_not_be_collected_is_new() -> None:
    file, added = "tests/test_a.py", "tests/test_a.py::test_added"
    found = verdict_of({file: E}, {ID: P, added: P}, {ID: P}, {file: E})
    assert found == {file: "fixed", ID: "fixed", added: "new"}


def test_a_file_that_cannot_be_collected_any_more_breaks_its_tests() -> None:
    assert verdict_of({ID: P}, {"tests/test_a.py": E}) == {ID: "broken", "tests/test_a.py": "broken"}


def test_a_new_file_that_the_base_cannot_import_is_proof() -> None:
    assert verdict_of({}, {ID: P}, {}, {"tests/test_a.py": E}) == {ID: "new"}


def test_a_file_emptied_of_its_tests_counts_as_removed() -> None:
    assert verdict_of({"tests/test_a.py": E}, {}) == {"tests/test_a.py": "removed"}


def test_runs_that_disagree_are_flaky() -> None:
    trees = Trees([{ID: F}, {ID: P}], [{ID: P}], [{ID: P}], [{ID: F}])
    assert [row.verdict for row in judge_tests(trees)] == ["flaky"]
    trees = Trees([{ID: F}, {ID: E}], [{ID: P}, {ID: P}], [{ID: P}], [{ID: F}])
    assert [row.verdict for row in judge_tests(trees)] == ["fixed"]


def test_rows_show_first_what_needs_attention() -> None:
    trees = Trees(
        [{"a": P, "b": P, "c": F}], [{"a": P, "b": F, "c": P}], [{"a": P, "b": F, "c": P}], [{"a": P, "b": P, "c": F}]
    )
    rows = judge_tests(trees)
    assert [(row.id, row.verdict) for row in rows] == [("b", "broken"), ("c", "fixed"), ("a", "unchanged")]
    assert list(count_verdicts(rows).items()) == [("broken", 1), ("fixed", 1), ("unchanged", 1)]
    assert rows[0] == report.TestRow(id="b", base="passed", candidate="failed", verdict="broken")
