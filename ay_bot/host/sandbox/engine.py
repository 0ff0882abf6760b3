"""Where a Docker engine may listen, and whether one does: all that can be found out without its SDK."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ay_bot.errors import SandboxUnavailable

USUAL_PLACE: Final = Path("/var/run/docker.sock")
INSTEAD: Final = "install bubblewrap: apt-get install -y bubblewrap"
START_ENGINE: Final = f"start a Docker engine, or {INSTEAD}"


def find_engine(environment: Mapping[str, str]) -> str | None:
    """Return where an engine may listen, without talking to it: DOCKER_HOST, or the first socket that exists."""
    if host := environment.get("DOCKER_HOST"):
        return host
    places = [USUAL_PLACE]
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        places.append(Path(runtime) / "docker.sock")
    if home := environment.get("HOME"):
        places.append(Path(home) / ".docker" / "run" / "docker.sock")
    places += [Path(directory) / "podman" / "podman.sock" for directory in (runtime, "/run") if directory]
    return next((f"unix://{place}" for place in places if place.is_socket()), None)


def knock(address: str) -> None:
    """Find out, before the SDK is loaded, whether anybody listens on a unix socket and lets this user in."""
    if not address.startswith("unix://"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(address.removeprefix("unix://"))
        except PermissionError:
            msg = f"this user may not use the Docker engine at {address}"
            raise SandboxUnavailable(msg, hint=f"add the user to the engine's group (docker), or {INSTEAD}") from None
        except OSError as error:
            msg = f"no Docker engine answers at {address}: {error.strerror}"
            raise SandboxUnavailable(msg, hint=START_ENGINE) from error
