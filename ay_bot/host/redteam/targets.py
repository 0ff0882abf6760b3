"""What the battery attacks: listeners of its own on loopback, and a directory of its own with canaries in it."""

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Self

from ay_bot.host.environment import environment, forget
from ay_bot.host.redteam import CANARY_NAME
from ay_bot.host.redteam.inside import PLANTED
from ay_bot.host.scratch import open_scratch

ORIGINAL = "as it was\n"


class Listeners:
    """Sockets of the host that keep what comes to them. Ports and names are chosen by the kernel or by chance."""

    def __init__(self, directory: Path) -> None:
        self.abstract = f"ay-redteam-{secrets.token_hex(8)}"
        self.gateway, self.tcp_gateway = "172.17.0.1", 1
        self._got = bytearray()
        self._sockets: list[socket.socket] = []
        self.tcp = self._stream(socket.AF_INET, ("127.0.0.1", 0))
        self.tcp_other = self._stream(socket.AF_INET, ("127.9.9.9", 0))
        self.tcp_six = self._stream(socket.AF_INET6, ("::1", 0))
        self._stream(socket.AF_UNIX, f"\0{self.abstract}")
        self._stream(socket.AF_UNIX, str(directory / "socket"))
        (directory / "socket").chmod(0o777)
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 0))
        self.udp = int(datagrams.getsockname()[1])
        self._watch(datagrams)

    def add_gateway(self, address: str) -> None:
        """Listen there too."""
        self.gateway, self.tcp_gateway = address, self._stream(socket.AF_INET, (address, 0))

    def arrived(self, token: str, seconds: float = 0.3) -> bool:
        """Say whether a token came, within a moment."""
        end = time.monotonic() + seconds
        wanted = (token.encode(), token.encode().hex().encode()[:60])
        while not any(one in self._got for one in wanted):
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def close(self) -> None:
        """Close all of them."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _stream(self, family: int, address: tuple[str, int] | str) -> int:
        try:
            server = socket.socket(family, socket.SOCK_STREAM)
            server.bind(address)
        except OSError:  # a machine without IPv6
            return 1
        server.listen()
        self._watch(server)
        return 0 if family == socket.AF_UNIX else int(server.getsockname()[1])

    def _watch(self, server: socket.socket) -> None:
        self._sockets.append(server)
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                if server.type == socket.SOCK_DGRAM:
                    self._got += server.recv(4096)
                    continue
                client, _ = server.accept()
                with client, contextlib.suppress(OSError):
                    client.settimeout(1)
                    self._got += client.recv(4096)


class Targets:
    """A directory with secrets and a file that nobody may change, and the listeners."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.canary = f"ay-canary-{secrets.token_hex(12)}"
        for name in ("secret", *(f"home/{path}" for path in PLANTED.values())):
            file = directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"token={self.canary}\n")
        for path in (directory, *directory.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o644)  # only the wall keeps them
        self.listeners = Listeners(directory)
        self.network = ""  # of an engine, where it has one
        self.restore()

    def listen_on(self, network: str, gateway: str) -> None:
        """Listen on the host's end of a network of the engine's, if that is on this machine."""
        self.network = network
        self.listeners.add_gateway(gateway)

    def restore(self) -> None:
        """Put the target back as it was."""
        (self.directory / "target").unlink(missing_ok=True)
        (self.directory / "n").unlink(missing_ok=True)
        (self.directory / "target").write_text(ORIGINAL)
        (self.directory / "target").chmod(0o666)
        self._state = self._look()

    def touched(self) -> bool:
        """Say whether anybody changed the target; it is put back."""
        changed = self._look() != self._state
        if changed:
            self.restore()
        return changed

    def _look(self) -> tuple[object, ...]:
        target = self.directory / "target"
        with contextlib.suppress(OSError):
            state = target.lstat()
            return (
                state.st_ino,
                state.st_mode,
                target.read_bytes(),
                sorted(path.name for path in self.directory.iterdir()),
            )
        return ()

    def __enter__(self) -> Self:
        """Return the targets; from here on the canary is in this process's environment, as a caller's key would be."""
        own = environment()
        if isinstance(own, MutableMapping):
            own[CANARY_NAME] = self.canary
        return self

    def __exit__(self, *_: object) -> None:
        """Take everything away."""
        forget((CANARY_NAME,))
        self.listeners.close()


@contextlib.contextmanager
def open_targets() -> Iterator[Targets]:
    """Plant everything in a directory of its own, which a later run removes if this one can't."""
    with open_scratch() as scratch:
        scratch.chmod(0o711)
        (scratch / "planted").mkdir()
        with Targets(scratch / "planted") as targets:
            targets.directory.chmod(0o777)
            yield targets
