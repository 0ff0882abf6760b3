"""Boxes that a Docker engine makes: each is a container, attached before it starts and removed at its end."""

import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.egress.sidecar import Sidecar, SidecarSpec
from ay_bot.host.sandbox import BoxSpec, DriverName
from ay_bot.host.sandbox.attached import AttachedSocket
from ay_bot.host.sandbox.box import RunningBox
from ay_bot.host.sandbox.docker_calls import asking_to, if_possible
from ay_bot.host.sandbox.docker_connection import open_client
from ay_bot.host.sandbox.docker_ending import find_ending, own_words
from ay_bot.host.sandbox.docker_facts import Engine, parse_engine
from ay_bot.host.sandbox.docker_images import EngineImages
from ay_bot.host.sandbox.docker_reaping import reap
from ay_bot.host.sandbox.docker_runtime import fill_runtime
from ay_bot.host.sandbox.docker_settings import container_settings, host_settings
from ay_bot.host.sandbox.docker_sidecar import open_sidecar
from ay_bot.host.sandbox.ending import explain_ending
from ay_bot.host.sandbox.guarantees import Weakness
from ay_bot.host.sandbox.inspection import Container
from ay_bot.host.sandbox.labels import labels
from ay_bot.host.sandbox.policy import Image, inspection_plan, new_uid, plan
from ay_bot.host.sandbox.self_check import differences, require_none
from ay_bot.host.sandbox.stream import BoxStream

if TYPE_CHECKING:
    from docker import APIClient

LONGEST_EXPERIMENT: Final = 24 * 3600.0


