import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes import LocalSandbox
from git_repositories import checkout_of, make_repository

from ay_bot.errors import UsageError
from ay_bot.host import suite
from ay_bot.host.checkout import Checkout
from ay_bot.host.sandbox import Box, BoxLimits, BoxSpec
from ay_bot.host.suite import TestRunner as Runner
from ay_bot.host.tree_stream import TreeChange
from ay_bot.protocol.events import TestsRan as RanEvent

PYTEST = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -q"
FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\ndef test_add(): assert add(1, 2) == 3\ndef test_zero(): assert add(0, 0) == 0\n",
}


class Counting(LocalSandbox):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.specs: list[BoxSpec] = []

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[Box]:
        self.specs.append(spec)
        with super().open(spec) as box:
            yield box


@pytest.fixture(autouse=True)
def reports_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local sandbox has no /tmp of its own to leave reports in."""
    monkeypatch.setattr(suite, "REPORTS", str(tmp_path))


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    repository = make_repository(tmp_path / "repo", FILES)
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        yield checkout


def make_runner(checkout: Checkout, command: str = PYTEST, setup: str = "", timeout: float = 60.0):
    events: list[RanEvent] = []
    sandbox = Counting()
    runner = Runner(
        sandbox,
        checkout,
        run="r",
        image="",
        command=command,
        setup=setup,
        timeout=timeout,
        limits=BoxLimits(),
        emit=events.append,
    )
    return runner, sandbox, events


def test_runs_pytest_in_a_box_and_reads_its_report(checkout: Checkout) -> None:
    runner, sandbox, events = make_runner(checkout)
    tree = checkout.tree_of(checkout.repository.head)
    result = runner.run(tree, "baseline")
    assert result.exit_code == 1
    assert not result.passed
    assert result.outcomes == {"test_calc.py::test_add": "failed", "test_calc.py::test_zero": "passed"}
    assert "assert -1 == 3" in result.report.details["test_calc.py::test_add"]
    assert b"<testsuite" in result.junit
    assert result.image == "local"
    assert sandbox.specs[0].purpose == "tests-baseline"
    assert [(event.purpose, event.tree, event.passed, event.failed) for event in events] == [("baseline", tree, 1, 1)]


def test_a_suite_that_would_stop_early_is_run_to_its_end(checkout: Checkout) -> None:
    runner, _, _ = make_runner(checkout)
    changes = [
        TreeChange(b"pytest.ini", "100644", b"[pytest]\naddopts = -x\n"),
        TreeChange(b"test_a.py", "100644", b"import nothing_of_this_name\n"),
    ]
    result = runner.run(checkout.write_tree(checkout.repository.head, changes), "candidate")
    assert result.outcomes == {
        "test_a.py": "error",
        "test_calc.py::test_add": "failed",
        "test_calc.py::test_zero": "passed",
    }


def test_a_tree_is_run_once_unless_asked_for_again(checkout: Checkout) -> None:
    runner, sandbox, _ = make_runner(checkout, "true")
    head = checkout.repository.head
    threads = [threading.Thread(target=runner.run, args=(head, "baseline")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.specs) == 1
    runner.run_again(head)
    assert len(sandbox.specs) == len(runner.results) == 2
    assert runner.results[1].purpose == "rerun"


def test_without_a_report_the_exit_code_counts(checkout: Checkout) -> None:
    runner, _, _ = make_runner(checkout, "echo hello; exit 3")
    result = runner.run(checkout.repository.head, "candidate")
    assert result.exit_code == 3
    assert "hello" in result.output
    assert result.report is None
    assert result.report_fault == "no JUnit file was written"
    assert result.ending == "exit code 3"


def test_at_49_a_report_that_contradicts_the_exit_code_is_not_believed(checkout: Checkout) -> None:
    forge = (
        "for o in $PYTEST_ADDOPTS; do case $o in --junitxml=*) f=${o#*=};; esac; done; echo '<testsuite/>' > $f; exit 1"
    )
    runner, _, _ = make_runner(checkout, forge)
    result = runner.run(checkout.repository.head, "candidate")
    assert result.report is None
    assert "names no failing test" in result.report_fault


def test_tests_that_hang_are_an_outcome(checkout: Checkout) -> None:
    runner, _, _ = make_runner(checkout, "sleep 60", timeout=1.0)
    result = runner.run(checkout.repository.head, "candidate")
    assert result.timed_out
    assert not result.passed
    assert result.ending.startswith("not done after")


def test_a_failing_setup_is_the_users_fault_on_the_base_and_an_outcome_later(checkout: Checkout) -> None:
    runner, _, _ = make_runner(checkout, setup="echo no such thing; exit 9")
    with pytest.raises(UsageError, match="no such thing"):
        runner.run(checkout.repository.head, "baseline")
    result = runner.run(checkout.repository.head, "candidate")
    assert result.broke
    assert "no such thing" in result.output
    assert not result.passed


def test_a_box_that_dies_is_an_outcome(checkout: Checkout) -> None:
    class Dying(Counting):
        @contextmanager
        def open(self, spec: BoxSpec) -> Iterator[Box]:
            with super().open(spec) as box:
                timer = threading.Timer(1.0, box.kill)
                timer.start()
                yield box

    runner, _, _ = make_runner(checkout, "sleep 30")
    runner._sandbox = Dying()
    result = runner.run(checkout.repository.head, "candidate")
    assert result.broke
    assert not result.passed
    assert result.report is None


def test_each_run_starts_from_the_tree_alone(checkout: Checkout) -> None:
    runner, _, _ = make_runner(checkout, "test ! -e left-behind && touch left-behind && ls")
    tree = checkout.write_tree(checkout.repository.head, [TreeChange(b"only-here", "100644", b"")])
    assert "only-here" in runner.run(tree, "candidate").output
    assert runner.run_again(tree).passed
    assert list(checkout.git_dir.parent.glob("tmp*")) == []
