"""Where one run's boxes stand: what each is filled with, how large it is, and how the tests are run in it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ay_bot.host.boxes import Boxes
from ay_bot.host.checkout import Checkout
from ay_bot.host.config import Settings
from ay_bot.host.egress import NetworkPolicy, open_egress
from ay_bot.host.event_log import EventLog
from ay_bot.host.limits import limits_for
from ay_bot.host.sandbox import Box, BoxSpec
from ay_bot.host.setup import GroundOf
from ay_bot.host.suite import TestRunner

CLOSED: Final = NetworkPolicy()


@dataclass(frozen=True)
class Site:
    """Everything that boxes of this run are made of. `archive` is the tree that is worked on, as a tar file."""

    boxes: Boxes
    archive: Path
    base_tree: str
    spec: BoxSpec
    runner: TestRunner
    log: EventLog
    network: NetworkPolicy = CLOSED
    setup: str = ""

    @contextmanager
    def open_box(self) -> Iterator[Box]:
        """Open the agent's box, which is empty."""
        with ExitStack() as opened:
            with self.log.phase("box"):
                box = opened.enter_context(self.boxes.open(opened.enter_context(self._with_door())))
            yield box

    @contextmanager
    def _with_door(self) -> Iterator[BoxSpec]:
        """Open the way out that the agent's box may have, and yield the box's specification with it."""
        if not self.network.is_open():
            yield self.spec
            return
        attempts = self.boxes.attempts
        with open_egress(
            self.network,
            self.boxes,
            run=self.log.run,
            where="agent",
            wall=self.spec.limits.wall,
            tell=attempts.hear("agent"),
            overhear=attempts.overhear,
        ) as egress:
            environment = {**self.spec.environment, **egress.environment}
            yield self.spec.model_copy(update={"door": egress.door, "environment": environment})


def lay_out(  # noqa: PLR0913, PLR0917 - each is a fact of its own
    boxes: Boxes,
    checkout: Checkout,
    settings: Settings,
    command: str,
    scratch: Path,
    log: EventLog,
    ground_of: GroundOf,
) -> Site:
    """Write the tree that is worked on into `scratch`, and settle the sizes of the boxes."""
    head = checkout.repository.head
    archive = scratch / "base.tar"
    size = checkout.archive(head, archive)
    files = len(checkout.list_files(head))
    tree = checkout.tree_of(head)
    ground = ground_of(tree)
    limits = limits_for(settings.limits, wall=settings.timeout, archive_size=size, files=files)
    runner = TestRunner(
        boxes,
        checkout,
        run=log.run,
        image=ground.image,
        command=command,
        setup=ground.setup,
        timeout=settings.test_timeout,
        limits=limits,
        emit=log.emit,
        ground_of=ground_of,
    )
    spec = BoxSpec(run=log.run, purpose="agent", image=ground.image, environment=ground.environment, limits=limits)
    return Site(boxes, archive, tree, spec, runner, log, settings.network.agent, ground.setup)
