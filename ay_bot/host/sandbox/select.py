"""Which sandbox a run gets: Docker where an engine and the image are there, else bubblewrap, else none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox import Sandbox

Preference = Literal["auto", "docker", "bubblewrap"]


def choose(
    preference: Preference, environment: Mapping[str, str], *, image: str = "", repository: Path | None = None
) -> tuple[Sandbox, tuple[str, ...]]:
    """Return a driver that works here, and notices about what it can't give. Raises SandboxUnavailable.

    `repository` is never shown in a box, whatever the user's PATH says.
    """
    if preference == "bubblewrap":
        chosen = _bubblewrap(environment, repository, image)
        return chosen, chosen.weaknesses()
    try:
        sandbox = _docker(environment, image)
        return sandbox, sandbox.weaknesses()
    except SandboxUnavailable as no_docker:
        if preference == "docker":
            raise
        if image:
            raise  # bubblewrap has no images
        return _instead(no_docker, environment, repository)


def _docker(environment: Mapping[str, str], image: str) -> Sandbox:
    from ay_bot.host.sandbox.docker import connect

    sandbox = connect(environment)
    sandbox.resolve_image(image)
    if image:
        sandbox.resolve_image("")  # its runtime comes from ours
    return sandbox


def _bubblewrap(environment: Mapping[str, str], repository: Path | None, image: str) -> Sandbox:
    from ay_bot.host.sandbox.bubblewrap import find_bubblewrap

    sandbox = find_bubblewrap(environment, repository)
    sandbox.resolve_image(image)
    return sandbox


def _instead(
    no_docker: SandboxUnavailable, environment: Mapping[str, str], repository: Path | None
) -> tuple[Sandbox, tuple[str, ...]]:
    try:
        sandbox = _bubblewrap(environment, repository, "")
    except SandboxUnavailable as no_bubblewrap:
        both = f"no box can be made here.\n- Docker: {no_docker.message}\n- bubblewrap: {no_bubblewrap.message}"
        engine_answers = "image" in no_docker.hint
        raise SandboxUnavailable(both, hint=no_docker.hint if engine_answers else no_bubblewrap.hint) from None
    return sandbox, (f"using bubblewrap, because {no_docker.message}", *sandbox.weaknesses())
