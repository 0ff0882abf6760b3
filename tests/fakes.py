"""Stand-ins for what tests can do without: a sandbox without walls. It passes the contract tests of the real ones."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.checkout import Checkout
from ay_bot.host.egress.sidecar import Sidecar, SidecarSpec
from ay_bot.host.image import PACKAGE
from ay_bot.host.runtime import box_config, installed_packages, program
from ay_bot.host.sandbox import BoxLimits, BoxSpec, DriverName
from ay_bot.host.sandbox.box import RunningBox
from ay_bot.host.sandbox.ending import explain_ending
from ay_bot.host.sandbox.guarantees import Weakness
from ay_bot.host.sandbox.stream import BoxStream, SocketTransport
from ay_bot.host.suite import TestRunner
from ay_bot.protocol.plain_messages import Check


class LocalSandbox:
    """The box's program as an ordinary process in a temporary directory. It keeps nothing in and nothing out."""

    name: DriverName = "bubblewrap"

    def resolve_image(self, image: str) -> str:
        return "local"

    def weaknesses(self) -> tuple[Weakness, ...]:
        return (Weakness(lacks="network", why="there are no walls at all", instead="a real driver"),)

    def open_sidecar(self, spec: SidecarSpec) -> AbstractContextManager[Sidecar]:
        raise SandboxUnavailable("a sandbox without walls has no doors either")

    def reap(self) -> list[str]:
        return []

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[RunningBox]:
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile() as errors, tempfile.TemporaryDirectory(prefix="local-box-") as place:
            process = self._start(spec, Path(place), theirs, errors.fileno())

            def explain() -> None:
                status = process.wait(timeout=5)
                errors.seek(0)
                explain_ending(status, errors.read().decode(), spec.limits, out_of_memory=False)

            stream = BoxStream(SocketTransport(ours), explain)
            try:
                box = RunningBox(f"local-{process.pid}", "local", stream)
                box.channel.send = into(Path(place) / "tmp", box.channel.send)
                box.wait_for_hello()
                yield box
            finally:
                stream.end()
                process.wait(timeout=30)

    def _start(self, spec: BoxSpec, place: Path, pipe: socket.socket, errors: int) -> subprocess.Popen[bytes]:
        for name in ("work", "tmp"):
            (place / name).mkdir()
        config = replace(
            box_config(spec, {"PATH": os.environ["PATH"], "HOME": str(place / "tmp"), "TMPDIR": str(place / "tmp")}),
            workspace=str(place / "work"),
            temporary=str(place / "tmp"),
            filter=False,
        )
        packages = {str(source.parent) for source, _ in installed_packages() if not source.is_relative_to(PACKAGE)}
        path = ":".join([str(PACKAGE.parent), *sorted(packages)])
        with pipe:
            return subprocess.Popen(
                [sys.executable, *program(config, path)],
                stdin=pipe.fileno(),
                stdout=pipe.fileno(),
                stderr=errors,
                cwd=place,
                env={},
            )


def into(temporary: Path, send: Callable[..., None]) -> Callable[..., None]:
    """Have reports lie in a box's own directory: a real one has a /tmp of its own."""

    def sent(message: object, body: bytes | memoryview = b"") -> None:
        if isinstance(message, Check) and Path(message.report).parent == Path("/tmp"):
            report = str(temporary / Path(message.report).name)
            environment = {name: value.replace(message.report, report) for name, value in message.environment.items()}
            command = message.command.replace(message.report, report)
            message = replace(message, report=report, environment=environment, command=command)
        send(message, body)

    return sent


def local_runner(checkout: Checkout) -> TestRunner:
    """Return what runs the tests of a checkout without walls, and without the plugins of whoever runs these tests."""
    return TestRunner(
        LocalSandbox(),
        checkout,
        run="r",
        image="",
        command="PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -q",
        setup="",
        timeout=60,
        limits=BoxLimits(),
        emit=lambda _: None,
    )
