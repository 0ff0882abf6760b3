"""Set-up images on a Docker engine: found, kept, listed and removed, and who works on one alone."""

import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.image import REPOSITORY
from ay_bot.host.sandbox.docker_calls import asking_to, if_possible
from ay_bot.host.sandbox.labels import DEADLINE_LABEL, NAMESPACE_LABEL, OWNER_LABEL, RUN_LABEL, labels
from ay_bot.protocol.box_config import KEPT_PLACE
from ay_bot.protocol.conversation import Value

if TYPE_CHECKING:
    from ay_bot.host.sandbox.docker import DockerSandbox

KEPT_REPOSITORY: Final = f"{REPOSITORY}-setup"
KEY_LABEL: Final = "ay.setup"
SOURCE_LABEL: Final = "ay.setup.of"
BASE_LABEL: Final = "ay.setup.base"
CERTIFICATES: Final = f"{KEPT_PLACE}/certificates.pem"
PATIENCE: Final = 1800
"""Seconds that writing a layer may take, and that one run waits for another that builds the same image."""
MOST_KEPT: Final = 8
NAME_TAKEN: Final = 409
NOBODY: Final = {RUN_LABEL: "", OWNER_LABEL: "", NAMESPACE_LABEL: "", DEADLINE_LABEL: "99999999999"}
"""Over the labels of the container that an image is made of: what is made of it by hand is not a left-over of ours."""


class KeptImage(Value):
    """An image of ours on this engine. `made` is seconds since 1970, `size` bytes with what it is based on."""

    name: str
    digest: str
    key: str
    repository: str
    base: str
    made: int
    size: int
    in_use: bool


class KeptImages:
    """The set-up images of one engine."""

    def __init__(self, sandbox: "DockerSandbox") -> None:
        self._sandbox = sandbox
        self._client = sandbox.client

    def find(self, key: str) -> str:
        """Return the name of the image with this key, "" where there is none."""
        name = f"{KEPT_REPOSITORY}:{key}"
        self._sandbox.images.forget(name)
        with asking_to("list its images"):
            return name if self._client.images(name, quiet=True) else ""

    def list(self) -> tuple[KeptImage, ...]:
        """Return all of them, the newest first."""
        with asking_to("list its images"):
            found = self._client.images(filters={"label": KEY_LABEL})
            used = {container["ImageID"] for container in self._client.containers(all=True)}
        kept = [_read(image, in_use=image["Id"] in used) for image in found if _name_of(image)]
        return tuple(sorted(kept, key=lambda image: (-image.made, image.name)))

    def keep(self, container: str, key: str, *, repository: str, base: str) -> str:
        """Make an image of a box as it is now, and return its name."""
        told = {**NOBODY, KEY_LABEL: key, SOURCE_LABEL: repository, BASE_LABEL: base}
        # Nothing of how the box was started is left: boxes made of it say all of that themselves.
        reset = 'ENTRYPOINT ["/bin/sh"]\nUSER root\nWORKDIR /\nHEALTHCHECK NONE'
        with asking_to("keep what the set-up made"), self._patience():
            self._client.commit(
                container, repository=KEPT_REPOSITORY, tag=key, changes=reset, conf={"Labels": told}, message="set-up"
            )
        return f"{KEPT_REPOSITORY}:{key}"

    def remove(self, image: KeptImage) -> bool:
        """Remove an image unless a container is made of it; say whether it is gone."""
        if image.in_use:
            return False
        with if_possible():
            self._client.remove_image(image.name, force=False, noprune=False)
        return not self.find(image.key)

    def prune(self, most: int = MOST_KEPT, older_than: float = 0.0) -> tuple[KeptImage, ...]:
        """Remove those beyond the newest `most`, and those older than so many seconds (0 for any age)."""
        now = time.time()
        old = [
            image
            for number, image in enumerate(self.list())
            if number >= most or (older_than and now - image.made > older_than)
        ]
        return tuple(image for image in old if self.remove(image))

    def layer_size(self, container: str) -> int:
        """Return how many bytes a box has written to its own layer."""
        with asking_to("measure a box"):
            found = self._client.containers(all=True, size=True, filters={"id": container})
        return int(found[0].get("SizeRw") or 0) if found else 0

    def put_certificates(self, container: str, bundle: bytes) -> None:
        """Put a bundle of certificates into a box that installs; it is gone from what is kept."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo(CERTIFICATES.removeprefix("/"))
            entry.size, entry.mode = len(bundle), 0o644
            tar.addfile(entry, io.BytesIO(bundle))
        with asking_to("put certificates into a box"):
            self._client.put_archive(container, "/", packed.getvalue())

    @contextmanager
    def hold(self, name: str, run: str) -> Iterator[None]:
        """Keep an image from being pruned while the with block runs: a container is made of it, and never started."""
        with asking_to("hold an image"):
            held = self._make_marker(name, run, container_name=None)
        try:
            yield
        finally:
            self._remove_marker(held)

    @contextmanager
    def alone(self, key: str, run: str) -> Iterator[None]:
        """Wait until nobody else builds the image of this key, on whatever machine; the engine keeps names unique."""
        marker = self._wait_for_turn(f"{KEPT_REPOSITORY}-{key}", run)
        try:
            yield
        finally:
            self._remove_marker(marker)

    def _wait_for_turn(self, name: str, run: str) -> str:
        end = time.monotonic() + PATIENCE
        wait = 0.2
        while time.monotonic() < end:
            try:
                with asking_to("mark an image as being built"):
                    return self._make_marker("", run, container_name=name)
            except SandboxUnavailable as error:
                if getattr(error.__cause__, "status_code", 0) != NAME_TAKEN:
                    raise
            self._sandbox.reap()
            time.sleep(wait)
            wait = min(2.0, wait * 1.5)
        what = f"another run has been building the set-up image of container {name} for more than {PATIENCE:.0f} s"
        raise SandboxUnavailable(what, hint=f"end that run; if there is none, docker rm {name}")

    def _make_marker(self, image: str, run: str, *, container_name: str | None) -> str:
        created = self._client.create_container(
            image=self._sandbox.resolve_image(image),
            entrypoint=["/never-started"],
            name=container_name,
            labels=labels(run, PATIENCE * 4),
            host_config=self._client.create_host_config(network_mode="none"),
        )
        return str(created["Id"])

    def _remove_marker(self, container: str) -> None:
        with if_possible():
            self._client.remove_container(container, v=True, force=True)

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Have the engine's client wait longer; nothing else goes on between a run and its engine meanwhile."""
        before, self._client.timeout = self._client.timeout, PATIENCE
        try:
            yield
        finally:
            self._client.timeout = before


def _name_of(image: Mapping[str, object]) -> str:
    tags = image.get("RepoTags")
    names = [str(tag) for tag in tags] if isinstance(tags, list) else []
    return next((name for name in names if name.startswith(f"{KEPT_REPOSITORY}:")), "")


def _read(image: Mapping[str, object], *, in_use: bool) -> KeptImage:
    said = image.get("Labels")
    told = {str(name): str(value) for name, value in said.items()} if isinstance(said, Mapping) else {}
    return KeptImage(
        name=_name_of(image),
        digest=str(image["Id"]),
        key=told.get(KEY_LABEL, "")[:100],
        repository=told.get(SOURCE_LABEL, "")[:500],
        base=told.get(BASE_LABEL, "")[:500],
        made=int(str(image.get("Created", 0))),
        size=int(str(image.get("Size", 0))),
        in_use=in_use,
    )
