"""What a driver tells the program in the box at its start, before there is a pipe to tell it over."""

from ay_bot.protocol.conversation import Value


class ResourceLimits(Value):
    """Limits per process that a driver without an engine leaves to the box itself; 0 leaves one as it is."""

    file_size: int = 0
    open_files: int = 0
    processes: int = 0
    data: int = 0


class BoxConfig(Value):
    """The first argument of the program in the box. Anybody in the box can read it: no secrets.

    `environment` is the whole environment of commands, `deadline` the seconds after which the box ends by itself.
    """

    workspace: str = "/work"
    temporary: str = "/tmp"  # noqa: S108 - of the box, where it is a file system of its own
    deadline: float
    filter: bool = True
    environment: dict[str, str] = {}
    limits: ResourceLimits = ResourceLimits()
