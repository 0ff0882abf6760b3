"""What a run can leave on a machine, by kind, and how each kind is found and known to be that run's own."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ay_bot.host.owner import is_alive

if TYPE_CHECKING:
    from docker import APIClient

OWNER_LABEL = "ay.owner"
GROUPS = Path("/sys/fs/cgroup")
KINDS = (
    "processes", "containers", "volumes", "networks", "images", "mounts", "control groups", "temporary files",
    "home files", "sockets", "locks", "repository",
)  # fmt: skip

Traces = Mapping[str, list[str]]


@dataclass
class Known:
    """What belongs to one run: who owns it, where it may write, and what its containers were called."""

    owner: str
    directory: Path
    allowed: frozenset[Path]
    marks: set[str] = field(default_factory=set)  # names of containers and of their file systems


def look(known: Known, engine: "APIClient | None") -> Traces:
    """Return all that is there of a run, by kind. Processes are all below this one: it adopts orphans."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    found["processes"] = [f"{pid} {name}" for pid, name in descendants()]
    if engine:
        found |= _of_engine(known, engine)
    found["mounts"] = list(_mounts(known))
    found["control groups"] = [str(path) for path in control_groups() if known.owner in path.name]
    places = {"temporary files": known.directory / "tmp", "home files": known.directory / "home"}
    for kind, place in places.items():
        found[kind] = [str(path) for path in sorted(place.rglob("*")) if path not in known.allowed]
    unix = Path("/proc/net/unix").read_text().splitlines()
    found["sockets"] = [line for line in unix if str(known.directory) in line]
    found["locks"] = list(_locks(known))
    return found


def _of_engine(known: Known, engine: "APIClient") -> Traces:
    mine = {"label": f"{OWNER_LABEL}={known.owner}"}
    containers = [container["Id"] for container in engine.containers(all=True, filters=mine)]
    for container in containers:
        known.marks.add(container)
        _remember_file_systems(known, engine, container)
    return {
        "containers": [container[:12] for container in containers],
        "volumes": [volume["Name"] for volume in engine.volumes(filters=mine)["Volumes"] or ()],
        "networks": [network["Name"] for network in engine.networks(filters=mine)],
        "images": [image["Id"] for image in engine.images(filters=mine)],
    }


def _remember_file_systems(known: Known, engine: "APIClient", container: str) -> None:
    from docker.errors import DockerException

    try:
        said = engine.inspect_container(container)
    except DockerException:  # gone in the meantime
        return
    driver = said.get("GraphDriver") or {}
    merged = (driver.get("Data") or {}).get("MergedDir")  # an engine that is just removing it says null
    network = (said.get("NetworkSettings") or {}).get("SandboxKey")
    known.marks |= {mark for mark in (merged, network) if mark}


def _mounts(known: Known) -> Iterator[str]:
    marks = {*known.marks, str(known.directory)}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if any(mark in line for mark in marks):
            yield line.split()[4]


def _locks(known: Known) -> Iterator[str]:
    """Yield the kernel's locks on files below the run's directory."""
    files = {}
    for path in known.directory.rglob("*"):
        try:
            files[path.lstat().st_ino] = path
        except FileNotFoundError:
            continue
    for line in Path("/proc/locks").read_text().splitlines():
        number = next((int(word.split(":")[2]) for word in line.split() if word.count(":") == 2), 0)
        if number in files:
            yield str(files[number])


def control_groups() -> Iterator[Path]:
    """Yield every control group that ay-bot has made on this machine, in any hierarchy."""
    for directory, names, _ in os.walk(GROUPS):
        for name in names:
            if name.startswith("ay-bot."):
                yield Path(directory, name)
        names[:] = [name for name in names if not name.startswith("ay-bot.")]


def descendants() -> Iterator[tuple[int, str]]:
    """Yield every living process below this one, but for helpers of multiprocessing."""
    parents: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            fields = stat.rpartition(")")[2].split()
            if fields[0] not in "ZX":
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
                names[int(entry.name)] = stat.partition("(")[2].rpartition(")")[0]
    waiting = list(parents.get(os.getpid(), ()))
    while waiting:
        pid = waiting.pop()
        waiting += parents.get(pid, ())
        yield pid, names[pid]


def count(traces: Traces) -> dict[str, int]:
    """Return how many there are of each kind of which there is any."""
    return {kind: len(found) for kind, found in traces.items() if found}


def abandoned(engine: "APIClient | None", temporary: Path) -> Traces:
    """Return what on the whole machine belongs to owners that are dead."""
    found: dict[str, list[str]] = {}
    if engine:
        labelled = engine.containers(all=True, filters={"label": OWNER_LABEL})
        found["containers"] = [one["Id"][:12] for one in labelled if not is_alive(one["Labels"][OWNER_LABEL])]
        networks = engine.networks(filters={"label": OWNER_LABEL})
        found["networks"] = [one["Name"] for one in networks if not is_alive(one["Labels"][OWNER_LABEL])]
        volumes = engine.volumes(filters={"label": OWNER_LABEL})["Volumes"] or ()
        found["volumes"] = [one["Name"] for one in volumes if not is_alive(one["Labels"][OWNER_LABEL])]
    groups = [path.name.removeprefix("ay-bot.").rpartition(".")[0] for path in control_groups()]
    found["control groups"] = [owner for owner in groups if not is_alive(owner)]
    scratch = [path.name.removeprefix("ay-bot.").rpartition(".")[0] for path in temporary.glob("ay-bot.*:*:*.*")]
    found["temporary files"] = [owner for owner in scratch if not is_alive(owner)]
    return found
