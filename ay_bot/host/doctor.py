"""A look at this machine: which walls work here, what they can't give, and what dead runs left behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from ay_bot import __version__
from ay_bot.errors import SandboxUnavailable
from ay_bot.host.doctor_repository import RepositoryState, examine_repository
from ay_bot.host.egress import HostRule, NetworkPolicy, open_egress
from ay_bot.host.environment import environment
from ay_bot.host.image import image_name
from ay_bot.host.sandbox import DriverName, Sandbox
from ay_bot.host.sandbox.guarantees import Guarantee, Weakness, require_given
from ay_bot.host.scratch import reap_scratch
from ay_bot.protocol.conversation import Value

NO_HOST_OF_ANYBODYS: Final = NetworkPolicy(mode="allowlist", hosts=(HostRule(host="nobody.invalid"),))
DOOR_SECONDS: Final = 60.0


class DoorState(Value):
    """Whether boxes of a wall can have a door, which a network policy of `allowlist` needs; if not, why not."""

    opens: bool
    problem: str = ""
    hint: str = ""


class SandboxState(Value):
    """One kind of wall. `problem` and `hint` are empty where it works; `weaknesses` are what it can't give.

    `door` is None where none was tried.
    """

    name: DriverName
    usable: bool
    engine: str = ""
    runtimes: tuple[str, ...] = ()
    image: str = ""
    problem: str = ""
    hint: str = ""
    weaknesses: tuple[Weakness, ...] = ()
    door: DoorState | None = None


class Examination(Value):
    """What `ay-bot doctor` found. `removed` is what it cleaned up."""

    version: str
    default_image: str
    sandboxes: tuple[SandboxState, ...]
    removed: tuple[str, ...] = ()
    repository: RepositoryState | None = None

    @property
    def usable(self) -> bool:
        """Whether a box can be made at all."""
        return any(sandbox.usable for sandbox in self.sandboxes)


def examine(
    removed: tuple[str, ...] = (),
    repository: Path | None = None,
    require: tuple[Guarantee, ...] = (),
    *,
    try_doors: bool = True,
) -> Examination:
    """Look at each kind of wall, and at a repository where one is given; opening the doors takes a second or two."""
    return Examination(
        version=__version__,
        default_image=image_name(),
        sandboxes=tuple(_examine(name, connect, require, try_door=try_doors) for name, connect in _drivers().items()),
        removed=removed,
        repository=examine_repository(repository, environment()) if repository else None,
    )


def clean_up() -> tuple[str, ...]:
    """Remove the boxes, volumes and directories of runs that are dead, and return their names."""
    removed = reap_scratch()
    for connect in _drivers().values():
        try:
            removed += connect().reap()
        except SandboxUnavailable:
            continue  # nothing can be left in a wall that isn't there
    return tuple(removed)


def _drivers() -> dict[DriverName, Callable[[], Sandbox]]:
    def docker() -> Sandbox:
        from ay_bot.host.sandbox.docker import connect

        return connect(environment())

    def bubblewrap() -> Sandbox:
        from ay_bot.host.sandbox.bubblewrap import find_bubblewrap

        return find_bubblewrap(environment(), Path.cwd())

    return {"docker": docker, "bubblewrap": bubblewrap}


def _examine(
    name: DriverName, connect: Callable[[], Sandbox], require: tuple[Guarantee, ...], *, try_door: bool
) -> SandboxState:
    try:
        sandbox = connect()
        image = sandbox.resolve_image("")
    except SandboxUnavailable as error:
        return SandboxState(name=name, usable=False, problem=error.message, hint=error.hint)
    engine, runtimes = _describe_engine(sandbox)
    state = SandboxState(
        name=name,
        usable=True,
        engine=engine,
        runtimes=runtimes,
        image=image,
        weaknesses=sandbox.weaknesses(),
        door=examine_door(sandbox) if try_door else None,
    )
    try:
        require_given(require, state.weaknesses, name)
    except SandboxUnavailable as error:
        return state.model_copy(update={"usable": False, "problem": error.message, "hint": error.hint})
    return state


def examine_door(sandbox: Sandbox) -> DoorState:
    """Open a door through which nobody asks for anything, and close it."""
    try:
        with open_egress(NO_HOST_OF_ANYBODYS, sandbox, run="doctor", wall=DOOR_SECONDS):
            return DoorState(opens=True)
    except SandboxUnavailable as error:
        return DoorState(opens=False, problem=error.message, hint=error.hint)


def _describe_engine(sandbox: Sandbox) -> tuple[str, tuple[str, ...]]:
    if sandbox.name != "docker":
        return "", ()
    from ay_bot.host.sandbox.docker import DockerSandbox

    return (sandbox.engine.name, sandbox.engine.runtimes) if isinstance(sandbox, DockerSandbox) else ("", ())
