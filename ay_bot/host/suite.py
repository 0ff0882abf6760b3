"""Running the repository's tests on a tree, each time in a fresh box that no model has touched."""

import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

from ay_bot.errors import ProtocolBroken, SandboxUnavailable, UsageError
from ay_bot.host.boxes import ended_after
from ay_bot.host.checkout import Checkout
from ay_bot.host.junit import NotBelieved, Report, TestOutcome, read_report
from ay_bot.host.sandbox import Box, BoxLimits, BoxSpec, Sandbox
from ay_bot.host.session import receive, send_seed, unexpected
from ay_bot.host.setup import Ground, GroundOf
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.events import HostEvent, TestsRan
from ay_bot.protocol.plain_messages import Check, Checked, Exit

Purpose = Literal["baseline", "candidate", "base_tests", "new_tests", "rerun"]
REPORTS = "/tmp"  # noqa: S108 - in the box, which nobody shares
SETUP_SECONDS = 600.0
GRACE = 60.0  # seconds that a box may take beyond the tests' own limit before it is ended from outside


class SuiteResult(Value):
    """One run of the tests. `report` is None where no JUnit file is believed; `report_fault` says why."""

    purpose: Purpose
    tree: str
    image: str
    exit_code: int
    timed_out: bool = False
    broke: str = ""  # what happened to the box, where it ended before the tests did
    seconds: float
    output: str
    report: Report | None = None
    report_fault: str = ""
    junit: bytes = b""

    @property
    def passed(self) -> bool:
        """Whether the command as a whole succeeded."""
        return self.exit_code == 0 and not self.timed_out and not self.broke

    @property
    def outcomes(self) -> Mapping[str, TestOutcome]:
        """The outcome of each test; empty where no report is believed."""
        return self.report.outcomes if self.report else {}

    @property
    def ending(self) -> str:
        """Say how the run ended, in a few words."""
        if self.timed_out:
            return f"not done after {self.seconds:.0f} s"
        return self.broke or f"exit code {self.exit_code}"


class TestRunner:
    """Runs the tests on trees; each tree once, unless a second opinion is asked for. Safe to use from threads."""

    __test__ = False  # to pytest: not a class of tests

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        sandbox: Sandbox,
        checkout: Checkout,
        *,
        run: str,
        image: str,
        command: str,
        setup: str,
        timeout: float,
        limits: BoxLimits,
        emit: Callable[[HostEvent], None],
        ground_of: GroundOf | None = None,
    ) -> None:
        self.command = command
        self._sandbox = sandbox
        self._checkout = checkout
        self._spec = BoxSpec(run=run, purpose="", only_for_checks=True, limits=limits)
        self._ground_of = ground_of or (lambda _tree: Ground(image=image, setup=setup))
        self._timeout = timeout
        self._emit = emit
        self._lock = threading.Lock()
        self._started: dict[str, Future[SuiteResult]] = {}
        self._finished: list[SuiteResult] = []

    @property
    def results(self) -> tuple[SuiteResult, ...]:
        """Return every run so far, in the order in which they ended."""
        with self._lock:
            return tuple(self._finished)

    def run(self, tree: str, purpose: Purpose) -> SuiteResult:
        """Run the tests on a tree, or return what an earlier run on the same tree gave (waiting for it if need be)."""
        with self._lock:
            earlier = self._started.get(tree)
            mine = self._started[tree] = earlier or Future()
        if earlier is not None:
            return earlier.result()
        try:
            result = self.run_again(tree, purpose)
        except BaseException as error:
            with self._lock:
                del self._started[tree]
            mine.set_exception(error)
            raise
        mine.set_result(result)
        return result

    def run_again(self, tree: str, purpose: Purpose = "rerun") -> SuiteResult:
        """Run the tests on a tree in a fresh box, whatever is known of it."""
        result = self._run_in_box(tree, purpose)
        with self._lock:
            self._finished.append(result)
        report = result.report
        self._emit(
            TestsRan(
                purpose=purpose,
                tree=tree,
                exit_code=result.exit_code,
                timed_out=result.timed_out,
                seconds=result.seconds,
                passed=report.count("passed") if report else 0,
                failed=report.count("failed", "error") if report else 0,
                skipped=report.count("skipped") if report else 0,
            )
        )
        return result

    def _run_in_box(self, tree: str, purpose: Purpose) -> SuiteResult:
        started = time.monotonic()
        try:
            ground = self._ground_of(tree)
        except UsageError as error:  # a set-up of its own failed
            return _broke(purpose, tree, "", time.monotonic() - started, error)
        made_of = {"image": ground.image, "environment": ground.environment}
        spec = self._spec.model_copy(update={"purpose": f"tests-{purpose}", **made_of})
        with tempfile.TemporaryDirectory(dir=self._checkout.git_dir.parent) as directory:
            archive = Path(directory) / "tree.tar"
            self._checkout.archive(tree, archive)
            with self._sandbox.open(spec) as box, ended_after(box, SETUP_SECONDS + self._timeout + GRACE):
                try:
                    checked, junit = self._check(box, archive, ground.setup)
                except (ProtocolBroken, SandboxUnavailable, OSError) as error:
                    return _broke(purpose, tree, box.image, time.monotonic() - started, error)
                except UsageError as error:  # the set-up failed
                    if purpose == "baseline":
                        raise
                    return _broke(purpose, tree, box.image, time.monotonic() - started, error)
                return _judge(purpose, tree, box.image, checked, junit)

    def _check(self, box: Box, archive: Path, setup: str) -> tuple[Checked, bytes]:
        send_seed(box, archive, setup, SETUP_SECONDS)
        report = f"{REPORTS}/report-{secrets.token_hex(16)}.xml"
        check = Check(command=self.command, timeout=self._timeout, report=report, environment=build_environment(report))
        box.channel.send(check)
        message, body = receive(box)
        if not isinstance(message, Checked):
            raise unexpected(box, message)
        box.channel.send(Exit())
        return message, body


def build_environment(report: str) -> dict[str, str]:
    """Return what is set for the tests: pytest, however it is started, writes a JUnit file and runs all it can.

    A suite that stops at its first failure tells nothing of the other tests, which would then seem removed.
    """
    options = f"--junitxml={report} -o junit_family=xunit1 --continue-on-collection-errors --maxfail=0"
    return {"PYTEST_ADDOPTS": options, "PYTHONDONTWRITEBYTECODE": "1"}


def _judge(purpose: Purpose, tree: str, image: str, checked: Checked, junit: bytes) -> SuiteResult:
    read = NotBelieved(reason="the tests were cut off") if checked.timed_out else read_report(junit, checked.exit_code)
    return SuiteResult(
        purpose=purpose,
        tree=tree,
        image=image,
        exit_code=checked.exit_code,
        timed_out=checked.timed_out,
        seconds=round(checked.seconds, 3),
        output=checked.output,
        report=read if isinstance(read, Report) else None,
        report_fault=read.reason if isinstance(read, NotBelieved) else "",
        junit=junit,
    )


def _broke(purpose: Purpose, tree: str, image: str, seconds: float, error: Exception) -> SuiteResult:
    return SuiteResult(
        purpose=purpose,
        tree=tree,
        image=image,
        exit_code=-1,
        broke="the box did not survive the tests",
        seconds=round(seconds, 3),
        output=str(error),
        report_fault="the tests were cut off",
    )
