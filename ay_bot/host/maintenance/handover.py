"""The bundles of the hardened form: the job with the model writes one for each piece of work, the other reads them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ay_bot.errors import GithubFailed
from ay_bot.host.action.bundling import BundlePublisher
from ay_bot.host.github.bundle import CHANGE, CONTENTS, MANIFEST, REQUEST, RESULT, Bundle, Manifest, read_bundle
from ay_bot.host.github.bundle_files import MOST_BYTES, BundleRefused, read_files
from ay_bot.host.github.forge import Forge
from ay_bot.host.github.request import Request
from ay_bot.host.maintenance.standing import Target
from ay_bot.host.report import Result

MOST_BUNDLES: Final = 50
CAPS: Final = dict.fromkeys((MANIFEST, REQUEST, RESULT, CHANGE, CONTENTS), 4 * MOST_BYTES)


@dataclass(frozen=True)
class Handover:
    """The directory with a run's bundles, each in one of its own that is named by the work's key."""

    directory: Path
    run: str
    made: datetime

    def publisher(self, target: Target) -> BundlePublisher:
        """Return what keeps a proven change until `write`."""
        return BundlePublisher(self.run, self._request(target), target.base, target.base_branch)

    def write(self, target: Target, publisher: BundlePublisher, result: Result) -> None:
        """Write the bundle of a piece of work that ended so."""
        publisher.write(self.directory / target.key, result)

    def read(self, target: Target) -> Bundle | None:
        """Return the bundle of a piece of work, None where the other job left none. Raises BundleRefused."""
        place = self.directory / target.key
        request = self._request(target)
        return read_bundle(place, run=self.run, key=request.key, request=request) if place.is_dir() else None

    def find_base(self, forge: Forge, head: str) -> str:
        """Return the commit that the other job worked on, if the default branch holds it, else the branch's newest.

        It is the other job's word; what is proven and published on it is judged by the newest commit's settings.
        """
        claimed = {self._base_of(place) for place in self._places()} - {"", head}
        return next((base for base in sorted(claimed) if _holds(forge, head, base)), head)

    def _places(self) -> list[Path]:
        there = self.directory.is_dir() and not self.directory.is_symlink()
        return sorted(self.directory.iterdir())[:MOST_BUNDLES] if there else []

    def _base_of(self, place: Path) -> str:
        try:
            files = read_files(place, CAPS, optional=frozenset(CAPS) - {MANIFEST})
            return Manifest.model_validate_json(files[MANIFEST]).base
        except (BundleRefused, ValidationError):
            return ""

    def _request(self, target: Target) -> Request:
        """Return the chore in the form of a request, which is what a bundle is for."""
        return Request(
            repository=target.clone.ground.facts.full_name,
            event="schedule",
            verb="maintain",
            instruction=target.chore.name,
            thread="issue",
            number=0,
            requester="",
            author="",
            title="",
            body="",
            made=self.made,
            occasion=target.key,
        )


def _holds(forge: Forge, head: str, base: str) -> bool:
    try:
        return not forge.commits(head, base)
    except GithubFailed:
        return False
