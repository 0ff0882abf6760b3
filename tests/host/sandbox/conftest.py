"""The drivers that the tests of this directory run on, and the few things that all of them do with a box."""

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ay_bot.host.sandbox import Box, BoxLimits, BoxSpec, Sandbox
from ay_bot.protocol.messages import Check, Checked, Seed, Seeded
from tests.host.sandbox.engines import open_engine

LOCAL = pytest.param("local", id="local")
DOCKER = pytest.param("docker", id="docker", marks=pytest.mark.docker)
BUBBLEWRAP = pytest.param("bubblewrap", id="bubblewrap", marks=pytest.mark.bwrap)
ENGINES = [
    pytest.param(name, id=name, marks=(pytest.mark.docker, pytest.mark.slow))
    for name in os.environ.get("AY_ENGINES", "").split()
]
"""Further engines, and further ways to one: `make engines` runs with them."""
MIB = 1024 * 1024


def make_sandbox(name: str) -> Sandbox:
    match name:
        case "docker":
            from ay_bot.host.sandbox.docker import connect

            return connect(os.environ)
        case "bubblewrap":
            from ay_bot.host.sandbox.bubblewrap import find_bubblewrap

            return find_bubblewrap(os.environ)
        case _:
            from tests.fakes import LocalSandbox

            return LocalSandbox()


@contextmanager
def open_sandbox(name: str, directory: Path) -> Iterator[Sandbox]:
    """A driver, with the environment in which it is found set for the processes of the tests too."""
    if name in ("local", "docker", "bubblewrap"):
        yield make_sandbox(name)
        return
    with open_engine(name, directory) as environment, pytest.MonkeyPatch.context() as patch:
        for variable, value in environment.items():
            patch.setenv(variable, value)
        yield make_sandbox("docker")


def spec(*, only_for_checks: bool = False, **limits: float) -> BoxSpec:
    limits = {"wall": 120.0, **limits}
    return BoxSpec(run="test", purpose="test", only_for_checks=only_for_checks, limits=BoxLimits(**limits))


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def seed(box: Box, files: dict[str, bytes] | None = None, setup: str = "") -> Seeded:
    body = tar_of(files or {"README": b"hello\n"})
    box.channel.send(Seed(body_size=len(body), setup=setup), body)
    message, _ = box.channel.receive()
    assert isinstance(message, Seeded), message
    return message


def run(box: Box, command: str, *, timeout: float = 60, report: str = "/nowhere", **environment: str) -> Checked:
    return run_with_report(box, command, timeout=timeout, report=report, **environment)[0]


def run_with_report(
    box: Box, command: str, *, timeout: float = 60, report: str, **environment: str
) -> tuple[Checked, bytes]:
    box.channel.send(Check(command=command, timeout=timeout, report=report, environment=environment))
    message, body = box.channel.receive()
    assert isinstance(message, Checked), message
    return message, body


Runner = Callable[[str], str]
