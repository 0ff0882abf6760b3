"""What edits of one file that fail again and again come to: it is shown, must be read, and then the step fails."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from posixpath import normpath
from typing import Final

SHOW_AT: Final = 2
FAIL_AT: Final = 4
WHOLE: Final = frozenset({"new file", "whole file", "empty file filled"})
"""How edits were made that need to know nothing of what stood there before."""


@dataclass(slots=True)
class FailedEdits:
    """The failures of each file since an edit of it was made; `struggling` from the second one on, until one is."""

    counts: dict[str, int] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    struggling: bool = False

    def failed(self, name: str) -> int:
        """Count a failure, and return how many there are now."""
        name = normpath(name)
        self.counts[name] = count = self.counts.get(name, 0) + 1
        if count >= SHOW_AT:
            self.unread.add(name)
            self.struggling = True
        return count

    def made(self, names: Iterable[str]) -> None:
        """Take in that edits of these files were made."""
        for name in map(normpath, names):
            self.counts.pop(name, None)
            self.unread.discard(name)
        self.struggling = False

    def read(self, name: str) -> None:
        """Take in that the model saw the file as it is."""
        self.unread.discard(normpath(name))

    def must_read(self, name: str) -> bool:
        """Whether the model must see the file before it edits it again."""
        return normpath(name) in self.unread

    def find_pattern(self, name: str) -> str:
        """Say what goes wrong once the step has failed; empty before."""
        count = self.counts.get(normpath(name), 0)
        return f"{count} edits of {name} failed in a row" if count >= FAIL_AT else ""
