"""The test stand: one run of the real `ay-bot` against a timed model, and what was seen of it."""

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.clock import BOT, LOCAL_PRICES, clean_environment
from benchmarks.memory import Peaks, Sampler
from benchmarks.timed_model import Exchange, TimedModel

PATIENCE = 300.0
TEST = "python3 -m pytest -q"


@dataclass(frozen=True)
class Seen:
    """One run that ended."""

    exit_code: int
    started: float
    ended: float
    exchanges: list[Exchange]
    result: dict[str, Any]
    events: list[dict[str, Any]]  # records of events.jsonl
    peaks: Peaks = field(default_factory=Peaks)

    @property
    def to_first_request(self) -> float:
        """Return the seconds from the command to the model's first request."""
        return self.steps[0].arrived - self.started

    @property
    def steps(self) -> list[Exchange]:
        """The agent's own exchanges."""
        return [exchange for exchange in self.exchanges if exchange.is_step]

    @property
    def gaps(self) -> list[float]:
        """The seconds from each answer's last byte to the agent's next request."""
        return [after.arrived - before.answered for before, after in pairwise(self.steps)]


def run_bot(
    repository: Path, script: object, sandbox: str, *, expect: int, sample: bool = False, test: str = TEST
) -> Seen:
    """Run ay-bot on a repository, and fail loudly if it doesn't end as expected."""
    with TimedModel(script) as model, tempfile.TemporaryDirectory(prefix="ay-bench-") as directory:
        out = Path(directory) / "out"
        command = [BOT, "run", "--repo", str(repository), "--task", "Mend what fails.", "--model", "openai/scripted"]
        command += ["--api-base", model.api_base, "--test", test, "--sandbox", sandbox]
        environment = clean_environment({**LOCAL_PRICES, "OPENAI_API_KEY": "none-needed"})
        started = time.monotonic()
        with _process([*command, "--json", "--out", str(out)], environment) as process:
            peaks = Peaks()
            with Sampler(process.pid, out / "events.jsonl") if sample else contextlib.nullcontext() as sampler:
                said, complaints = process.communicate(timeout=PATIENCE)
            if sampler:
                peaks = sampler.peaks
        ended = time.monotonic()
        if process.returncode != expect:
            tail = complaints.decode("utf-8", "replace")[-2000:]
            raise SystemExit(f"benchmark: ay-bot ended with {process.returncode}, not {expect}, in {sandbox}:\n{tail}")
        events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
        return Seen(process.returncode, started, ended, model.exchanges, json.loads(said), events, peaks)


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise
