"""The images of a Docker engine: what a box can be made of, and our own, which is built where it may be."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ay_bot.errors import ImageUnavailable
from ay_bot.host.image import EGRESS_RECIPE, egress_image_name, image_name
from ay_bot.host.sandbox.box_image import (
    SECONDS,
    TARGET,
    base_of,
    find_sources,
    open_context,
    require_built,
)
from ay_bot.host.sandbox.docker_calls import asking_to
from ay_bot.host.sandbox.policy import Image

if TYPE_CHECKING:
    from docker import APIClient


class EngineImages:
    """The images of one engine, each looked up once."""

    def __init__(self, client: "APIClient", certificates: str = "") -> None:
        self._client = client
        self._certificates = certificates
        self._known: dict[str, Image] = {}

    def inspect(self, name: str) -> Image:
        """Return what the engine says of an image, or of our own for "". Raises ImageUnavailable."""
        if name not in self._known:
            wanted = name or image_name()
            if not name:
                self._make_own(wanted)
            self._known[name] = self._look_up(wanted, name)
        return self._known[name]

    def forget(self, name: str) -> None:
        """Look an image up anew the next time: what has this name may have changed."""
        self._known.pop(name, None)

    def inspect_egress(self) -> str:
        """Return the digest of the image that the proxy beside a box runs in. Raises ImageUnavailable."""
        name = egress_image_name()
        if name not in self._known:
            self._make_egress(name)
            self._known[name] = self._look_up(name, "", "scripts/build-image egress")
        return self._known[name].digest

    def _look_up(self, wanted: str, name: str, build: str = "make image") -> Image:
        from docker.errors import ImageNotFound

        with asking_to(f"describe the image {wanted}"):
            try:
                found = self._client.inspect_image(wanted)  # type: ignore[no-untyped-call]
            except ImageNotFound:
                hint = f"pull it first: docker pull {name}" if name else f"build it: {build}"
                msg = f"the image {wanted} is not on this Docker engine"
                raise ImageUnavailable(msg, hint=hint) from None
        config = found.get("Config") or {}
        return Image(
            digest=found["Id"],
            environment=tuple(config.get("Env") or ()),
            volumes=tuple(config.get("Volumes") or ()),
            is_ours=not {image_name(), f"localhost/{image_name()}"}.isdisjoint(
                (wanted, *(found.get("RepoTags") or ()))
            ),
        )

    def _make_own(self, name: str) -> None:
        """Build our own image if it is missing and this is the bot's image, which carries the sources."""
        if source := self._sources_for(name):
            with open_context(source, self._certificates) as context:
                self._build(name, source, {"fileobj": context, "custom_context": True, "target": TARGET})

    def _make_egress(self, name: str) -> None:
        """Build the proxy's image likewise; it needs nothing but its recipe."""
        if source := self._sources_for(name):
            self._build(name, source, {"fileobj": io.BytesIO(EGRESS_RECIPE.read_bytes())})

    def _sources_for(self, name: str) -> Path | None:
        """Return the sources of an image that is missing, if they are here."""
        source = find_sources()
        with asking_to(f"look for the image {name}"):
            return source if source is not None and not self._client.images(name, quiet=True) else None

    def _build(self, name: str, source: Path, recipe: Mapping[str, Any]) -> None:
        with asking_to(f"build the image {name}"):
            said = self._client.build(
                **recipe,
                tag=name,
                buildargs={"BASE": base_of(source)},
                rm=True,
                forcerm=True,
                decode=True,
                timeout=SECONDS,
            )
            require_built(said, name)
