"""What a driver tells the program in the box at its start, before there is a pipe to tell it over."""

from dataclasses import dataclass, field

from ay_bot.protocol.plain import Plain

DOOR_PLACE = "/run/ay"
DOOR_SOCKET = f"{DOOR_PLACE}/proxy.sock"
FORWARD_PORT = 3128
KEPT_PLACE = "/opt/ay-setup"
KEPT_HOME = "/tmp/home"  # noqa: S108 - of the box
"""Where an image keeps what its set-up made in the workspace and the home, and the home of boxes made of it."""


@dataclass(frozen=True, kw_only=True)
class ResourceLimits(Plain):
    """Limits that a driver without an engine leaves to the box itself; 0 leaves one as it is.

    `file_size`, `open_files`, `processes` and `data` are the kernel's, the latter for each process by itself.
    `memory`, `inodes` and `tasks` (processes and threads) are of the whole box and watched by its first process;
    `processors` is how many it may use.
    """

    file_size: int = 0
    open_files: int = 0
    processes: int = 0
    data: int = 0
    memory: int = 0
    inodes: int = 0
    tasks: int = 0
    processors: int = 0


@dataclass(frozen=True, kw_only=True)
class BoxConfig(Plain):
    """The first argument of the program in the box. Anybody in the box can read it: no secrets.

    `environment` is the whole environment of commands, `deadline` the seconds after which the box ends by itself.
    A box that is `only_for_checks` takes no work, and loads nothing of what an agent needs. With `forward`, its
    commands reach the proxy behind DOOR_SOCKET at 127.0.0.1, FORWARD_PORT. One that `installs` can be told to keep
    what that made.
    """

    workspace: str = "/work"
    temporary: str = "/tmp"  # noqa: S108 - of the box, where it is a file system of its own
    deadline: float
    filter: bool = True
    only_for_checks: bool = False
    forward: bool = False
    installs: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    limits: ResourceLimits = field(default_factory=ResourceLimits)
