"""Which sandbox a run gets: Docker where an engine and the image are there, else bubblewrap, else none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.sandbox import Sandbox
from ay_bot.host.sandbox.guarantees import Guarantee, require_given, tell

Preference = Literal["auto", "docker", "bubblewrap"]
PREFERENCES: Final[tuple[Preference, ...]] = ("auto", "docker", "bubblewrap")


@dataclass(frozen=True)
class Wish:
    """What a box must be: of an image, in a runtime of the engine's; "" for the usual."""

    image: str = ""
    runtime: str = ""


def choose(
    preference: Preference,
    environment: Mapping[str, str],
    *,
    image: str = "",
    repository: Path | None = None,
    runtime: str = "",
    require: Iterable[Guarantee] = (),
) -> tuple[Sandbox, tuple[str, ...]]:
    """Return a driver that works here, and notices about what it can't give. Raises SandboxUnavailable.

    `repository` is never shown in a box, whatever the user's PATH says. A wall that lacks anything of `require` is
    refused.
    """
    sandbox, notices = _choose(preference, environment, Wish(image, runtime), repository)
    weaknesses = sandbox.weaknesses()
    require_given(require, weaknesses, sandbox.name)
    return sandbox, (*notices, *tell(weaknesses))


def parse_preference(word: str) -> Preference:
    """Return the sandbox that a user named. Raises UsageError."""
    wanted = next((one for one in PREFERENCES if one == word), None)
    if wanted is None:
        raise UsageError(f"there is no sandbox `{word}`", hint=f"choose one of {', '.join(PREFERENCES)}")
    return wanted


def _choose(
    preference: Preference, environment: Mapping[str, str], wish: Wish, repository: Path | None
) -> tuple[Sandbox, tuple[str, ...]]:
    if preference == "bubblewrap":
        return _bubblewrap(environment, repository, wish), ()
    try:
        return _docker(environment, wish), ()
    except SandboxUnavailable as no_docker:
        if preference == "docker" or wish.image or wish.runtime:  # bubblewrap has neither images nor runtimes
            raise
        return _instead(no_docker, environment, repository)


def _docker(environment: Mapping[str, str], wish: Wish) -> Sandbox:
    from ay_bot.host.sandbox.docker import connect

    sandbox = connect(environment, wish.runtime)
    sandbox.resolve_image(wish.image)
    if wish.image:
        sandbox.resolve_image("")  # its runtime comes from ours
    return sandbox


def _bubblewrap(environment: Mapping[str, str], repository: Path | None, wish: Wish) -> Sandbox:
    from ay_bot.host.sandbox.bubblewrap import find_bubblewrap

    if wish.runtime:
        msg = f"bubblewrap boxes have no runtime; they can't use {wish.runtime}"
        raise UsageError(msg, hint="leave the runtime out, or use a Docker engine (sandbox = docker)")
    sandbox = find_bubblewrap(environment, repository)
    sandbox.resolve_image(wish.image)
    return sandbox


def _instead(
    no_docker: SandboxUnavailable, environment: Mapping[str, str], repository: Path | None
) -> tuple[Sandbox, tuple[str, ...]]:
    try:
        sandbox = _bubblewrap(environment, repository, Wish())
    except SandboxUnavailable as no_bubblewrap:
        both = f"no box can be made here.\n- Docker: {no_docker.message}\n- bubblewrap: {no_bubblewrap.message}"
        engine_answers = "image" in no_docker.hint
        raise SandboxUnavailable(both, hint=no_docker.hint if engine_answers else no_bubblewrap.hint) from None
    return sandbox, (f"using bubblewrap, because {no_docker.message}",)
