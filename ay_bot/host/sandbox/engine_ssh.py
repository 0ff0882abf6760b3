"""A way to an engine on another machine: the system's ssh carries its socket here, where a stream can be shut down."""

import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Final, NamedTuple

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.owner import this_process
from ay_bot.host.scratch import PREFIX

USUAL_PLACE: Final = "/var/run/docker.sock"
SECONDS: Final = 30.0
"""How long ssh may take to log in."""
PASSED: Final = ("HOME", "LANG", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "USER")
"""What ssh is told of the environment."""
ADDRESS: Final = re.compile(
    r"ssh://(?:(?P<user>\w[\w.-]{0,63})@)?(?P<host>\w[\w.-]{0,253}|\[[0-9a-fA-F:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<socket>/[\w./@+-]{1,200})?/?",
    re.ASCII,
)
# The pipe on its input ends with this process, however that ends, and ssh ends with the pipe.
WATCHED: Final = 'exec 3<&0 </dev/null; (cat <&3 >/dev/null; kill "$$") & exec 3<&-; exec "$@"'
HINT: Final = "try it by hand: ssh %s docker version. Keys come from your agent or your ssh configuration; nothing asks"


class Place(NamedTuple):
    """An engine behind ssh."""

    host: str
    user: str
    port: int | None
    socket: str

    def words(self) -> list[str]:
        """Return how ssh is told."""
        login = ["-l", self.user] if self.user else []
        return [*login, *(["-p", str(self.port)] if self.port else []), "--", self.host]


def parse_place(address: str) -> Place:
    """Read `ssh://[USER@]HOST[:PORT][/SOCKET]`. Raises UsageError."""
    found = ADDRESS.fullmatch(address)
    if not found or int(found["port"] or 0) > 65535:
        hint = "write DOCKER_HOST as ssh://user@host, ssh://user@host:port or ssh://user@host/path/to/docker.sock"
        raise UsageError(f"{address!r} names no engine behind ssh", hint=hint)
    port = int(found["port"]) if found["port"] else None
    return Place(found["host"].strip("[]"), found["user"] or "", port, found["socket"] or USUAL_PLACE)


class Tunnel:
    """A socket of this machine's whose far end is the engine's. It ends with this process, if not before."""

    def __init__(self, place: Place, environment: Mapping[str, str]) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{this_process()}."))
        self.socket = self._directory / "engine.sock"
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the tunnel
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", WATCHED, "sh", "ssh", *self._options(place), *place.words()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env={name: environment[name] for name in PASSED if name in environment},
            cwd=self._directory,  # ssh can't be told a path with colons, and scratch has them
            start_new_session=True,  # Ctrl-C is for this process, which then ends its boxes through the tunnel
        )

    def _options(self, place: Place) -> list[str]:
        settings = ("BatchMode=yes", "ExitOnForwardFailure=yes", "ServerAliveInterval=15", "StreamLocalBindMask=0177")
        told = [word for setting in (*settings, "ControlPath=none", "ForwardAgent=no") for word in ("-o", setting)]
        return ["-N", "-T", "-a", "-x", *told, "-L", f"./{self.socket.name}:{place.socket}"]

    def wait(self, place: Place) -> None:
        """Wait until the socket answers. Raises SandboxUnavailable with ssh's own words."""
        end = time.monotonic() + SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                words = self._words() or f"nothing within {SECONDS:.0f} seconds"
                self.close()
                msg = f"no way by ssh to the engine on {place.host}: {words}"
                raise SandboxUnavailable(msg, hint=HINT % place.host)
            time.sleep(0.02)

    def close(self) -> None:
        """End ssh, and remove the socket."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()
        rmtree(self._directory, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def _words(self) -> str:
        self._said.seek(0)
        return " ".join(self._said.read()[-2000:].decode("utf-8", "replace").split())


def open_tunnel(address: str, environment: Mapping[str, str]) -> Tunnel:
    """Return a tunnel to the engine at an ssh:// address. Raises SandboxUnavailable, or UsageError for the address."""
    place = parse_place(address)
    tunnel = Tunnel(place, environment)
    tunnel.wait(place)
    return tunnel
