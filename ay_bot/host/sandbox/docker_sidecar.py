"""The proxy beside a box on a Docker engine: a container on a bridge of its own, and a volume with its socket."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from ay_bot.host.egress.door import Door
from ay_bot.host.egress.sidecar import MEMORY, OPEN_FILES, PROCESSES, TEMPORARY, Sidecar, SidecarSpec, program
from ay_bot.host.sandbox.attached import AttachedSocket
from ay_bot.host.sandbox.docker_calls import asking_to, if_possible
from ay_bot.host.sandbox.labels import labels
from ay_bot.host.sandbox.policy import new_uid
from ay_bot.host.sandbox.stream import BoxStream
from ay_bot.protocol.box_config import DOOR_PLACE

if TYPE_CHECKING:
    from docker import APIClient

DOOR_LABEL: Final = "ay.door"
SOCKET_VOLUME: Final = "size=256k,nr_inodes=8,mode=0755,nosuid,nodev,noexec"
GOING_SECONDS: Final = 5.0
Connect = Callable[[str], AbstractContextManager[AttachedSocket]]


@contextmanager
def open_sidecar(client: "APIClient", connect: Connect, image: str, spec: SidecarSpec) -> Iterator[Sidecar]:
    """Start the relay, and remove it with its network and its volume at the end of the with block."""
    name = f"ay-door-{secrets.token_hex(6)}"
    uid = new_uid()
    marks = {**labels(spec.run, spec.wall), DOOR_LABEL: "yes"}
    with ExitStack() as kept:
        network = "none" if spec.loopback_only else kept.enter_context(_network(client, name, marks))
        kept.enter_context(_volume(client, name, marks, uid))
        container = kept.enter_context(_container(client, _settings(client, name, network, image, uid), marks))
        transport = kept.enter_context(connect(container))
        stream = BoxStream(transport, lambda: None)
        kept.callback(stream.end)
        with asking_to("start the proxy"):
            client.start(container)
        yield Sidecar(Door(volume=name), stream, transport.errors.text)


@contextmanager
def _network(client: "APIClient", name: str, marks: dict[str, str]) -> Iterator[str]:
    options = {"com.docker.network.bridge.enable_icc": "false"}
    with asking_to("make a network for the proxy"):
        client.create_network(name, driver="bridge", options=options, labels=marks)
    try:
        yield name
    finally:
        _remove_when_free(lambda: client.remove_network(name))


@contextmanager
def _volume(client: "APIClient", name: str, marks: dict[str, str], uid: int) -> Iterator[None]:
    options = {"type": "tmpfs", "device": "tmpfs", "o": f"{SOCKET_VOLUME},uid={uid},gid={uid}"}
    with asking_to("make a volume for the proxy's socket"):
        client.create_volume(name, driver="local", driver_opts=options, labels=marks)
    try:
        yield
    finally:
        _remove_when_free(lambda: client.remove_volume(name))


def _remove_when_free(remove: Callable[[], None]) -> None:
    """Remove what a container used that may still be going: its relay ends by itself, too."""
    from docker.errors import APIError, NotFound

    for _ in range(int(GOING_SECONDS / 0.05)):
        with if_possible():
            try:
                remove()
            except NotFound:
                return
            except APIError:
                time.sleep(0.05)
                continue
        return


@contextmanager
def _container(client: "APIClient", settings: dict[str, Any], marks: dict[str, str]) -> Iterator[str]:
    with asking_to("make a container for the proxy"):
        container = str(client.create_container(**settings, labels=marks)["Id"])
    try:
        yield container
    finally:
        with if_possible():
            client.remove_container(container, v=True, force=True)


def _settings(client: "APIClient", name: str, network: str, image: str, uid: int) -> dict[str, Any]:
    """Return what runs, and the wall around it: all that boxes have but a network and the volume that it writes."""
    from docker.types import LogConfig, Mount, Ulimit

    host = client.create_host_config(
        network_mode=network,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        ipc_mode="private",
        auto_remove=True,
        log_config=LogConfig(type="none"),
        pids_limit=PROCESSES,
        mem_limit=MEMORY,
        memswap_limit=MEMORY,
        shm_size=1024 * 1024,
        ulimits=[
            Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="fsize", soft=TEMPORARY, hard=TEMPORARY),
        ],
        tmpfs={"/tmp": f"rw,nosuid,nodev,noexec,size={TEMPORARY},uid={uid},gid={uid},mode=0700"},  # noqa: S108
        mounts=[Mount(target=DOOR_PLACE, source=name, type="volume")],
    )
    return {
        "image": image,
        "entrypoint": ["python3"],
        "command": program(),
        "user": f"{uid}:{uid}",
        "working_dir": "/",
        "hostname": "proxy",
        "stdin_open": True,
        "tty": False,
        "detach": False,
        "healthcheck": {"test": ["NONE"]},
        "stop_signal": "SIGKILL",
        "host_config": host,
    }
