"""The directory of `--out`: result.json, events.jsonl, change.diff, pull-request.md and junit/."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ay_bot.errors import UsageError
from ay_bot.host.pull_request import render_markdown
from ay_bot.host.redact.redactor import SHAPES_ALONE, Redactor
from ay_bot.host.report import Result
from ay_bot.host.suite import TestRunner


class OutputDirectory:
    """Owns the files that a run leaves behind; those of an earlier run in the same place are replaced.

    Each is written without what `redactor` finds. A diff loses only our own values: what has the shape of a key
    may be meant, and an altered diff is nobody's change.
    """

    def __init__(self, path: Path, redactor: Redactor = SHAPES_ALONE) -> None:
        self.redactor = redactor
        self.events = path / "events.jsonl"
        self._path = path
        self._junit = path / "junit"
        try:
            self._junit.mkdir(parents=True, exist_ok=True)
            for stale in (*self._junit.glob("*.xml"), *(path / name for name in ("result.json", "pull-request.md"))):
                stale.unlink(missing_ok=True)
        except OSError as error:
            msg = f"the output directory `{path}` can't be written: {error.strerror}"
            raise UsageError(msg, hint="give a directory that you may write to with `--out`") from None

    def write(self, result: Result, diff: bytes) -> None:
        """Write what is known at the end of a run."""
        result = self.redactor.redact_model(result)
        (self._path / "result.json").write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (self._path / "change.diff").write_bytes(self.redactor.redact_values(diff))
        if result.pull_request:
            text = render_markdown(result.pull_request.title, result.pull_request.body)
            (self._path / "pull-request.md").write_text(text, encoding="utf-8")

    def write_reports(self, runner: TestRunner) -> None:
        """Write the JUnit file of every run of the tests, in the order in which they ended."""
        for number, ran in enumerate(runner.results, start=1):
            if ran.junit:
                (self._junit / f"{number:02}-{ran.purpose}-{ran.tree[:12]}.xml").write_bytes(
                    self.redactor.redact_bytes(ran.junit)
                )


@contextmanager
def keeping_reports(runner: TestRunner, output: OutputDirectory | None) -> Iterator[None]:
    """Write the JUnit files at the end of the with block, however that ends."""
    try:
        yield
    finally:
        if output:
            output.write_reports(runner)
