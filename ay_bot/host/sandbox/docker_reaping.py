"""What dead runs left on a Docker engine: containers, volumes and networks that carry our labels."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ay_bot.host.image import REPOSITORY, runtime_volume
from ay_bot.host.owner import is_alive
from ay_bot.host.sandbox.docker_calls import asking_to, if_possible
from ay_bot.host.sandbox.docker_sidecar import reap_doors
from ay_bot.host.sandbox.policy import OWNER_LABEL, RUN_LABEL, is_abandoned

if TYPE_CHECKING:
    from docker import APIClient

NETWORK_LABEL: Final = "ay.redteam"
RUNTIME_LABEL: Final = "ay.runtime"


def reap(client: "APIClient") -> list[str]:
    """Remove what owners that are dead left behind, and what is overdue, and return the names."""
    return [*_reap_containers(client), *reap_doors(client), *_reap_networks(client), *_reap_runtimes(client)]


def _reap_containers(client: "APIClient") -> Iterator[str]:
    with asking_to("list its boxes"):
        found = client.containers(all=True, filters={"label": RUN_LABEL})
    for container in found:
        labels = container["Labels"]
        if is_abandoned(labels, now=time.time(), alive=is_alive(labels.get(OWNER_LABEL, ""))):
            with if_possible():
                client.remove_container(container["Id"], v=True, force=True)
            yield container["Id"][:12]


def _reap_networks(client: "APIClient") -> Iterator[str]:
    with if_possible():
        for network in client.networks(filters={"label": NETWORK_LABEL}):
            if not is_alive(network["Labels"].get(OWNER_LABEL, "")):
                client.remove_network(network["Id"])
                yield str(network["Name"])


def _reap_runtimes(client: "APIClient") -> Iterator[str]:
    with if_possible():
        found = client.volumes(filters={"label": RUNTIME_LABEL})["Volumes"] or []
        for name in (volume["Name"] for volume in found):
            if name != runtime_volume() and name.startswith(f"{REPOSITORY}-runtime-"):
                with if_possible():  # it may be in use by a run of another version
                    client.remove_volume(name)
                    yield name
