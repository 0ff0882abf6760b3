"""The map of a repository, ours and Aider's in one run: seconds and memory, cold and warm.

python -m benchmarks.repository_map REPOSITORY [--aider PYTHON]   where PYTHON has aider-chat installed
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

TOKENS: Final = 1024
ROW: Final = "{:<28}{:>10}{:>10}{:>10}"
AIDER: Final = """
import sys
from aider.models import Model
from aider.repomap import RepoMap
from aider.io import InputOutput
import subprocess
root = sys.argv[1]
names = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, text=True).stdout.split("\\0")[:-1]
class Counts:
    def token_count(self, text):
        return len(text) / 4 if isinstance(text, str) else 0
repo_map = RepoMap(map_tokens=1024, root=root, main_model=Counts(), io=InputOutput(pretty=False), refresh="always")
print(len(repo_map.get_repo_map([], [root + "/" + name for name in names]) or ""))
"""


class Measured(NamedTuple):
    """What a command took: wall seconds, processor seconds, and MiB of all its processes together at their most."""

    wall: float
    processor: float
    memory: float


def measure(command: list[str], cwd: Path) -> Measured:
    begun = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        most = ticks = 0
        while process.poll() is None:
            family = descendants(process.pid)
            most = max(most, sum(proportional(pid) for pid in family))
            ticks = max(ticks, sum(processor_ticks(pid) for pid in family))
            time.sleep(0.05)
    return Measured(time.perf_counter() - begun, ticks / 100, most / 1024)


def descendants(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def proportional(pid: int) -> int:
    """KiB of a process, what it shares with others divided by their number."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def processor_ticks(pid: int) -> int:
    """Ticks of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--aider", type=Path)
    given = parser.parse_args()
    root = given.repository.absolute()
    print(ROW.format(f"map of {root.name}, {TOKENS} tokens", "wall s", "cpu s", "MiB"))
    with tempfile.TemporaryDirectory() as cache:
        ours = [
            sys.executable,
            "-m",
            "ay_bot",
            "context",
            "map",
            "--tokens",
            str(TOKENS),
            "--repo",
            str(root),
            "--cache",
        ]
        for name in ("ay-bot, cold", "ay-bot, warm"):
            report(name, measure([*ours, cache], Path.cwd()))
    if given.aider:
        for name in ("Aider, cold", "Aider, warm"):
            report(name, measure(aiders_command(given.aider, root), root))


def aiders_command(python: Path, root: Path) -> list[str]:
    """What makes Aider's map of a repository, with the Python that it is installed for."""
    return [str(python), "-c", AIDER, str(root)]


def report(name: str, measured: Measured) -> None:
    print(ROW.format(name, *(f"{value:.1f}" for value in measured)), flush=True)


if __name__ == "__main__":
    main()
