"""The outline of a repository of 20,000 files: its map cold, warm and after a change, its ranking, and counting tokens.

The repository is made of the Python sources of this environment, repeated under other names until there are enough; the
same is done with Aider's map where AIDER_PYTHON names a Python that has aider-chat installed.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.clock import BOT, median
from benchmarks.repository_map import aiders_command, measure
from benchmarks.table import Row, judge

FILES: Final = 20_000
QUERIES: Final = (
    "fix: the parser of headers drops continuation lines",
    "a timeout of the connection pool is never raised under load",
    "TypeError: unsupported operand when a mapping is merged with None in json/decoder.py",
    "docs: say what a frozen model does with extra fields",
    "http: redirects to another host keep the authorization header",
    "asyncio: cancelling a task group leaves sockets open",
    "support the new union syntax in annotations of dataclasses",
    "speed up sorting of versions when markers are evaluated",
)
MOST_MEMORY: Final = 250
MOST_AFTER_CHANGE: Final = 0.5
MOST_RANKING: Final = 0.050
LEAST_TOKENS: Final = 20_000_000


def outline(rounds: int) -> Iterator[Row]:
    """Measure it all on one repository."""
    with tempfile.TemporaryDirectory() as place:
        root, cache = Path(place, "repository"), Path(place, "cache")
        _make_repository(root)
        cold = measure(_command("map", root, cache), Path.cwd())
        warm = [measure(_command("map", root, cache), Path.cwd()) for _ in range(rounds)]
        usual = median([one.wall for one in warm])
        peak = max(cold.memory, *(one.memory for one in warm))
        yield from _mapped(cold.wall, usual, peak)
        yield from _changed(root, cache, usual, rounds)
        yield from _ranked(root, cache)
        yield from _counted(root)
        yield from _aiders(root, cold.wall)


def _mapped(cold: float, warm: float, peak: float) -> Iterator[Row]:
    name = f"map of {FILES:,} files"
    yield Row(f"{name}, cold", "-", f"{cold:.1f} s", "-", "-", "info")
    yield Row(f"{name}, warm", "-", f"{warm:.2f} s", f"{cold / warm:.0f}x faster than cold", "-", "info")
    yield Row(f"{name}, memory", "-", f"{peak:.0f} MiB", "-", f"{MOST_MEMORY} MiB", judge(met=peak <= MOST_MEMORY))


def _changed(root: Path, cache: Path, warm: float, rounds: int) -> Iterator[Row]:
    taken = []
    for number in range(rounds):
        with (root / "000" / "changed.py").open("a") as file:
            file.write(f"def changed_{number}():\n    return {number}\n")
        _git(root, "add", "-A")
        _git(root, "commit", "-q", "-m", f"change {number}")
        taken.append(measure(_command("map", root, cache), Path.cwd()).wall)
    more = median(taken) - warm
    limit = f"{MOST_AFTER_CHANGE} s more than warm"
    yield Row(
        "map after a change of one file",
        "-",
        f"{more:+.2f} s",
        f"{warm:.2f} s warm",
        limit,
        judge(met=more <= MOST_AFTER_CHANGE),
    )


def _ranked(root: Path, cache: Path) -> Iterator[Row]:
    from ay_bot.host.context import name_place
    from ay_bot.host.outline_source import GitSource
    from ay_bot.outline.outlining import open_outline

    source = GitSource(root / ".git")
    with open_outline(cache, name_place(root / ".git")) as opened:
        opened.rank(source, "warm up", 10)
        taken = []
        for query in QUERIES * 5:
            started = time.perf_counter()
            opened.rank(source, query, 10)
            taken.append(time.perf_counter() - started)
    middle = median(taken)
    yield Row(
        f"ranking {FILES:,} files", "-", f"{middle * 1000:.0f} ms", f"{max(taken) * 1000:.0f} ms at most",
        f"{MOST_RANKING * 1000:.0f} ms", judge(met=middle <= MOST_RANKING),
    )  # fmt: skip


def _counted(root: Path) -> Iterator[Row]:
    from ay_bot.host.outline_source import GitSource
    from ay_bot.outline.counting import count_tree

    source = GitSource(root / ".git")
    count_tree(source)  # the vocabulary is loaded once
    started = time.perf_counter()
    tokens = count_tree(source)
    rate = tokens / (time.perf_counter() - started)
    yield Row(
        f"counting {tokens / 1e6:.0f} million tokens", "-", f"{rate / 1e6:.0f} M/s", "reading from git included",
        f"{LEAST_TOKENS / 1e6:.0f} M/s", judge(met=rate >= LEAST_TOKENS),
    )  # fmt: skip


def _aiders(root: Path, cold: float) -> Iterator[Row]:
    python = os.environ.get("AIDER_PYTHON")
    if not python:
        return
    theirs = measure(aiders_command(Path(python), root), root)
    ratio = f"ours takes {cold / theirs.wall:.2f} of it"
    yield Row("Aider's map, cold", "-", "-", f"{theirs.wall:.0f} s, {theirs.memory:.0f} MiB", "-", "info", ratio)


def _command(name: str, root: Path, cache: Path) -> list[str]:
    return [BOT, "context", name, "--tokens", "1024", "--repo", str(root), "--cache", str(cache)]


def _make_repository(root: Path) -> None:
    sources = [
        path
        for place in dict.fromkeys((sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")))
        for path in sorted(Path(place).rglob("*.py"))
        if path.is_file() and path.stat().st_size < 200_000
    ]
    for number in range(FILES):
        original = sources[number % len(sources)]
        path = root / f"{number // 100:03}" / f"{number:05}_{original.name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(original.read_bytes() + f"\nNUMBER_{number} = {number}\n".encode())
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "start")


def _git(root: Path, *arguments: str) -> None:
    identity = [part for name in ("user.name=a", "user.email=a@example.invalid", "gc.auto=0") for part in ("-c", name)]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, stdout=sys.stderr)
