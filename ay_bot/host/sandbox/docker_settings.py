"""What a container is created with, in the terms of the engine's SDK: what runs in it, and the wall around it."""

from typing import Any, Final

from ay_bot.host.image import runtime_volume
from ay_bot.host.runtime import PREFIX
from ay_bot.host.sandbox import BoxSpec
from ay_bot.host.sandbox.docker_facts import Engine
from ay_bot.host.sandbox.docker_places import tmpfs
from ay_bot.host.sandbox.policy import INSTALLING, SHARED_MEMORY, Image, creation
from ay_bot.protocol.box_config import DOOR_PLACE

PROCESSES: Final = 4096
"""What Podman is told, whose own default may be more than it can set; the cap is that of the control group."""


def container_settings(spec: BoxSpec, image: Image, uid: int, engine: Engine) -> dict[str, Any]:
    """Return what runs in the box, and how it is attached."""
    return {
        **creation(spec, image, uid, engine),
        "working_dir": "/",
        "hostname": "box",
        "stdin_open": True,
        "tty": False,
        "detach": False,  # the engine closes the box's input when this process is gone
        "network_disabled": True,
        "healthcheck": {"test": ["NONE"]},
        "stop_signal": "SIGKILL",
    }


def host_settings(spec: BoxSpec, image: Image, uid: int, engine: Engine, runtime: str = "") -> dict[str, Any]:
    """Return the wall; `runtime` is the engine's own name of it, "" for the default."""
    from docker.types import LogConfig, Mount, Ulimit

    limits = spec.limits
    mounts = [] if image.is_ours else [Mount(target=PREFIX, source=runtime_volume(), type="volume", read_only=True)]
    if spec.door:
        mounts.append(Mount(target=DOOR_PLACE, source=spec.door.volume, type="volume", read_only=True))
    return {
        "network_mode": "none",
        "read_only": not spec.installs,
        "cap_drop": ["ALL"],
        "cap_add": list(INSTALLING) if spec.installs else None,
        "security_opt": ["no-new-privileges:true"],
        "init": False,
        "runtime": runtime or None,
        "ipc_mode": "private",
        "auto_remove": True,
        "log_config": LogConfig(type="none"),
        "pids_limit": limits.pids,
        "mem_limit": limits.memory,
        "memswap_limit": limits.memory,
        # An engine that can't cap the others ignores them; at this one it fails.
        "nano_cpus": None if "cpu" in engine.uncapped else int(limits.cpus * 1e9),
        "oom_score_adj": 500,
        "shm_size": SHARED_MEMORY,
        "ulimits": [
            Ulimit(name="nofile", soft=limits.open_files, hard=limits.open_files),
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="fsize", soft=limits.file_size, hard=limits.file_size),
            *([Ulimit(name="nproc", soft=PROCESSES, hard=PROCESSES)] if engine.kind == "Podman" else []),
        ],
        "tmpfs": tmpfs(limits, uid, image.volumes, engine.kind),
        "mounts": mounts,
    }
