"""The tests on the base commit, run in a box of their own while the agent works."""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from ay_bot.errors import AyBotError, TestsUnusable, UsageError
from ay_bot.host.boxes import Boxes
from ay_bot.host.event_log import EventLog
from ay_bot.host.suite import SuiteResult, TestRunner

CANNOT_RUN = (126, 127)  # what a shell answers for a command that is no program, or is not there


class Baseline:
    """Runs in the background from `start` on. If nothing can be proven, every box of the run is ended at once."""

    def __init__(self, runner: TestRunner, boxes: Boxes, tree: str, log: EventLog) -> None:
        self._runner = runner
        self._boxes = boxes
        self._tree = tree
        self._log = log
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="baseline")
        self._future: Future[SuiteResult] | None = None

    def __enter__(self) -> Self:
        """Return the baseline, not yet started."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the boxes if the run failed, and wait for the thread."""
        if kind:
            self._boxes.stop()
        self._pool.shutdown(wait=True)

    def start(self) -> None:
        """Run the tests on the base tree."""
        self._future = self._pool.submit(self._run)

    def wait(self) -> SuiteResult:
        """Return what the tests gave. Raises TestsUnusable or UsageError if they prove nothing."""
        if not self._future:
            self.start()
            return self.wait()
        return self._future.result()

    def _run(self) -> SuiteResult:
        try:
            with self._log.phase("baseline"):
                result = self._runner.run(self._tree, "baseline")
            _require_usable(result, self._runner.command)
        except AyBotError as error:
            self._boxes.stop(error)
            raise
        return result


def _require_usable(result: SuiteResult, command: str) -> None:
    if result.timed_out:
        msg = f"the tests (`{command}`) did not end within {result.seconds:.0f} s on the base commit, before any change"
        raise TestsUnusable(msg, hint="give a command that ends with `--test`, or more time with `test_timeout:`")
    if result.exit_code in CANNOT_RUN and not result.outcomes:
        msg = f"the test command `{command}` can't be run in the box:\n{result.output[-2000:].rstrip()}"
        raise UsageError(msg, hint="give another command with `--test`, or an image that has it with `--image`")
