"""What a box of the Docker driver is created with: pure functions from a box's specification to the engine's terms."""

import math
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ay_bot.host.owner import this_process
from ay_bot.host.runtime import PREFIX, box_config, program
from ay_bot.host.sandbox import MIB, BoxLimits, BoxSpec
from ay_bot.host.sandbox.docker_facts import DOCKER, Engine
from ay_bot.host.sandbox.docker_places import PODMANS_PLACES, tmpfs
from ay_bot.host.sandbox.inspection import ContainerPlan
from ay_bot.host.sandbox.self_check import Plan
from ay_bot.protocol.box_config import DOOR_PLACE, ResourceLimits

RUN_LABEL = "ay.run"
OWNER_LABEL = "ay.owner"
NAMESPACE_LABEL = "ay.namespace"  # a pid means nothing to a reaper in another pid namespace
DEADLINE_LABEL = "ay.deadline"

FIRST_UID, LAST_UID = 20_000, 59_999  # one per box: limits and signals of the kernel count by uid
SHARED_MEMORY = 16 * MIB
ENGINES_OWN = frozenset({"/", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv", "/run/secrets"})
PODMANS_HIDDEN = frozenset({"/proc/sys", "/sys/firmware"})  # of what it hides it tells nothing from outside
PODMANS_MOUNTS = (*PODMANS_PLACES, "/etc/passwd", "/etc/group")  # it adds the box's user to these, read-only
GRACE = 60  # seconds that a host may need, after a box's own deadline, to remove it itself

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


def labels(spec: BoxSpec) -> dict[str, str]:
    """Return what the reaper needs to know of a box."""
    return {
        RUN_LABEL: spec.run,
        OWNER_LABEL: this_process(),
        NAMESPACE_LABEL: pid_namespace(),
        DEADLINE_LABEL: str(int(time.time() + spec.limits.wall + GRACE)),
    }


def pid_namespace() -> str:
    """Return the name of the namespace in which this process's pid means something."""
    return str(Path("/proc/self/ns/pid").readlink())


def creation(spec: BoxSpec, image: Image, uid: int, engine: Engine = DOCKER) -> Creation:
    """Return what to create: our program as the first process, and nothing of the image's own ideas of running."""
    config = box_config(spec, command_environment(image.environment), _soft_limits(spec.limits, engine))
    return Creation(
        image=image.digest,
        entrypoint=[f"{PREFIX}/bin/python3"],
        command=program(config),
        user=f"{uid}:{uid}",
        environment=first_process_environment(image.environment),
        labels=labels(spec),
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


def is_abandoned(found: Mapping[str, str], *, now: float, alive: bool) -> bool:
    """Say whether a box with these labels outlived its run: it is overdue, or its owner, as seen from here, is dead."""
    deadline = found.get(DEADLINE_LABEL, "")
    if not deadline.isdigit() or now > int(deadline):
        return True
    same_boot = found.get(OWNER_LABEL, "").partition(":")[0] == this_process().partition(":")[0]
    return same_boot and found.get(NAMESPACE_LABEL) == pid_namespace() and not alive
