"""All misbehaviours, a run each: `python -m chaos [--sandbox NAME] [--workers N] [NAME...]`, and a table of it."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from chaos.misbehaviours import Misbehaviour, misbehaviours
from chaos.trial import Ended, carry_out


def main() -> int:
    """Run them, tell of each as it ends, print the table, and say whether all ended as they should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of names; default: all")
    parser.add_argument("--sandbox", default="bubblewrap")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    chosen = [one for one in misbehaviours() if not options.names or any(name in one.name for name in options.names)]

    def run(one: Misbehaviour) -> Ended:
        with TemporaryDirectory(prefix="ay-bot-chaos-") as directory:
            ended = carry_out(one, Path(directory), options.sandbox)
        print(f"{'held' if not ended.faults else 'BROKEN':<7}{ended.name}: {ended.end}", file=sys.stderr, flush=True)
        return ended

    with ThreadPoolExecutor(options.workers) as pool:
        ended = list(pool.map(run, chosen))
    show(ended)
    return 1 if any(one.faults for one in ended) else 0


def show(ended: list[Ended]) -> None:
    """Print the table, and below it what broke."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "Misbehaviour", "Outcome", "Exit code", "Cost", "Tokens", "Requests", "Seconds", "Held", box=box.MARKDOWN
    )
    for one in ended:
        status, _, code = one.end.rpartition(" ")
        cost = "unknown" if one.cost is None else f"${one.cost:.4f}"
        row = (one.name, status, code, cost, f"{one.tokens:,}", str(one.requests), f"{one.seconds:.1f}")
        table.add_row(*row, "no" if one.faults else "yes")
    console = Console(width=140, highlight=False, markup=False)
    console.print(table)
    for one in ended:
        for fault in one.faults:
            console.print(f"- {one.name}: {fault} ({one.end}: {one.reason[:300]})")
    held = sum(not one.faults for one in ended)
    console.print(f"\n{held} of {len(ended)} held")


if __name__ == "__main__":
    sys.exit(main())
