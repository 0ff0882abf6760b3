"""Runs the benchmarks: `python -m benchmarks [--quick] [--json] [--only NAME] [--sandbox NAME]`; see `make bench`."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from benchmarks import boxes, editing, measures, outline, redaction
from benchmarks.table import Row, show


def sandboxes_here() -> list[str]:
    """Return the sandboxes that are ready on this machine, and say what is missing for the others."""
    from ay_bot.errors import AyBotError
    from ay_bot.host.sandbox.select import choose

    ready = []
    for name in ("docker", "bubblewrap"):
        try:
            sandbox, _ = choose(name, os.environ)
            sandbox.resolve_image("")
        except AyBotError as error:
            print(f"benchmark: left out: {name}: {error}", file=sys.stderr)
        else:
            ready.append(name)
    return ready


def main() -> int:
    """Measure, and print one table; 1 if a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", action="append", help="a part by its name; may be repeated")
    parser.add_argument("--sandbox", action="append", help="docker or bubblewrap; may be repeated")
    options = parser.parse_args()
    ready = [name for name in sandboxes_here() if not options.sandbox or name in options.sandbox]
    rows = [row for name, take in parts(ready, quick=options.quick).items() for row in _taken(name, take, options.only)]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        show(rows)
        print(f"load average now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return int(any(row.verdict == "MISSED" for row in rows))


def parts(ready: list[str], *, quick: bool) -> dict[str, Callable[[], Iterator[Row]]]:
    """Return the parts of the benchmark by name."""
    return {
        "help": lambda: measures.help_text(5 if quick else 15),
        "first": lambda: measures.first_request(ready, 3 if quick else 10),
        "gap": lambda: measures.step_gap(ready, 50),
        "demo": lambda: measures.demo(ready),
        "tokens": lambda: (row for name in ready[:1] for row in measures.prompt_tokens(name)),
        "large": lambda: measures.large_seed(ready, 10_000),
        "ready": lambda: boxes.ready(ready, 5 if quick else 20),
        "repository": lambda: boxes.repository(ready, 1 if quick else 3),
        "channel": lambda: boxes.channel(ready),
        "floods": lambda: boxes.floods(ready, (1 if quick else 10) * 1024**3),
        "redaction": lambda: redaction.speed(1 if quick else 3),
        "outline": lambda: outline.outline(2 if quick else 5),
        "editing": lambda: editing.speed(5 if quick else 20),
        "eight": lambda: boxes.at_once(ready),
    }


def _taken(name: str, take: Callable[[], Iterator[Row]], only: list[str] | None) -> Iterator[Row]:
    if only and name not in only:
        return
    print(f"benchmark: {name} …", file=sys.stderr, flush=True)
    yield from take()


if __name__ == "__main__":
    sys.exit(main())
