"""The rows of the benchmark, and the one table that shows them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Verdict = Literal["ok", "MISSED", "info"]


@dataclass(frozen=True)
class Row:
    """One figure. `reference` was measured in the same run, or is the figure that the limit was derived from."""

    what: str
    where: str  # the sandbox, or "-"
    ours: str
    reference: str
    limit: str
    verdict: Verdict
    note: str = ""


def judge(*, met: bool) -> Verdict:
    """Return the verdict on a figure that has a limit."""
    return "ok" if met else "MISSED"


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="ay-bot, what a run costs besides the model", title_justify="left")
    for name in ("what", "where", "ours", "reference, same run", "limit", "verdict", "note"):
        table.add_column(name, overflow="fold")
    colours = {"ok": "green", "MISSED": "red", "info": "dim"}
    for row in rows:
        *cells, verdict, note = asdict(row).values()
        table.add_row(*cells, f"[{colours[row.verdict]}]{verdict}[/]", note)
    Console(width=None if Console().is_terminal else 180).print(table)
