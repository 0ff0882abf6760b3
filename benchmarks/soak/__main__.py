"""Runs the soak: `python -m benchmarks.soak [--runs N] [--parallel N] [--seed N] [--json FILE]`; see `make soak`."""

import argparse
import json
import multiprocessing
import os
import queue
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.__main__ import sandboxes_here
from benchmarks.soak import traces
from benchmarks.soak.stage import Killed, connect_engine, work
from benchmarks.soak.table import failures, render

Told = Killed | dict[str, float]


def main() -> int:
    """Kill runs, print the table; 1 if anything was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--sandbox", action="append", help="docker or bubblewrap; may be repeated")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; the table says how many it were")
    parser.add_argument("--json", type=Path, help="a file for every run's line")
    options = parser.parse_args()
    sandboxes = [name for name in sandboxes_here() if not options.sandbox or name in options.sandbox]
    if not sandboxes:
        raise SystemExit("soak: there is no sandbox here")
    print(f"soak: seed {options.seed}, {options.runs} runs in {', '.join(sandboxes)}", file=sys.stderr, flush=True)
    started = time.monotonic()
    end = started + options.minutes * 60 if options.minutes else float("inf")
    killed, lengths = soak(options, sandboxes, end)
    engine = connect_engine() if "docker" in sandboxes else None
    left = traces.abandoned(engine, Path(tempfile.gettempdir()))
    if engine:
        engine.close()
    print("\n".join(render(killed, lengths, left, time.monotonic() - started)))
    print(f"seed {options.seed}; load average {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors")
    return int(bool(failures(killed) or (len(killed) < options.runs and not options.minutes)))


def soak(options: argparse.Namespace, sandboxes: list[str], end: float) -> tuple[list[Killed], dict[str, float]]:
    """Fill the slots with runs until all are killed or the time is up."""
    context = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[Told] = context.Queue()
    next_number = context.Value("l", 0)
    slots = [
        context.Process(target=work, args=(next_number, options.runs, end, sandboxes, options.seed, told))
        for _ in range(min(options.parallel, options.runs))
    ]
    for slot in slots:
        slot.start()
    killed: list[Killed] = []
    lengths: dict[str, float] = {}
    while any(slot.is_alive() for slot in slots) or not told.empty():
        try:
            said = told.get(timeout=1)
        except queue.Empty:
            continue
        if isinstance(said, Killed):
            killed.append(said)
            _keep(said, options.json)
            _tell(said, len(killed), options.runs)
        else:
            lengths |= said
    return sorted(killed, key=lambda one: one.number), lengths


def _keep(one: Killed, file: Path | None) -> None:
    if file:
        with file.open("a") as lines:
            lines.write(json.dumps(asdict(one)) + "\n")


def _tell(one: Killed, done: int, runs: int) -> None:
    if one.wrong or done % 25 == 0 or done == runs:
        what = f"LEFT: {'; '.join(one.wrong)}" if one.wrong else f"{done} of {runs}"
        print(f"soak: run {one.number} ({one.sandbox}, {one.phase}): {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
