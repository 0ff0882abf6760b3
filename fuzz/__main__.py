"""All targets, one process each: `python -m fuzz [--inputs N] [--seed N] [--blind] [TARGET...]`, and a table of it."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from fuzz.target import NAMES

ROOT = Path(__file__).parent.parent
EDGES = re.compile(r"cov: (\d+)")
MEMORY = Path("/dev/shm")
LEAST_SECONDS = 300
RATE = 100
"""Inputs a second below which a target counts as hanging."""


class Outcome(NamedTuple):
    """What became of one target."""

    name: str
    broken: str
    inputs: int = 0
    seconds: float = 0
    cpu: float = 0
    edges: str = "-"
    raised: str = ""
    slowest_ms: float = 0
    megabytes: int = 0


def fuzz(name: str, inputs: int, seed: int, *, blind: bool) -> Outcome:
    """Run one target in a process of its own, and remove what it wrote: libFuzzer ends without tidying up."""
    with TemporaryDirectory(prefix="ay-bot-fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        return _fuzz(name, inputs, seed, scratch, blind=blind)


def _fuzz(name: str, inputs: int, seed: int, scratch: str, *, blind: bool) -> Outcome:
    command = [sys.executable, "-m", "fuzz.one", name, str(inputs), str(seed), *(["--blind"] if blind else [])]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": scratch,
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
    }
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=LEAST_SECONDS + inputs / RATE, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(name, "it did not end")
    told = re.search(rb"^FUZZED (.*)$", done.stdout, re.MULTILINE)
    words = done.stderr.decode("utf-8", "replace")
    if done.returncode or not told:
        return Outcome(name, f"exit code {done.returncode}:\n" + "\n".join(_telling(words)))
    seen = json.loads(told[1])
    edges = EDGES.findall(words)
    raised = ", ".join(f"{count:,} {kind}" for kind, count in sorted(seen["raised"].items())) or "none"
    return Outcome(
        name,
        "",
        seen["inputs"],
        seen["seconds"],
        seen["cpu"],
        edges[-1] if edges else "-",
        raised,
        seen["slowest_ms"],
        seen["megabytes"],
    )


def show(outcome: Outcome) -> str:
    """Return one line of the table."""
    if outcome.broken:
        return f"{outcome.name:<21} BROKEN: {outcome.broken}"
    rate = outcome.inputs / max(outcome.cpu, 0.001)
    numbers = f"{outcome.inputs:,}", f"{outcome.seconds:.1f}", f"{outcome.cpu:.1f}", f"{rate:,.0f}", outcome.edges
    return _line(outcome.name, *numbers, f"{outcome.slowest_ms:.1f}", str(outcome.megabytes), outcome.raised)


def _line(name: str, *cells: str) -> str:
    *numbers, last = cells
    return f"{name:<21} {' '.join(f'{cell:>9}' for cell in numbers)}  {last}"


def main() -> int:
    """Fuzz, print, and return how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(NAMES), metavar="TARGET")
    parser.add_argument("--inputs", type=int, default=10_000, help="how many for each target")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0 takes another each time")
    parser.add_argument("--jobs", type=int, default=1, help="how many targets side by side")
    parser.add_argument("--blind", action="store_true", help="without atheris: no guidance by what is reached")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(NAMES):
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    seed = options.seed or int(time.time()) % 2**31
    print(f"seed {seed}")
    print(_line("target", "inputs", "seconds", "CPU s", "per CPU s", "edges", "max ms", "max MB", "raised"))
    outcomes = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(lambda name: fuzz(name, options.inputs, seed, blind=options.blind), options.targets):
            outcomes.append(outcome)
            print(show(outcome), flush=True)
    broken = [outcome.name for outcome in outcomes if outcome.broken]
    print(
        f"{len(outcomes) - len(broken)} of {len(outcomes)} targets held"
        + (f"; broken: {', '.join(broken)}" if broken else "")
    )
    return 1 if broken else 0


def _telling(words: str) -> list[str]:
    """The last lines of what a target said that are not libFuzzer's chatter."""
    lines = [
        line for line in words.splitlines() if not line.startswith(("INFO:", "#", "WARNING: Failed to find", "\t"))
    ]
    return lines[-25:]


if __name__ == "__main__":
    sys.exit(main())
