"""A box seen from the outside: what the engine says of a container, item by item, and what /proc says of a process."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ay_bot.host.sandbox import BoxLimits
from ay_bot.host.sandbox.docker_facts import Kind
from ay_bot.host.sandbox.guarantees import Guarantee
from ay_bot.host.sandbox.self_check import DESCRIPTORS
from ay_bot.protocol.plain_messages import Observed

NOTHING: Final[tuple[object, ...]] = (None, "", [], {}, 0, False)
ABSENT: Final = (  # items that must be empty, whatever the engine calls empty
    "HostConfig.Binds", "HostConfig.Devices", "HostConfig.DeviceCgroupRules",
    "HostConfig.DeviceRequests", "HostConfig.ExtraHosts", "HostConfig.GroupAdd", "HostConfig.Init",
    "HostConfig.Links", "HostConfig.OomKillDisable", "HostConfig.PortBindings", "HostConfig.Privileged",
    "HostConfig.PublishAllPorts", "HostConfig.Sysctls", "HostConfig.VolumesFrom", "Config.Tty",
    "NetworkSettings.IPAddress", "NetworkSettings.GlobalIPv6Address", "NetworkSettings.Ports",
)  # fmt: skip
OWN_NAMESPACES: Final = ("HostConfig.PidMode", "HostConfig.UTSMode", "HostConfig.UsernsMode")
DOCKERS_WORDS: Final[Mapping[str, object]] = {"HostConfig.IpcMode": "private", "Config.StdinOnce": True}
"""What Podman says otherwise: any IPC namespace of a container's own is `shareable`, and the second is always False."""
PODMANS_RIGHTS: Final = frozenset(
    {
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
        "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
"""What Podman gives by default; where all is dropped it names these, or more."""
LIMITS: Final[Mapping[str, Guarantee]] = {
    "Memory": "memory", "MemorySwap": "memory", "PidsLimit": "processes", "NanoCpus": "cpu",
}  # fmt: skip
NAMESPACES: Final = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
MASKED: Final = frozenset({"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"})
READ_ONLY: Final = frozenset({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"})


@dataclass(frozen=True)
class ContainerPlan:
    """What the engine was asked to make."""

    limits: BoxLimits
    image: str
    user: str
    entrypoint: list[str]
    command: list[str]
    tmpfs: dict[str, str]
    volumes: frozenset[str]  # where a read-only volume may be mounted
    runtime: str = ""  # "" for the engine's default, whatever that is
    kind: Kind = "Docker"
    capabilities: frozenset[str] = frozenset()
    read_only: bool = True


class Container:
    """What an engine's inspection says of a container that was made and not started yet."""

    def __init__(self, said: Mapping[str, object]) -> None:
        self._said = said

    def item(self, path: str) -> object:
        """Return the item at a dotted path; None where there is none."""
        value: object = self._said
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def names(self, path: str) -> set[str]:
        """Return the members of a list, or the keys of an object, as text."""
        value = self.item(path)
        return set(map(str, value)) if isinstance(value, Collection) and not isinstance(value, str) else set()

    def differences(
        self, planned: ContainerPlan, *, uncapped: Collection[Guarantee] = (), swap_is_capped: bool = True
    ) -> list[str]:
        """Return what is otherwise than planned. `uncapped` is what this engine can't cap, and says so elsewhere."""
        wanted: dict[str, object] = {
            "HostConfig.NetworkMode": "none",
            "HostConfig.ReadonlyRootfs": planned.read_only,
            "HostConfig.AutoRemove": True,
            "HostConfig.LogConfig.Type": "none",
            "HostConfig.ShmSize": 16 * 1024 * 1024,
            "Config.OpenStdin": True,
            "Config.Healthcheck.Test": ["NONE"],
            "Config.User": planned.user,
            "Config.Entrypoint": planned.entrypoint,
            "Config.Cmd": planned.command,
        }
        wanted |= {"HostConfig.Runtime": planned.runtime} if planned.runtime else {}
        wanted |= DOCKERS_WORDS if planned.kind == "Docker" else {}
        wrong = [path for path, value in wanted.items() if self.item(path) != value]
        wrong += [path for path in ABSENT if self.item(path) not in NOTHING]
        own = NOTHING if planned.kind == "Docker" else (*NOTHING, "private", "shareable")
        wrong += [path for path in OWN_NAMESPACES if self.item(path) not in own]
        # An engine that keeps images of many platforms may tell the digest of the one that it took of them.
        wrong += ["Image"] if planned.image not in {self.item("Image"), self.item("Config.Image")} else []
        wrong += ["HostConfig.Tmpfs"] if self._places(planned.kind) != planned.tmpfs else []
        told = [f"{path} is {self.item(path)!r:.200}" for path in wrong]
        if (
            added := {name.upper().removeprefix("CAP_") for name in self.names("HostConfig.CapAdd")}
            ^ planned.capabilities
        ):
            told.append(f"HostConfig.CapAdd is not as planned: {', '.join(sorted(added))}")
        limits = self._limits(planned.limits, uncapped, swap_is_capped=swap_is_capped)
        return [*told, *limits, *self._lists(planned)]

    def _limits(self, limits: BoxLimits, uncapped: Collection[Guarantee], *, swap_is_capped: bool) -> list[str]:
        wanted = {
            "Memory": limits.memory,
            "MemorySwap": limits.memory,
            "PidsLimit": limits.pids,
            "NanoCpus": int(limits.cpus * 1e9),
        }
        return [
            f"HostConfig.{name} is {self.item(f'HostConfig.{name}')!r:.200}, not {value}"
            for name, value in wanted.items()
            if self.item(f"HostConfig.{name}") != value
            and LIMITS[name] not in uncapped
            and (swap_is_capped or name != "MemorySwap")
        ]

    def _places(self, kind: Kind) -> object:
        """Return the tmpfs; Podman adds how mounts propagate, and does not repeat that it copies nothing up."""
        places = self.item("HostConfig.Tmpfs")
        if kind == "Docker" or not isinstance(places, Mapping):
            return places
        return {place: str(options).removesuffix(",rprivate") + ",notmpcopyup" for place, options in places.items()}

    def _lists(self, planned: ContainerPlan) -> list[str]:
        found = []
        options = self.names("HostConfig.SecurityOpt")
        if not {"no-new-privileges:true", "no-new-privileges"} & options or any("unconfined" in one for one in options):
            found.append(f"HostConfig.SecurityOpt is {sorted(options)}")
        dropped = {name.upper().removeprefix("CAP_") for name in self.names("HostConfig.CapDrop")}
        if not ({"ALL"} if planned.kind == "Docker" else PODMANS_RIGHTS - planned.capabilities) <= dropped:
            found.append(f"HostConfig.CapDrop is {sorted(dropped)}")
        hidden = (("HostConfig.MaskedPaths", MASKED), ("HostConfig.ReadonlyPaths", READ_ONLY))
        for path, least in hidden if planned.kind == "Docker" else ():  # Podman doesn't tell; the box looks itself
            if missing := least - self.names(path):
                found.append(f"{path} lacks {', '.join(sorted(missing))}")
        if networks := self.names("NetworkSettings.Networks") - {"none"}:
            found.append(f"NetworkSettings.Networks has {', '.join(sorted(networks))}")
        return [*found, *self._mounts(planned.volumes)]

    def _mounts(self, volumes: frozenset[str]) -> list[str]:
        mounts = self.item("Mounts")
        return [
            f"Mounts has {mount.get('Type')} {mount.get('Source')} at {mount.get('Destination')}"
            for mount in (mounts if isinstance(mounts, list) else [])
            if mount.get("Destination") not in volumes or mount.get("Type") != "volume" or mount.get("RW")
        ]


def first_process(starter: int) -> int:
    """Return the host's number of a box's first process: the one child of the program that made the box."""
    children = Path(f"/proc/{starter}/task/{starter}/children").read_text(encoding="ascii").split()
    return int(children[0])


def read_process(pid: int) -> Observed:
    """Return what /proc shows of a process from here; what can't be seen from outside is as every box has it."""
    place = Path(f"/proc/{pid}")
    lines = (line.partition(":") for line in _read(place / "status").splitlines())
    return Observed(
        status={name: value.strip() for name, _, value in lines},
        mounts=tuple(map(_describe_mount, _read(place / "mountinfo").splitlines())),
        interfaces=tuple(line.partition(":")[0].strip() for line in _read(place / "net" / "dev").splitlines()[2:]),
        descriptors=DESCRIPTORS,
    )


def _describe_mount(line: str) -> str:
    before, _, after = line.partition(" - ")
    fields = before.split(" ")
    return f"{fields[4]} {fields[5]} {after.split(' ', 1)[0]}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="backslashreplace")


def shared_namespaces(pid: int) -> list[str]:
    """Return the namespaces that a process has in common with this one."""
    return [name for name in NAMESPACES if _namespace(str(pid), name) == _namespace("self", name)]


def _namespace(pid: str, name: str) -> str:
    return str(Path(f"/proc/{pid}/ns/{name}").readlink())
