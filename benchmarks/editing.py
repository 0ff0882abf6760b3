"""An edit of a file of 10,000 lines, in every way in which the engine finds its place or says why there is none."""

import random
import statistics
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.table import Row, judge, show

LINES = 10_000
MEDIAN, WORST = 0.020, 0.250
"""Seconds that an edit may take."""
Lines = list[str]


def speed(rounds: int) -> Iterator[Row]:
    """Milliseconds of processor time for an edit by the tool: read, found, written, and looked at for syntax errors."""
    text = source()
    for name, kinds in {"big.py": KINDS, "big.txt": KINDS}.items():
        taken = [seconds for kind in kinds.values() for seconds in _taken(text, name, kind, rounds)]
        told = f"{statistics.median(taken) * 1000:.1f} ms, worst {max(taken) * 1000:.0f} ms"
        yield Row(
            what=f"an edit of {LINES:,} lines, {'Python' if name.endswith('.py') else 'text'}",
            where="-",
            ours=told,
            reference=f"parsed whole: {_parsed(text) * 1000:.0f} ms",
            limit=f"{MEDIAN * 1000:.0f} ms, worst {WORST * 1000:.0f} ms",
            verdict=judge(met=statistics.median(taken) <= MEDIAN and max(taken) <= WORST),
            note=f"{len(taken)} edits: {', '.join(kinds)}",
        )


def source() -> str:
    """Return so many lines of the standard library that can be parsed."""
    text = ""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        more = path.read_text(errors="replace")
        if "from __future__" not in more and (text + more).count("\n") < LINES:
            text += more.rstrip() + "\n\n\n"
    return text + "# the end\n" * (LINES - text.count("\n"))


def _parsed(text: str) -> float:
    import ast

    started = time.thread_time()
    ast.parse(text)
    return time.thread_time() - started


def _taken(text: str, name: str, kind: Callable[[Lines], tuple[str, str]], rounds: int) -> Iterator[float]:
    from ay_bot.agent.commands import run_command
    from ay_bot.agent.tools.edit import EDIT
    from ay_bot.agent.tools.workbench import Workbench

    chance = random.Random(7)
    lines = text.splitlines()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for _ in range(rounds):
            (root / name).write_text(text)
            at = chance.choice([n for n in range(100, LINES - 100) if _is_telling(lines[n : n + 8])])
            search, replace = kind(lines[at : at + 8])
            bench = Workbench(root=root, scratch=root, run=run_command)
            arguments: dict[str, object] = {"path": name, "edits": [{"search": search, "replace": replace}]}
            started = time.thread_time()
            EDIT.run(arguments, bench)
            yield time.thread_time() - started


def _is_telling(block: Lines) -> bool:
    return len({line for line in block if len(line.strip()) > 12}) >= 6


def _put(block: Lines, number: int, line: str) -> str:
    return "".join(f"{one}\n" for one in [*block[:number], line, *block[number + 1 :]])


def _exact(block: Lines) -> tuple[str, str]:
    return _put(block, 0, block[0]), _put(block, 4, block[4] + "  # changed")


def _trailing_space(block: Lines) -> tuple[str, str]:
    return "".join(f"{line}  \n" for line in block), _put(block, 4, block[4] + "  # changed")


def _other_indentation(block: Lines) -> tuple[str, str]:
    moved = [f"      {line}" if line.strip() else line for line in block]
    return _put(moved, 0, moved[0]), _put(moved, 4, moved[4] + "  # changed")


def _no_blank_lines(block: Lines) -> tuple[str, str]:
    solid = [line for line in block if line.strip()]
    return _put(solid, 0, solid[0]), _put(solid, 4, solid[4] + "  # changed")


def _left_out(block: Lines) -> tuple[str, str]:
    return f"{block[0]}\n...\n{block[7]}\n", f"{block[0]}\n...\n{block[7]}  # changed\n"


def _typo(block: Lines) -> tuple[str, str]:
    wrong = [block[0], block[1] + "x", *block[2:]]
    return _put(wrong, 0, wrong[0]), _put(wrong, 4, wrong[4] + "  # changed")


def _foreign(block: Lines) -> tuple[str, str]:
    return "".join(f"{line[::-1]} of somebody else\n" for line in block), "x\n"


def _ambiguous(_: Lines) -> tuple[str, str]:
    return "    def __init__(self", "    def __init__(this"


KINDS: dict[str, Callable[[Lines], tuple[str, str]]] = {
    "exact": _exact,
    "trailing space": _trailing_space,
    "other indentation": _other_indentation,
    "no blank lines": _no_blank_lines,
    "lines left out": _left_out,
    "a typo": _typo,
    "lines of another file": _foreign,
    "several places": _ambiguous,
}


if __name__ == "__main__":
    show(list(speed(int(sys.argv[1]) if sys.argv[1:] else 20)))
