"""What a driver gives the proxy to run in: a place of its own with a network, and a socket that the box sees too."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ay_bot.host.egress.door import Door
from ay_bot.host.sandbox.stream import BoxStream
from ay_bot.protocol.conversation import Value

MEMORY: Final = 192 * 1024 * 1024
PROCESSES: Final = 48
OPEN_FILES: Final = 2048
TEMPORARY: Final = 8 * 1024 * 1024
BESIDE: Final = Path(__file__).with_name("beside")
PACKAGE: Final = "ay_bot.host.egress.beside"
MODULES: Final = ("telling", "client_hello", "budget", "holding", "requests", "relay", "processes", "running")
"""What the program is made of; each knows those before it alone."""
START: Final = f"""
import json, sys, types
for name, source in json.loads(sys.argv[1]).items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
sys.modules["{PACKAGE}.running"].run()
"""


class SidecarSpec(Value):
    """A place to make. With `loopback_only` it has no way out either: all that it reaches is beside it."""

    run: str
    wall: float
    loopback_only: bool = False


@dataclass(frozen=True)
class Sidecar:
    """The program beside a box: what it is told, and what it tells, a line of JSON each."""

    door: Door
    stream: BoxStream
    complaint: Callable[[], str]
    """Returns the last that it wrote for people, if it ends before its time."""


def program() -> list[str]:
    """Return the arguments of the interpreter that runs the program beside a box: its modules come as text."""
    sources = {f"{PACKAGE}.{name}": (BESIDE / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
    return ["-I", "-S", "-B", "-c", START, json.dumps(sources)]
