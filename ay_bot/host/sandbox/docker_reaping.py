"""What dead runs left on a Docker engine: containers, volumes and networks that carry our labels."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ay_bot.host.image import REPOSITORY, runtime_volume
from ay_bot.host.sandbox.docker_calls import asking_to, if_possible
from ay_bot.host.sandbox.labels import RUN_LABEL, is_left

if TYPE_CHECKING:
    from docker import APIClient

RUNTIME_LABEL: Final = "ay.runtime"
OURS: Final = {"label": RUN_LABEL}


def reap(client: "APIClient") -> list[str]:
    """Remove what owners that are dead left behind, and what is overdue, and return the names.

    Containers go first, since they hold the others.
    """
    containers = list(_reap_containers(client))
    return [*containers, *_reap_networks(client), *_reap_volumes(client), *_reap_runtimes(client)]


def _reap_containers(client: "APIClient") -> Iterator[str]:
    with asking_to("list its boxes"):
        found = client.containers(all=True, filters=OURS)
    for container in found:
        if is_left(container["Labels"]):
            with if_possible():
                client.remove_container(container["Id"], v=True, force=True)
            yield container["Id"][:12]


def _reap_networks(client: "APIClient") -> Iterator[str]:
    with if_possible():
        for network in client.networks(filters=OURS):
            if is_left(network["Labels"]):
                with if_possible():
                    client.remove_network(network["Id"])
                    yield str(network["Name"])


def _reap_volumes(client: "APIClient") -> Iterator[str]:
    with if_possible():
        for volume in client.volumes(filters=OURS)["Volumes"] or []:
            if is_left(volume["Labels"]):
                with if_possible():  # it may be in use by what could not be removed
                    client.remove_volume(volume["Name"])
                    yield str(volume["Name"])


def _reap_runtimes(client: "APIClient") -> Iterator[str]:
    with if_possible():
        found = client.volumes(filters={"label": RUNTIME_LABEL})["Volumes"] or []
        for name in (volume["Name"] for volume in found):
            if name != runtime_volume() and name.startswith(f"{REPOSITORY}-runtime-"):
                with if_possible():  # it may be in use by a run of another version
                    client.remove_volume(name)
                    yield name
