"""The redactor: its speed against reading, what it finds of each encoding, and its false alarms.

`python -m benchmarks.redaction` prints it all; the text is the standard library and whatever is installed beside us.
"""

import random
import statistics
import string
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.table import Row, judge, show

if TYPE_CHECKING:
    from ay_bot.host.redact.redactor import Redactor

LEAST = 20.0
"""MB/s on ordinary text."""
MOST = 60_000_000
KINDS = {
    "code": {".py", ".pyi", ".c", ".h", ".js", ".toml", ".json", ".css"},
    "prose": {".md", ".rst", ".txt", ".html"},
}


def corpus() -> dict[str, list[Path]]:
    """Return the files of each kind of text."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for place in dict.fromkeys((sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))):
        for path in sorted(Path(place).rglob("*")):
            for kind, endings in KINDS.items():
                prose = kind == "prose" and path.name in {"METADATA", "LICENSE"}
                if (path.suffix in endings or prose) and path.is_file() and not _is_about_keys(path):
                    found[kind].append(path)
    return found


def secrets_of_chance(count: int, seed: int = 7) -> tuple[str, ...]:
    """Return secrets as a run has them."""
    chance = random.Random(seed)
    letters = string.ascii_letters + string.digits
    beginnings = ("ghs_", "sk-proj-", "sk-ant-api03-", "")
    lengths = (36, 156, 95, 40)
    return tuple(beginnings[n % 4] + "".join(chance.choices(letters, k=lengths[n % 4])) for n in range(count))


def speed(rounds: int) -> Iterator[Row]:
    """Megabytes of ordinary text for a second of processor time, against reading the same files."""
    from ay_bot.host.redact.library import library_rules
    from ay_bot.host.redact.redactor import Redactor

    library_rules()
    for kind, paths in corpus().items():
        chosen = list(_up_to(paths, MOST // 2))
        data = b"\n".join(path.read_bytes() for path in chosen)
        for count in (3, 20):
            redactor = Redactor(secrets_of_chance(count))
            redactor.find(b"warm")
            yield _row(f"redact {kind}, {count} secrets", redactor, chosen, data, rounds)


def _row(what: str, redactor: "Redactor", paths: list[Path], data: bytes, rounds: int) -> Row:
    size = len(data) / 1e6
    reading = _median(lambda: [path.read_bytes() for path in paths], rounds)
    whole = size / _median(lambda: redactor.find(data), rounds)
    by_file = _median(lambda: [redactor.find(path.read_bytes()) for path in paths], rounds)
    return Row(
        what,
        "-",
        f"{whole:.0f} MB/s",
        f"reading the files {size / reading:.0f} MB/s",
        f"{LEAST:.0f} MB/s",
        judge(met=whole >= LEAST and size / by_file >= LEAST),
        f"file by file {size / by_file:.0f} MB/s, {by_file / reading:.1f}x reading them; "
        f"{size:.0f} MB, {len(paths)} files, medians of {rounds}",
    )


def false_alarms() -> dict[str, tuple[float, int, Counter[str], list[bytes]]]:
    """Return for each kind of text its size in MB, the alarms for values, those for shapes by rule, and examples."""
    from ay_bot.host.redact.redactor import Redactor

    redactor = Redactor(secrets_of_chance(20))
    told: dict[str, tuple[float, int, Counter[str], list[bytes]]] = {}
    for kind, paths in corpus().items():
        size, values, shapes, examples = 0, 0, Counter[str](), list[bytes]()
        for path in paths:
            data = path.read_bytes()
            size += len(data)
            for each in redactor.find(data):
                values += each.kind == "value"
                if each.kind == "shape":
                    shapes[each.name] += 1
                    examples.append(path.name.encode() + b": " + data[each.start : each.end][:60])
        told[kind] = (size / 1e6, values, shapes, examples)
    return told


def recall(encodings: dict[str, Callable[[str], str]], rounds: int = 200) -> dict[str, tuple[float, float]]:
    """Return for each encoding the share of secrets found, whole and as parts of 14 characters, amid other words."""
    from ay_bot.host.redact.redactor import Redactor

    chance = random.Random(11)
    found = {name: [0, 0] for name in encodings}
    for number in range(rounds):
        (secret,) = secrets_of_chance(4, seed=number)[number % 4 : number % 4 + 1]
        redactor = Redactor((secret,))
        start = chance.randrange(len(secret) - 13)
        for name, encode in encodings.items():
            for place, text in enumerate((secret, secret[start : start + 14])):
                found[name][place] += bool(redactor.find_values(f"It says: {encode(text)} and more".encode()))
    return {name: (whole / rounds, part / rounds) for name, (whole, part) in found.items()}


def main() -> int:
    """Measure all, and print it."""
    from tests.host.redact.encodings_of_secrets import ENCODINGS

    rows = list(speed(3))
    show(rows)
    print("\nfound of each encoding: whole secrets, parts of 14 characters")
    for name, (whole, part) in recall(ENCODINGS).items():
        print(f"  {name:<26} {whole:7.1%} {part:7.1%}")
    for kind, (size, values, shapes, examples) in false_alarms().items():
        total = sum(shapes.values())
        print(f"\nfalse alarms in {size:.0f} MB of {kind}: values {values}, shapes {total} ({total / size:.3f} per MB)")
        print("  " + ", ".join(f"{name} {count}" for name, count in shapes.most_common()))
        for example in examples[:40] if "--examples" in sys.argv else ():
            print(f"  {example!r}")
    return int(any(row.verdict == "MISSED" for row in rows))


def _is_about_keys(path: Path) -> bool:
    """Whether a file is about keys themselves, which is not ordinary text."""
    return any(part in {"detect_secrets", "zizmor"} for part in path.parts)


def _up_to(paths: list[Path], most: int) -> Iterator[Path]:
    size = 0
    for path in paths:
        size += path.stat().st_size
        if size > most:
            return
        yield path


def _median(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.process_time()  # whoever else works here is not counted
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
