"""What a run's boxes may use: the settings for it, with bounds, and the box that a repository of some size gets."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ay_bot.errors import UsageError
from ay_bot.host.sandbox import MIB, BoxLimits
from ay_bot.protocol.conversation import Value

PROCESSES_NEED = 256
"""MiB of memory that have to be left beside what the file systems of a box may hold: they are in memory too."""
UNPACKED = 3
"""How often a repository has to fit into the workspace: it is built, tested and changed there."""


class Limits(Value):
    """What each box of a run may use; sizes are MiB. Times are not here: see `timeout` and `test_timeout`."""

    memory: Annotated[int, Field(ge=320, le=1024 * 1024)] = 4096
    """Memory of all processes together and of the box's files, which are in memory too; there is no swap."""
    cpus: Annotated[float, Field(ge=0.1, le=256)] = 2.0
    """Processors."""
    processes: Annotated[int, Field(ge=32, le=32_768)] = 512
    """Processes and threads."""
    work: Annotated[int, Field(ge=16, le=1024 * 1024)] = 2048
    """Size of the workspace; a large repository gets more, unless this or `memory` is set."""
    temporary: Annotated[int, Field(ge=16, le=1024 * 1024)] = 512
    """Size of /tmp."""
    files: Annotated[int, Field(ge=4000, le=50_000_000)] = 400_000
    """How many files and directories the workspace may hold, and /tmp a quarter of it."""
    file_size: Annotated[int, Field(ge=1, le=1024 * 1024)] = 1024
    """Size of one file."""
    open_files: Annotated[int, Field(ge=128, le=1_048_576)] = 4096
    """How many files a process may have open."""

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        needed = self.work + self.temporary + PROCESSES_NEED
        if self.memory < needed:
            raise ValueError(
                f"`memory` ({self.memory} MiB) has to hold `work` ({self.work}), `temporary` ({self.temporary}) and "
                f"{PROCESSES_NEED} MiB for processes: make it {needed}, or the others smaller"
            )
        return self


def limits_for(limits: Limits, *, wall: float, archive_size: int, files: int) -> BoxLimits:
    """Return a box for a repository: a large one gets a larger box, unless the settings say how large it is."""
    said = bool(limits.model_fields_set & {"memory", "work"})
    extra = max(0, UNPACKED * archive_size - limits.work * MIB // 2)
    if said:
        _require_room(limits, archive_size)
        extra = 0
    return BoxLimits(
        memory=limits.memory * MIB + extra,
        cpus=limits.cpus,
        pids=limits.processes,
        work=limits.work * MIB + extra,
        temporary=limits.temporary * MIB,
        inodes=limits.files if "files" in limits.model_fields_set else max(limits.files, 4 * files),
        file_size=limits.file_size * MIB,
        open_files=limits.open_files,
        wall=wall,
    )


def _require_room(limits: Limits, archive_size: int) -> None:
    if archive_size > limits.work * MIB:
        size = -(-archive_size // MIB)
        msg = f"the repository has {size} MiB, and the workspace of a box only {limits.work} MiB (`limits.work`)"
        raise UsageError(msg, hint=f"set `limits.work` to {UNPACKED * size} or more, and `limits.memory` with it")
