"""What a wall can be asked to give, and what one lacks: a closed set of names, each lack with a sentence for people."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.protocol.conversation import Value

Guarantee = Literal[
    "network", "rights", "files", "disk", "memory", "processes", "cpu", "inodes", "images", "kernel"
]  # fmt: skip
GUARANTEES: Final[Mapping[Guarantee, str]] = {
    "network": "a box has no network but its own loopback",
    "rights": "a box has no capabilities, can gain none, and makes only the system calls of a filter",
    "files": "a box sees nothing of the user's files",
    "disk": "what a box can write is capped, and a file in it",
    "memory": "what all of a box uses of memory is capped",
    "processes": "how many processes a box has is capped",
    "cpu": "how much processor time a box uses is capped",
    "inodes": "how many files a box makes is capped",
    "images": "boxes can be made of any image",
    "kernel": "a box has a kernel of its own between it and the machine's",
}
"""What each name means. The first four hold for every wall: a box without them is refused when it is made."""


class Weakness(Value):
    """Something that a wall can't give here: why, and what would give it.

    What is `usual` nobody expects of this kind of wall: `ay-bot doctor` tells it, and runs that don't require it
    don't.
    """

    lacks: Guarantee
    why: str
    instead: str
    usual: bool = False


OWN_KERNEL: Final = Weakness(
    lacks="kernel",
    why="boxes share this machine's kernel",
    instead="a Docker engine with gVisor or Kata Containers, and `--runtime runsc` or `--runtime kata`",
    usual=True,
)


def tell(weaknesses: Iterable[Weakness]) -> tuple[str, ...]:
    """Return what a run has to say of its wall, a sentence each."""
    return tuple(dict.fromkeys(weakness.why for weakness in weaknesses if not weakness.usual))


def parse_requirements(words: Iterable[str]) -> tuple[Guarantee, ...]:
    """Return the names in `words`, of which each may hold several with commas between. Raises UsageError."""
    names = dict.fromkeys(name.strip() for word in words for name in word.split(",") if name.strip())
    known = {one: one for one in get_args(Guarantee)}
    if unknown := [name for name in names if name not in known]:
        said = ", ".join(f"`{name[:40]}`" for name in unknown)
        raise UsageError(f"no wall gives {said}", hint=f"what can be required: {', '.join(known)}")
    return tuple(known[name] for name in names)


def require_given(required: Iterable[Guarantee], weaknesses: Iterable[Weakness], wall: str) -> None:
    """Raise SandboxUnavailable if a wall lacks anything that is required of it."""
    wanted = set(required)
    lacking = [weakness for weakness in weaknesses if weakness.lacks in wanted]
    if lacking:
        told = "\n".join(f"- {weakness.lacks}: {weakness.why}" for weakness in lacking)
        ways = "; ".join(f"for {weakness.lacks}: {weakness.instead}" for weakness in lacking)
        raise SandboxUnavailable(f"{wall} can't give here what is required:\n{told}", hint=ways)
