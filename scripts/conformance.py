"""Runs the adapters of other systems' cases and prints one table: theirs, ours, and what the tests ask for at least."""

import re
import subprocess
import sys
from typing import Final, NamedTuple

TESTS: Final = (
    "tests/agent/edits/test_conformance.py", "tests/agent/test_stuck.py", "tests/agent/test_condensing.py",
    "tests/host/test_instructions.py", "tests/outline/test_outline_conformance.py",
)  # fmt: skip


class Line(NamedTuple):
    """A set of cases: how its line in the tests' output begins, the best result so far, and the floor."""

    name: str
    best: str
    floor: str


LINES: Final = (
    Line("edit-recovery", "44.7 % (Codex), 37.6 % (Aider)", "95 %, at most 0.3 % wrong of all"),
    Line("aider-replay", "Aider itself", "all but ambiguous ones and no-ops"),
    Line("aider-editblock", "Aider itself", "all"),
    Line("aider-units", "Aider itself", "none wrong"),
    Line("codex-apply-patch", "Codex itself", "all but a listed few"),
    Line("codex-agents-md", "Codex itself", "all"),
    Line("openhands-stuck", "53 % (SDK), 63 % and 22 % false alarms (V0)", "95 %, no false alarm"),
    Line("openhands-condenser", "no invariant broken", "none broken"),
    Line("aider-repomap", "Aider itself", "all but expected differences"),
    Line("aider-repomap over-budget/different-between-runs", "Aider: 52 % and 84 %", "0 and 0"),
)


def main() -> int:
    """Return the tests' exit code."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", *TESTS], stdout=subprocess.PIPE, text=True, check=False
    )
    if ran.returncode:
        sys.stdout.write(ran.stdout)
    show(ran.stdout)
    return ran.returncode


def show(output: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    names = "|".join(re.escape(line.name) for line in LINES)
    print("\n".join(found[0] for found in re.finditer(rf"^(?:{names}) \d.*$", output, re.MULTILINE)), end="\n\n")
    table = Table("set", "best so far", "ours", "floor", box=None, pad_edge=False)
    for line in LINES:
        found = re.search(rf"^{re.escape(line.name)} (\d.*)$", output, re.MULTILINE)
        table.add_row(line.name, line.best, found[1] if found else "its cases are not here", line.floor)
    Console(width=160).print(table)
    for skipped in re.findall(r"^SKIPPED .*$", output, re.MULTILINE):
        print(skipped)


if __name__ == "__main__":
    sys.exit(main())
