"""Wall times of whole commands, taken in turns so that a slow spell of the machine touches all of them alike."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PYTHON = sys.executable
BOT = str(Path(PYTHON).with_name("ay-bot"))
LOCAL_PRICES = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
IMPORT_LITELLM = (PYTHON, "-c", "import litellm")
BARE_TYPER = """
import typer
app = typer.Typer()

@app.command()
def hello(name: str = "world") -> None:
    print("hello", name)

app()
"""

Measure = Callable[[], float]


def clean_environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without what changes how Python starts: with no byte code, everything is compiled anew."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, **(added or {})}


def wall(command: Sequence[str], added: Mapping[str, str] | None = None) -> float:
    """Return the seconds from the start of a command to its end."""
    environment = clean_environment(added)
    started = time.monotonic()
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.monotonic() - started


def alternate(measures: Mapping[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Take each measure in turn, `rounds` times, after one round that warms the caches and isn't counted."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            value = measure()
            if number:
                taken[name].append(value)
    return taken


def median(values: Sequence[float]) -> float:
    """Return the median, or NaN of nothing."""
    return statistics.median(values) if values else float("nan")


def paired(ours: Sequence[float], reference: Sequence[float], of: Callable[[float, float], float]) -> float:
    """Return the median over the rounds of a ratio or difference of two measures."""
    return median([of(mine, theirs) for mine, theirs in zip(ours, reference, strict=True)])
