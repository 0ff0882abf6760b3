"""The messages of what any box does, with or without an agent: say hello, take a seed, run the tests, end."""

from dataclasses import dataclass, field
from typing import Literal

from ay_bot.protocol.plain import Plain

PROTOCOL_VERSION = 1

# ----------------------------------------------------------------- host -> box


@dataclass(frozen=True, kw_only=True)
class Seed(Plain):
    """The workspace as a tar stream (body), unpacked into the empty /work. Then `setup` runs there, if given."""

    kind: Literal["seed"] = "seed"
    body_size: int
    setup: str = ""
    setup_timeout: float = 600.0


@dataclass(frozen=True, kw_only=True)
class Check(Plain):
    """Run the tests in the seeded workspace. `report` is where a JUnit file is looked for, outside the workspace."""

    kind: Literal["check"] = "check"
    command: str
    timeout: float
    report: str
    environment: dict[str, str] = field(default_factory=dict)
    live: int = 0  # so many bytes of the output are told as they come; what is left of the rest comes in the end


@dataclass(frozen=True, kw_only=True)
class Keep(Plain):
    """Put what the commands since the seed made in the workspace and the home where the image keeps it."""

    kind: Literal["keep"] = "keep"


@dataclass(frozen=True, kw_only=True)
class Exit(Plain):
    """End the box at once."""

    kind: Literal["exit"] = "exit"


# ----------------------------------------------------------------- box -> host


@dataclass(frozen=True, kw_only=True)
class Observed(Plain):
    """What a box's first process sees around itself at its start, before it reads a byte that anybody else wrote."""

    status: dict[str, str] = field(default_factory=dict)  # of /proc/self/status: who it is, and its rights
    mounts: tuple[str, ...] = ()  # place, options and kind, a space between them
    interfaces: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()  # names of what it was started with
    descriptors: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hello(Plain):
    """The first message of a box: what runs inside."""

    kind: Literal["hello"] = "hello"
    protocol: int
    pid: int
    uid: int
    python: str
    programs: tuple[str, ...] = ()  # which of git, rg, sh the image has
    observed: Observed = field(default_factory=Observed)


@dataclass(frozen=True, kw_only=True)
class Seeded(Plain):
    """The workspace is unpacked and set up; `setup_output` holds the tail of a failed set-up."""

    kind: Literal["seeded"] = "seeded"
    files: int
    setup_exit_code: int = 0
    setup_output: str = ""


@dataclass(frozen=True, kw_only=True)
class Wrote(Plain):
    """The next bytes that the command wrote, as the body: before `Checked`, and no more than `live` in all."""

    kind: Literal["wrote"] = "wrote"
    body_size: int


@dataclass(frozen=True, kw_only=True)
class Checked(Plain):
    """The tests ran. The body is the JUnit file, empty where none was written; `output` has head and tail."""

    kind: Literal["checked"] = "checked"
    exit_code: int
    timed_out: bool = False
    seconds: float
    output: str
    body_size: int = 0


@dataclass(frozen=True, kw_only=True)
class Kept(Plain):
    """The image keeps so much. `touched` names files of the seed that were changed: that much is not kept."""

    kind: Literal["kept"] = "kept"
    files: int
    size: int
    touched: tuple[str, ...] = ()
    touched_in_all: int = 0


@dataclass(frozen=True, kw_only=True)
class BoxFailed(Plain):
    """The program in the box met an error of its own and ends."""

    kind: Literal["box_failed"] = "box_failed"
    message: str
