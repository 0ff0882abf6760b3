"""Resident memory of a run's whole tree, sampled: the host, what it started, and the processes in its boxes."""

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY = 0.04  # seconds
MB = 1_000_000


class Process(NamedTuple):
    """One process at one moment."""

    parent: int
    size: int  # of its address space
    resident: int  # both in bytes


@dataclass
class Peaks:
    """The most that was seen, in MB: of all processes together, and of the greatest of each kind by itself."""

    whole: float = 0.0
    kinds: dict[str, float] = field(default_factory=dict)
    whole_then: dict[str, float] = field(default_factory=dict)  # what the whole was made of at its peak


class Sampler:
    """Samples the tree of `root` while the with block runs; boxes of an engine are known by the run's event log."""

    def __init__(self, root: int, events: Path) -> None:
        self.peaks = Peaks()
        self._root = root
        self._events = events
        self._names: dict[int, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_stopped, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample_until_stopped(self) -> None:
        while not self._stop.wait(EVERY):
            self._sample()

    def _sample(self) -> None:
        seen = _processes()
        sums: dict[str, float] = {}
        for pid in self._members(seen):
            process = seen[pid]
            parent = seen.get(process.parent)
            if parent and parent.size == process.size:
                continue  # forked a moment ago, and not yet the program that it will be
            kind, size = self._kind_of(pid), process.resident / MB
            sums[kind] = sums.get(kind, 0.0) + size
            self.peaks.kinds[kind] = max(self.peaks.kinds.get(kind, 0.0), size)
        if sum(sums.values()) > self.peaks.whole:
            self.peaks.whole, self.peaks.whole_then = sum(sums.values()), sums

    def _members(self, seen: dict[int, Process]) -> set[int]:
        members = {self._root, *_in_containers(self._boxes(), seen)} & seen.keys()
        grew = True
        while grew:
            more = {pid for pid, process in seen.items() if process.parent in members} - members
            members |= more
            grew = bool(more)
        return members

    def _boxes(self) -> set[str]:
        if not self._events.exists():
            return set()
        events = [json.loads(line)["event"] for line in self._events.read_text().split("\n")[:-1]]
        return {event["box"] for event in events if event["type"] == "box_opened"}

    def _kind_of(self, pid: int) -> str:
        if pid == self._root:
            return "host"
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            return "command"
        if b"ay_bot.gateway" in line:
            return "gateway"
        if b"bwrap" in line.split(b" ", 1)[0]:
            return "bwrap"
        return "agent" if b"ay_bot.agent" in line else "command"


def _processes() -> dict[int, Process]:
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                values = (place / "stat").read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            found[int(place.name)] = Process(int(values[1]), int(values[20]), int(values[21]) * PAGE)
    return found


def _in_containers(boxes: set[str], seen: dict[int, Process]) -> set[int]:
    members = set()
    for pid in seen if boxes else ():
        try:
            groups = Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:
            continue
        if any(box in groups for box in boxes):
            members.add(pid)
    return members
