"""The processes that the program beside a box starts: the proxy, and what an experiment brings as its target."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ay_bot.host.egress.beside.telling import tell

CONFIG: Final = "/tmp/squid.conf"  # noqa: S108 - in a container of its own
HOSTS: Final = "/tmp/hosts"  # noqa: S108
PROXY_PORT: Final = "@PORT@"  # in the configuration
LONGEST_LINE: Final = 256 * 1024
START_SECONDS: Final = 20.0
END_SECONDS: Final = 0.25


async def start_program(source: str) -> "asyncio.Future[object]":
    """Start what an experiment brings as its target, and wait until it says that it is ready."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        "-B",
        "-c",
        source,
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        env={},
    )
    if program.stdout is None or not await program.stdout.readline():
        raise SystemExit("the experiment's program ended at its start")
    return asyncio.ensure_future(_listen(program.stdout, lambda line: tell("target", line=line)))


class Squid:
    """A running proxy: its process, its port, and what listens to it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process
        self._log = asyncio.ensure_future(_listen(process.stdout, lambda line: tell("log", line=line)))
        self._complaints = asyncio.ensure_future(_listen(process.stderr, _complain))

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._process.wait()

    async def wait_ready(self) -> None:
        """Return when it, and nobody else on this machine, listens at its port."""
        for _ in range(int(START_SECONDS / 0.01)):
            if self._process.returncode is not None:
                await self._complaints
                raise SystemExit(f"squid ended at its start with {self._process.returncode}")
            if (number := _listener(self.port)) and number in _sockets(self._process.pid):
                return
            await asyncio.sleep(0.01)
        raise SystemExit("squid did not start in time")

    async def end(self) -> None:
        """End it, and hear what it has still to tell."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait({self._log}, timeout=END_SECONDS)


async def start_squid(config: str, hosts: str) -> Squid:
    """Start the proxy at a free port, which is put into its configuration."""
    port = _free_port()
    Path(CONFIG).write_text(config.replace(PROXY_PORT, str(port)), encoding="ascii")
    Path(HOSTS).write_text(hosts, encoding="ascii")
    process = await asyncio.create_subprocess_exec(
        "/usr/sbin/squid", "-N", "-f", CONFIG, stdin=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/sbin:/usr/bin", "LANG": "C"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
    )  # fmt: skip
    return Squid(process, port)


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


async def _listen(stream: asyncio.StreamReader | None, hear: Callable[[str], None]) -> None:
    """Hear each line of a stream; what is longer than any line may be is left out."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        hear(line.decode("utf-8", "replace").rstrip("\n"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listener(port: int) -> str:
    """Return the number of the socket that listens at a port of 127.0.0.1."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == f"0100007F:{port:04X}" and fields[3] == "0A":
            return fields[9]
    return ""


def _sockets(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(entry).removeprefix("socket:[").removesuffix("]"))  # noqa: PTH115 - no path
    return found
