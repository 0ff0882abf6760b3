"""How hard a task looks: counts of its text and of the repository, and one number made of them, both told."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final, NamedTuple

READ: Final = 100_000  # characters of a task
PATH: Final = re.compile(r"[\w./-]+\.[A-Za-z0-9]{1,10}\b")
STEP: Final = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\S", re.MULTILINE)
FRAME: Final = re.compile(r'^\s*(?:File "[^"\n]{1,300}", line \d+|at \S.{0,300}:\d+|\S{1,300}:\d+:\d+)', re.MULTILINE)
WIDE: Final = re.compile(
    r"\b(?:refactor|redesign|rewrite|migrat|architect|across|everywhere|all callers|concurren|race condition|deadlock"
    r"|thread.?saf|performance|security|backwards?.compat|protocol|schema|api)\w*",
    re.IGNORECASE,
)
CODE: Final = frozenset(
    ("py", "js", "ts", "tsx", "jsx", "go", "rs", "java", "c", "h", "cc", "cpp", "hpp", "cs", "rb", "php", "kt", "swift",
     "scala", "sh")
)  # fmt: skip


class Weight(NamedTuple):
    """How much a count says, and at how many it has said all."""

    share: float
    full: float


WEIGHTS: Final = {
    "words": Weight(0.15, 600),
    "steps": Weight(0.15, 10),
    "named_files": Weight(0.20, 6),
    "wide_words": Weight(0.25, 4),
    "images": Weight(0.05, 1),
    "files_log10": Weight(0.15, 5),
    "languages": Weight(0.05, 5),
}
LOCATED: Final = 0.10
"""What a stack trace takes off: it says where to look."""


class Hardness(NamedTuple):
    """The counts, and what they come to: 0 is as easy as can be, 1 as hard."""

    features: dict[str, float]
    score: float


def measure(task: str, files: Iterable[str], images: int = 0) -> Hardness:
    """Measure a task on a repository of these files. The same task on the same files is always as hard."""
    text = task[:READ]
    paths = list(files)
    known = {name for path in paths for name in (path, PurePosixPath(path).name)}
    languages = Counter(suffix for path in paths if (suffix := path.rpartition(".")[2]) in CODE)
    features = {
        "words": float(len(text.split())),
        "steps": float(len(STEP.findall(text))),
        "named_files": float(len({name.lstrip("./") for name in PATH.findall(text)} & known)),
        "wide_words": float(len({word.lower() for word in WIDE.findall(text)})),
        "frames": float(len(FRAME.findall(text))),
        "images": float(images),
        "files": float(len(paths)),
        "files_log10": round(math.log10(len(paths) + 1), 3),
        "languages": float(len(languages)),
    }
    score = sum(weight.share * min(features[name] / weight.full, 1.0) for name, weight in WEIGHTS.items())
    return Hardness(features, round(min(max(score - LOCATED * bool(features["frames"]), 0.0), 1.0), 3))
