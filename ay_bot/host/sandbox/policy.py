"""What a box of the Docker driver is created with: pure functions from a box's specification to the engine's terms."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from ay_bot.host.runtime import PREFIX, box_config, program
from ay_bot.host.sandbox import MIB, BoxLimits, BoxSpec
from ay_bot.host.sandbox.docker_facts import DOCKER, Engine
from ay_bot.host.sandbox.docker_places import PODMANS_PLACES, tmpfs
from ay_bot.host.sandbox.inspection import ContainerPlan
from ay_bot.host.sandbox.labels import labels
from ay_bot.host.sandbox.self_check import Plan
from ay_bot.protocol.box_config import DOOR_PLACE, ResourceLimits

FIRST_UID, LAST_UID = 20_000, 59_999  # one per box: limits and signals of the kernel count by uid
SHARED_MEMORY = 16 * MIB
ENGINES_OWN = frozenset({"/", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv", "/run/secrets"})
PODMANS_HIDDEN = frozenset({"/proc/sys", "/sys/firmware"})  # of what it hides it tells nothing from outside
PODMANS_MOUNTS = (*PODMANS_PLACES, "/etc/passwd", "/etc/group")  # it adds the box's user to these, read-only

# What an image may say to the commands in the box. All else of its environment is left out.
ALLOWED_VARIABLES = frozenset(
    {
        "BUNDLE_APP_CONFIG",
        "BUNDLE_PATH",
        "CARGO_HOME",
        "COMPOSER_HOME",
        "CONDA_PREFIX",
        "DOTNET_ROOT",
        "GEM_HOME",
        "GEM_PATH",
        "GOPATH",
        "GOROOT",
        "GOTOOLCHAIN",
        "GRADLE_HOME",
        "HEX_HOME",
        "JAVA_HOME",
        "LANG",
        "LC_ALL",
        "MAVEN_HOME",
        "MIX_HOME",
        "NODE_PATH",
        "NODE_VERSION",
        "PATH",
        "PKG_CONFIG_PATH",
        "PYTHONPATH",
        "PYTHON_VERSION",
        "RUSTUP_HOME",
        "SSL_CERT_FILE",
        "TZ",
        "VIRTUAL_ENV",
    }
)
LONGEST_VARIABLE = 4096
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INSTALLING = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""The capabilities that package managers need where they are root; see capabilities(7) for their numbers."""
INSTALLING_BITS = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 6 | 1 << 7
DANGEROUS_PREFIXES = ("LD_", "GLIBC_", "GCONV_", "MALLOC_")


@dataclass(frozen=True)
class Image:
    """What the driver has to know of an image: its digest, environment and volumes, and whether it is ours."""

    digest: str
    environment: tuple[str, ...]
    volumes: tuple[str, ...]
    is_ours: bool


class Creation(TypedDict):
    """The arguments of the engine's create call, without the host configuration."""

    image: str
    entrypoint: list[str]
    command: list[str]
    user: str
    environment: dict[str, str]
    labels: dict[str, str]


def command_environment(variables: Sequence[str]) -> dict[str, str]:
    """Return what the image's environment says to commands in the box: an allowlist of it."""
    pairs = (variable.partition("=") for variable in variables)
    chosen = {name: value for name, _, value in pairs if name in ALLOWED_VARIABLES and len(value) <= LONGEST_VARIABLE}
    return {"PATH": DEFAULT_PATH, **chosen}


def first_process_environment(variables: Sequence[str]) -> dict[str, str]:
    """Return what is set over the image's environment for the first process: nothing that steers its loader."""
    names = {variable.partition("=")[0] for variable in variables}
    empty = {name for name in names if name.startswith(DANGEROUS_PREFIXES)} | {"LD_PRELOAD", "LD_LIBRARY_PATH"}
    return dict.fromkeys(sorted(empty), "")


def creation(spec: BoxSpec, image: Image, uid: int, engine: Engine = DOCKER) -> Creation:
    """Return what to create: our program as the first process, and nothing of the image's own ideas of running."""
    config = box_config(spec, command_environment(image.environment), _soft_limits(spec.limits, engine))
    return Creation(
        image=image.digest,
        entrypoint=[f"{PREFIX}/bin/python3"],
        command=program(config),
        user=f"{uid}:{uid}",
        environment=first_process_environment(image.environment),
        labels=labels(spec.run, spec.limits.wall),
    )


def _soft_limits(limits: BoxLimits, engine: Engine) -> ResourceLimits:
    """Return what the box has to look after itself, because the engine can't cap it."""
    memory = limits.memory if "memory" in engine.uncapped else 0
    return ResourceLimits(
        processes=limits.pids if "processes" in engine.uncapped else 0,
        data=memory,
        memory=memory,
        inodes=limits.inodes if engine.kind == "Podman" else 0,
        processors=math.ceil(limits.cpus) if "cpu" in engine.uncapped else 0,
    )


def new_uid() -> int:
    """Return a uid for one box."""
    return FIRST_UID + secrets.randbelow(LAST_UID - FIRST_UID + 1)


def inspection_plan(spec: BoxSpec, image: Image, uid: int, engine: Engine = DOCKER, runtime: str = "") -> ContainerPlan:
    """Return what the engine must say of a box before it starts."""
    made = creation(spec, image, uid, engine)
    return ContainerPlan(
        limits=spec.limits,
        image=made["image"],
        user=made["user"],
        entrypoint=made["entrypoint"],
        command=made["command"],
        tmpfs=tmpfs(spec.limits, uid, image.volumes, engine.kind),
        runtime=runtime,
        kind=engine.kind,
        volumes=_volumes(spec, image),
        capabilities=frozenset(INSTALLING) if spec.installs else frozenset(),
        read_only=not spec.installs,
    )


def _volumes(spec: BoxSpec, image: Image) -> frozenset[str]:
    """Return where a box may have a volume, always read-only: our runtime, and the door to its proxy."""
    return frozenset({*(() if image.is_ours else (PREFIX,)), *((DOOR_PLACE,) if spec.door else ())})


def plan(spec: BoxSpec, image: Image, uid: int, engine: Engine = DOCKER) -> Plan:
    """Return what a box may see of itself."""
    writable = frozenset(tmpfs(BoxLimits(), uid, image.volumes))
    names = {variable.partition("=")[0] for variable in image.environment}
    return Plan(
        uid=uid,
        places=writable | ENGINES_OWN | _volumes(spec, image) | set(PODMANS_MOUNTS if engine.kind == "Podman" else ()),
        writable=writable,
        variables=frozenset(names | first_process_environment(image.environment).keys()),
        capabilities=0 if uid else INSTALLING_BITS,
        hidden=PODMANS_HIDDEN if engine.kind == "Podman" else frozenset(),
        layer=frozenset() if uid else ENGINES_OWN,
    )
