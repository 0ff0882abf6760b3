"""The volume that carries our runtime into boxes of other images."""

from typing import TYPE_CHECKING, Final

from ay_bot.host.image import runtime_volume
from ay_bot.host.runtime import PREFIX
from ay_bot.host.sandbox.docker_reaping import RUNTIME_LABEL
from ay_bot.host.sandbox.labels import labels

if TYPE_CHECKING:
    from docker import APIClient

SECONDS: Final = 600.0
"""How long filling may take before whoever was filling counts as dead."""


def fill_runtime(client: "APIClient", image: str) -> None:
    """Have the engine copy our image's runtime into its volume, as it does for an empty one of a new container."""
    from docker.types import Mount

    volume = Mount(target=PREFIX, source=runtime_volume(), type="volume", labels={RUNTIME_LABEL: runtime_volume()})
    created = client.create_container(
        image=image,
        entrypoint=[f"{PREFIX}/bin/python3"],
        labels=labels("runtime", SECONDS),
        host_config=client.create_host_config(network_mode="none", mounts=[volume]),
    )
    client.remove_container(str(created["Id"]), force=True)
