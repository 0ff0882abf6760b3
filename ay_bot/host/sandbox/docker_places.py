"""The places of a container that can be written, each capped exactly, in the words of the engine that makes it."""

from collections.abc import Sequence
from typing import Final

from ay_bot.host.runtime import PREFIX
from ay_bot.host.sandbox import MIB, BoxLimits
from ay_bot.host.sandbox.docker_facts import Kind

VOLUME_SIZE: Final = 16 * MIB
PODMANS_PLACES: Final = ("/run", "/var/tmp")  # noqa: S108 - Podman makes them writable unless told
PODMANS_OWN: Final = "ro,nosuid,nodev,noexec,size=65536,notmpcopyup"


def tmpfs(limits: BoxLimits, uid: int, volumes: Sequence[str], kind: Kind = "Docker") -> dict[str, str]:
    """Return what is mounted in memory, with its options; an image's volumes would be disks without a cap."""
    places = _dockers(limits, uid, volumes)
    if kind == "Docker":
        return places
    own = dict.fromkeys(PODMANS_PLACES, PODMANS_OWN)
    return {**own, **{place: _for_podman(options) for place, options in places.items()}}


def _for_podman(options: str) -> str:
    """Return options as Podman knows them: `U` makes the box's user the owner, and there is no cap on inodes."""
    kept = (option for option in options.split(",") if option.partition("=")[0] not in {"uid", "gid", "nr_inodes"})
    return ",".join((*kept, "U", "notmpcopyup"))


def _dockers(limits: BoxLimits, uid: int, volumes: Sequence[str]) -> dict[str, str]:
    base = f"rw,nosuid,nodev,exec,uid={uid},gid={uid}"
    places = {
        place: f"{base},mode=0755,size={VOLUME_SIZE},nr_inodes=4096"
        for place in volumes
        if place.startswith("/") and place.rstrip("/") not in {"", "/work", "/tmp", PREFIX}  # noqa: S108
    }
    places["/work"] = f"{base},mode=0755,size={limits.work},nr_inodes={limits.inodes}"
    mode = "0700" if uid else "1777"  # apt, as root, becomes another user
    places["/tmp"] = f"{base},mode={mode},size={limits.temporary},nr_inodes={limits.inodes // 4}"  # noqa: S108
    return places
