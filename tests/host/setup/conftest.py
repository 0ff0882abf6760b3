"""A repository, an engine, and a run's steps up to what its boxes are made of."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ay_bot.host.boxes import Boxes
from ay_bot.host.checkout import Checkout, open_checkout
from ay_bot.host.config import Settings
from ay_bot.host.event_log import EventLog
from ay_bot.host.repository import open_repository
from ay_bot.host.sandbox import Sandbox
from ay_bot.host.setup import Ground
from ay_bot.host.setup.engine import KeptImages
from ay_bot.host.setup.preparing import Preparing, prepared, read_certificates
from ay_bot.host.site import Site, lay_out
from ay_bot.host.suite import SuiteResult
from ay_bot.protocol.events import BoxOpened, Noticed, Record, SetupRan
from tests.host.git_repositories import make_repository

FILES = {".gitignore": "node_modules/\n", "package-lock.json": "{}\n", "src.txt": "one\n"}


@dataclass
class Prepared:
    """What a run found out, and what it can do."""

    ground: Ground
    site: Site
    checkout: Checkout
    events: list[Record] = field(default_factory=list)

    def check(self) -> SuiteResult:
        """Run the test command on the head, in a box that verifies."""
        return self.site.runner.run(self.site.base_tree, "baseline")

    @property
    def boxes(self) -> list[str]:
        """The purposes of the boxes so far."""
        return [record.event.purpose for record in self.events if isinstance(record.event, BoxOpened)]

    @property
    def ran(self) -> list[SetupRan]:
        """The commands of the set-up, and the steps of a build."""
        return [record.event for record in self.events if isinstance(record.event, SetupRan)]

    @property
    def notices(self) -> str:
        """All that people are told."""
        return "\n".join(record.event.text for record in self.events if isinstance(record.event, Noticed))


Prepare = Callable[..., AbstractContextManager[Prepared]]


@pytest.fixture(scope="session")
def docker() -> Sandbox:
    from ay_bot.host.sandbox.docker import connect

    return connect(os.environ)


@pytest.fixture
def project(tmp_path: Path, docker: Sandbox) -> Iterator[Path]:
    """A repository; whatever images are kept of it are removed at the end."""
    directory = make_repository(tmp_path / "project", FILES)
    yield directory
    until = time.monotonic() + 20  # an engine may take a moment to forget the containers of an image
    while not remove_kept(KeptImages(docker), directory):
        assert time.monotonic() < until, "an image is still held"
        time.sleep(0.2)


def remove_kept(kept: KeptImages, repository: Path) -> bool:
    """Remove what is kept of a repository, and say whether all of it is gone."""
    return all(kept.remove(image) for image in kept.list() if image.repository == str(repository))


@pytest.fixture
def prepare(project: Path, docker: Sandbox, tmp_path: Path) -> Prepare:
    """Prepare what the boxes of one run are made of, with these settings."""

    @contextmanager
    def opened(*, trusted: str = "", sandbox: Sandbox | None = None, **settings: object) -> Iterator[Prepared]:
        events: list[Record] = []
        log = EventLog(f"t{secrets.token_hex(4)}", (events.append,))
        boxes = Boxes(sandbox or docker, log)
        scratch = tmp_path / secrets.token_hex(4)
        scratch.mkdir()
        said = Settings.model_validate(settings)
        with open_checkout(open_repository(project), scratch) as checkout:
            site = Preparing(
                boxes,
                checkout,
                trusted or checkout.repository.head,
                scratch,
                log,
                str(project),
                read_certificates(os.environ),
            )
            try:
                with prepared(site, said) as ground_of:
                    laid_out = lay_out(boxes, checkout, said, said.test, scratch, log, ground_of)
                    yield Prepared(ground_of(laid_out.base_tree), laid_out, checkout, events)
            finally:
                boxes.stop()

    return opened


def images_of(sandbox: Sandbox, project: Path) -> list[str]:
    """Return the keys of the images that are kept of a repository."""
    return [image.key for image in KeptImages(sandbox).list() if image.repository == str(project)]
