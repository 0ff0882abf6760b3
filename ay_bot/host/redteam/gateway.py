"""A network of the battery's own on a Docker engine: what a box could reach if it were on one, the host's end of it."""

import contextlib
from collections.abc import Iterator

from ay_bot.host.redteam.targets import Targets
from ay_bot.host.sandbox import Sandbox
from ay_bot.host.sandbox.docker import DockerSandbox


@contextlib.contextmanager
def open_network(sandbox: Sandbox, targets: Targets) -> Iterator[None]:
    """Make a network and listen on its gateway, where there is an engine for it; otherwise there is nothing to do."""
    if not isinstance(sandbox, DockerSandbox):
        yield
        return
    with sandbox.own_network() as (name, gateway):
        targets.listen_on(name, gateway)
        yield
