"""What became of one edit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """`text` is for the model; `path` is the file as the model writes it."""

    path: str
    text: str
    ok: bool = True
