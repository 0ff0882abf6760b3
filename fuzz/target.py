"""What a target is: the parser, what it may raise, what it is fed with, and its bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SEEDS = Path(__file__).parent / "seeds"
NAMES = (
    "channel_from_box", "channel_from_gateway", "channel_to_gateway", "channel_to_box", "channel_to_checks", "changes",
    "paths", "junit", "events", "outputs", "bundle_files", "bundle_words", "messages", "egress", "tls_hello",
    "policy_diff", "edits", "sanitize", "settings", "redact", "images", "pictures",
)  # fmt: skip
"""Every module of `fuzz.targets`; a test compares."""
Shape = Literal["json", "xml", "lines"]
"""What a mutation takes for a part: a node of JSON on each line, a tag, a line. Plain bytes are tried everywhere."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One parser. `parse` raises nothing but `documented`, and an AssertionError for a promise that it broke.

    Bounds are for one input of at most `longest` bytes: seconds of processor time, and megabytes for the whole process.
    """

    parse: Callable[[bytes], None]
    seeds: Sequence[bytes]
    shape: Shape
    documented: tuple[type[Exception], ...] = ()
    longest: int = 8192
    seconds: float = 1.0
    megabytes: int = 400
    share: float = 1.0
    """Of the inputs that were asked for: less where one takes long and a box has no hand in it."""


def recorded(kind: str) -> list[bytes]:
    """Return what really was said in a run, as fuzz/record.py kept it."""
    return [path.read_bytes() for path in sorted((SEEDS / kind).iterdir())]
