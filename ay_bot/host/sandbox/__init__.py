"""What every sandbox driver gives: a fresh, locked-down box with one pipe to it, and nothing left when it is gone."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, Protocol

from ay_bot.host.egress.door import Door
from ay_bot.host.sandbox.guarantees import Weakness
from ay_bot.protocol.channel import Channel
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import BoxToHost
from ay_bot.protocol.plain_messages import Hello

if TYPE_CHECKING:
    from ay_bot.host.egress.sidecar import Sidecar, SidecarSpec

DriverName = Literal["docker", "bubblewrap"]
MIB = 1024 * 1024


class BoxLimits(Value):
    """What one box may use. Sizes are bytes, times seconds."""

    memory: int = 4096 * MIB  # includes /work and /tmp, which are in memory
    cpus: float = 2.0
    pids: int = 512
    work: int = 2048 * MIB
    temporary: int = 512 * MIB
    inodes: int = 400_000
    file_size: int = 1024 * MIB
    open_files: int = 4096
    wall: float = 3600.0


class BoxSpec(Value):
    """A box to make: `purpose` names it for people, `run` labels it for the reaper.

    A box that is `only_for_checks` takes no work; it is small, because it loads no agent. `environment` is added
    to that of its commands; anybody in the box can read it. `door` is its one way to a proxy; see host/egress.
    A box that `installs` is root of a file system that it can write: what set-up commands need, and no model sees.
    """

    run: str
    purpose: str
    only_for_checks: bool = False
    image: str = ""
    limits: BoxLimits = BoxLimits()
    environment: dict[str, str] = {}
    door: Door | None = None
    installs: bool = False


class Box(Protocol):
    """A running box. Its program has said hello; from here on everything it says is a message on `channel`."""

    name: str
    image: str  # digest or name of what the box was made of
    hello: Hello
    channel: Channel[BoxToHost]

    def kill(self) -> None:
        """End the box now, from any thread; a blocked receive() then ends with Closed or ProtocolBroken."""
        ...


class Sandbox(Protocol):
    """A driver: one kind of wall."""

    name: DriverName

    def resolve_image(self, image: str) -> str:
        """Return the digest of the image that `image` names ("" for the default), or raise ImageUnavailable."""
        ...

    def open(self, spec: BoxSpec) -> AbstractContextManager[Box]:
        """Make a box, wait for its Hello, and remove it at the end of the with block, however that ends."""
        ...

    def weaknesses(self) -> tuple[Weakness, ...]:
        """Return what this wall can't give here."""
        ...

    def open_sidecar(self, spec: "SidecarSpec") -> "AbstractContextManager[Sidecar]":
        """Start the relay of a door beside the boxes, and remove it at the end of the with block; see host/egress."""
        ...

    def reap(self) -> list[str]:
        """Remove what dead or overdue runs left behind, and return its names."""
        ...
