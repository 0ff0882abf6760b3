"""What all chores of one run stand on: the default branch's commit with its settings, a clone of it, and the clock."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from ay_bot.host.action.connection import Connection
from ay_bot.host.checkout import open_checkout
from ay_bot.host.config import Settings
from ay_bot.host.event_log import Listener
from ay_bot.host.github.forge import RepositoryFacts
from ay_bot.host.maintenance.ecosystem import Files, files_of
from ay_bot.host.repository import open_repository

SHORTEST = 120.0
"""Seconds below which no more work is begun."""


@dataclass
class Ground:
    """One run of maintenance. `requester` is the person who started it, "" for the schedule.

    `base` is the commit that is worked on, `trusted` the one whose settings and instructions count.
    """

    connection: Connection
    settings: Settings
    facts: RepositoryFacts
    base: str
    trusted: str
    scratch: Path
    listener: Listener
    now: datetime
    run_url: str = ""
    requester: str = ""
    out: Path | None = None
    _started: float = field(default_factory=time.monotonic)
    _clone: "Clone | None" = None

    @property
    def seconds_left(self) -> float:
        """How long the work on all chores together may still take."""
        return self.settings.timeout - (time.monotonic() - self._started)

    @property
    def clone(self) -> "Clone":
        """A clone of the default branch's commit, made when it is first asked for."""
        if self._clone is None:
            self._clone = self.clone_at(self.base, [self.trusted])
        return self._clone

    def clone_at(self, commit: str, more: Sequence[str] = ()) -> "Clone":
        """Return a clone whose HEAD is a commit, and which holds some others."""
        place = self.new_directory() / "repository.git"
        remote = self.connection.remote(self.facts.clone_url)
        remote.clone_pinned(commit, place)
        if others := sorted(set(more) - {commit}):
            remote.fetch(place, others)
        return Clone(self, place)

    def new_directory(self) -> Path:
        """Return a new directory of this run's."""
        return Path(mkdtemp(dir=self.scratch))


@dataclass(frozen=True)
class Clone:
    """A bare clone that chores look into."""

    ground: Ground
    path: Path

    def fetch_with_parent(self, commit: str) -> None:
        """Bring a commit and its parents. Raises GithubFailed where it is gone."""
        remote = self.ground.connection.remote(self.ground.facts.clone_url)
        remote.fetch(self.path, [commit], depth=2)

    def files(self, commit: str) -> Files:
        """Return the files of a commit; what they hold is read when it is asked for."""
        with open_checkout(open_repository(self.path), self.ground.new_directory()) as checkout:
            return files_of(checkout, commit)

    def changed(self, old: str, new: str) -> frozenset[str]:
        """Return the paths of the files that differ between two commits."""
        with open_checkout(open_repository(self.path), self.ground.new_directory()) as checkout:
            found = checkout.compare(checkout.tree_of(old), checkout.tree_of(new))
        return frozenset(each.path.decode("utf-8", "replace") for each in found)

    def diff(self, old: str, new: str) -> str:
        """Return a diff for a model to read."""
        with open_checkout(open_repository(self.path), self.ground.new_directory()) as checkout:
            return checkout.diff(old, new).decode("utf-8", "replace")