class DockerSandbox:
    """Boxes are containers without network, rights or disk, made of any image that the engine has."""

    name: DriverName = "docker"

    def __init__(self, client: "APIClient", certificates: str = "", runtime: str = "") -> None:
        self._client = client
        self._runtime = runtime
        self._images = EngineImages(client, certificates)
        finalize(self, client.close)
        self._runtime_is_ready = False

    def resolve_image(self, image: str) -> str:
        """Return the digest of `image`, or of our own for ""."""
        return self._images.inspect(image).digest

    @property
    def client(self) -> "APIClient":
        """The engine itself, for what is done with images."""
        return self._client

    @property
    def images(self) -> EngineImages:
        """The images of the engine."""
        return self._images

    @cached_property
    def engine(self) -> Engine:
        """What the engine says of itself."""
        with asking_to("describe itself"):
            return parse_engine(self._client.info(), self._client.version())

    @property
    def runtime(self) -> str:
        """The engine's runtime that boxes run in; "" for its default."""
        return self._runtime

    def weaknesses(self) -> tuple[Weakness, ...]:
        """Return what this engine can't give: one without rights to control groups ignores limits silently."""
        return tuple(self.engine.weaknesses(self._runtime))

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[RunningBox]:
        """Make a box, wait for its Hello, and remove it at the end."""
        image = self._images.inspect(spec.image)
        uid = new_uid()
        if spec.installs:  # root could change our runtime where it is part of the image
            image, uid = replace(image, is_ours=False), 0
        with asking_to("make a box"):
            if not image.is_ours:
                self._fill_runtime()
            container = self._create(spec, image, uid)
        try:
            self._inspect_box(container, spec, image, uid)
            with self._connected(container) as transport:
                began = time.monotonic()
                stream = BoxStream(transport, lambda: self._explain(container, spec, transport, began))
                try:
                    with asking_to("start the box"):
                        self._client.start(container)
                    box = RunningBox(container[:12], image.digest, stream)
                    box.wait_for_hello()
                    self._check_from_within(box, spec, image, uid)
                    yield box
                finally:
                    stream.end()
        finally:
            with if_possible():
                self._client.remove_container(container, v=True, force=True)

    def reap(self) -> list[str]:
        """Remove what owners that are dead left on this engine, and what is overdue."""
        return reap(self._client)

    def open_sidecar(self, spec: SidecarSpec) -> AbstractContextManager[Sidecar]:
        """Start the relay of a door in a container beside the boxes; see docker_sidecar."""
        if self.engine.kind == "Podman":
            msg = f"a network policy of `allowlist` is not supported on this engine ({self.engine.name})"
            raise SandboxUnavailable(msg, hint="use a Docker engine or bubblewrap, or the policy `none`")
        return open_sidecar(self._client, self._connected, self._images.inspect_egress(), spec)

    @contextmanager
    def own_network(self) -> Iterator[tuple[str, str]]:
        """Make a network without a way out, yield its name and its gateway, and remove it: a target for experiments."""
        name = f"ay-redteam-{secrets.token_hex(4)}"
        marks = labels(name, LONGEST_EXPERIMENT)
        with asking_to("make a network"):
            self._client.create_network(name, driver="bridge", internal=True, labels=marks)
            described = self._client.inspect_network(name)
        try:
            yield name, str(described["IPAM"]["Config"][0]["Gateway"])
        finally:
            with if_possible():
                self._client.remove_network(name)

    def _create(self, spec: BoxSpec, image: Image, uid: int) -> str:
        host = self._client.create_host_config(**self._host_settings(spec, image, uid))
        created = self._client.create_container(**self._container_settings(spec, image, uid), host_config=host)
        return str(created["Id"])

    def _container_settings(self, spec: BoxSpec, image: Image, uid: int) -> dict[str, Any]:
        """Return what runs in the box; the red team's driver changes it."""
        return container_settings(spec, image, uid, self.engine)

    def _host_settings(self, spec: BoxSpec, image: Image, uid: int) -> dict[str, Any]:
        """Return the wall; the red team's driver takes parts of it away."""
        return host_settings(spec, image, uid, self.engine, self._runtime)

    def _inspect_box(self, container: str, spec: BoxSpec, image: Image, uid: int) -> None:
        """Have the engine say what it made, before it starts, and compare it with the policy item by item."""
        with asking_to("describe the box"):
            said = Container(self._client.inspect_container(container))
        planned = inspection_plan(spec, image, uid, self.engine, self._runtime)
        found = said.differences(planned, uncapped=self.engine.uncapped, swap_is_capped=self.engine.swap_is_capped)
        require_none(found, "outside")

    def _check_from_within(self, box: RunningBox, spec: BoxSpec, image: Image, uid: int) -> None:
        require_none(differences(box.hello.observed, plan(spec, image, uid, self.engine)), "within")

    @contextmanager
    def _connected(self, container: str) -> Iterator[AttachedSocket]:
        """Attach to a container, before it starts so that no output is lost."""
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        with asking_to("attach to the box"):
            attached = self._client.attach_socket(container, streams)
        raw = getattr(attached, "_sock", attached)
        if not isinstance(raw, socket.socket):
            msg = f"the engine is reached over a {type(raw).__name__}, which can't be shut in the middle of a stream"
            raise SandboxUnavailable(msg, hint="set DOCKER_HOST to a unix socket, a TCP or a TLS address")
        raw.settimeout(None)
        holder = getattr(attached, "_response", attached) if attached is raw else attached  # over TLS, the answer
        with closing(attached), raw, closing(holder):
            yield AttachedSocket(raw)

    def _explain(self, container: str, spec: BoxSpec, transport: AttachedSocket, began: float) -> None:
        """Raise why a box ended by itself."""
        overdue = time.monotonic() - began >= spec.limits.wall
        status, out_of_memory = find_ending(self._client, self.engine.kind, container, overdue=overdue)
        explain_ending(status, own_words(transport.errors.text()), spec.limits, out_of_memory=out_of_memory)

    def _fill_runtime(self) -> None:
        if not self._runtime_is_ready:
            fill_runtime(self._client, self._images.inspect("").digest)
            self._runtime_is_ready = True


def connect(environment: Mapping[str, str], runtime: str = "") -> DockerSandbox:
    """Return a driver for the engine that answers, or raise SandboxUnavailable."""
    certificates = environment.get("REQUESTS_CA_BUNDLE") or environment.get("SSL_CERT_FILE", "")
    sandbox = DockerSandbox(open_client(environment), certificates, runtime)
    if runtime:
        sandbox.engine.require_runtime(runtime)
    return sandbox
