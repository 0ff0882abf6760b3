"""What an engine says of itself: which kind it is, what it can cap, and which runtimes it has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox.guarantees import OWN_KERNEL, Guarantee, Weakness

Kind = Literal["Docker", "Podman"]
CAPS: Final[Mapping[Guarantee, str]] = {"memory": "MemoryLimit", "processes": "PidsLimit", "cpu": "CpuCfsQuota"}
WHAT: Final[Mapping[Guarantee, str]] = {"memory": "memory", "processes": "processes", "cpu": "processor time"}
DELEGATE: Final = (
    "an engine that runs as root, or a user whose control groups are delegated (systemd, cgroup v2, Delegate=yes)"
)
OWN_KERNELS: Final = ("runsc", "gvisor", "kata", "krun")
"""What is in the names under which the runtimes are registered that put a kernel of their own around a box."""


@dataclass(frozen=True)
class Engine:
    """An engine, as it describes itself."""

    kind: Kind
    version: str
    rootless: bool
    uncapped: tuple[Guarantee, ...]
    swap_is_capped: bool
    runtimes: tuple[str, ...]
    default_runtime: str = ""

    @property
    def name(self) -> str:
        """Return what to call it."""
        return f"{'rootless ' if self.rootless else ''}{self.kind} {self.version}"

    def require_runtime(self, runtime: str) -> None:
        """Raise SandboxUnavailable if it has no such runtime."""
        if self.kind == "Podman" and runtime:
            msg = f"this engine ({self.name}) takes no runtime for a box alone, so `{runtime}` can't be chosen"
            hint = f"start it with `podman --runtime {runtime} system service`, and leave `runtime` out"
            raise SandboxUnavailable(msg, hint=hint)
        if runtime in ("", *self.runtimes) or runtime.startswith("io.containerd."):
            return  # a shim of that form need not be registered: the engine says whether it has it
        known = ", ".join(self.runtimes) or "none that it tells"
        msg = f"this engine ({self.name}) has no runtime `{runtime}`; it has: {known}"
        hint = f"register `{runtime}` with the engine (`runtimes` in its daemon.json), or leave `runtime` out"
        raise SandboxUnavailable(msg, hint=hint)

    def weaknesses(self, runtime: str = "") -> Iterator[Weakness]:
        """Yield what it can't give to boxes that run in `runtime`."""
        if self.uncapped:
            what = ", ".join(WHAT[name] for name in self.uncapped)
            why = f"not capped by this engine ({self.name}), and softly by the box itself: {what}"
            yield from (Weakness(lacks=name, why=why, instead=DELEGATE) for name in self.uncapped)
        if "memory" not in self.uncapped and not self.swap_is_capped:
            why = f"this engine ({self.name}) caps memory, and not what of it is swapped out"
            yield Weakness(lacks="memory", why=why, instead="a kernel that counts swap: cgroup v2, or swapaccount=1")
        if self.kind == "Podman":
            why = f"this engine ({self.name}) does not cap how many files a box makes; the box does, softly"
            yield Weakness(lacks="inodes", why=why, instead="a Docker engine")
        if not any(part in (runtime or self.default_runtime) for part in OWN_KERNELS):
            yield OWN_KERNEL


DOCKER: Final = Engine(kind="Docker", version="", rootless=False, uncapped=(), swap_is_capped=True, runtimes=())
"""An engine that gives all."""


def parse_engine(info: Mapping[str, object], version: Mapping[str, object]) -> Engine:
    """Read the engine's answers to /info and /version."""
    components = " ".join(str(part.get("Name")) for part in _list(version, "Components") if isinstance(part, Mapping))
    runtimes = info.get("Runtimes")
    return Engine(
        kind="Podman" if "Podman" in components else "Docker",
        version=str(version.get("Version", "of no known version"))[:40],
        rootless=info.get("Rootless") is True or any("rootless" in str(one) for one in _list(info, "SecurityOptions")),
        uncapped=tuple(name for name, item in CAPS.items() if not info.get(item)),
        swap_is_capped=info.get("SwapLimit") is not False,
        runtimes=tuple(sorted(map(str, runtimes))) if isinstance(runtimes, Mapping) else (),
        default_runtime=str(info.get("DefaultRuntime") or ""),
    )


def _list(said: Mapping[str, object], name: str) -> list[object]:
    value = said.get(name)
    return value if isinstance(value, list) else []
