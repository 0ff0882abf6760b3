"""Ways to the engine of this machine that lead over a wire, and engines of other kinds, each for as long as a test runs.

What takes long to make (Podman, a rootless engine, a runtime of its own) is made by scripts/test-engines, which says in
the environment where it listens.
"""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

ENGINE = "/var/run/docker.sock"
BUILD = Path(__file__).parents[3] / "build" / "sshd"
MADE = {"podman": "AY_PODMAN", "rootless": "AY_ROOTLESS"}
"""The variables in which scripts/test-engines says where an engine listens."""


def engine_socket() -> str:
    return os.environ.get("DOCKER_HOST", f"unix://{ENGINE}").removeprefix("unix://")


@contextlib.contextmanager
def relay(wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain) -> Iterator[int]:
    """Listen on loopback, and carry all that comes to the engine's socket and back."""
    engine = engine_socket()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, engine, wrap), daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, engine: str, wrap: Callable[[socket.socket], socket.socket]) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_carry_both, args=(plain, engine, wrap), daemon=True).start()


def _carry_both(plain: socket.socket, engine: str, wrap: Callable[[socket.socket], socket.socket]) -> None:
    with contextlib.suppress(OSError), wrap(plain) as near, socket.socket(socket.AF_UNIX) as far:
        far.connect(engine)
        other = threading.Thread(target=_carry, args=(far, near), daemon=True)
        other.start()
        _carry(near, far)
        other.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def tcp(_directory: Path) -> Iterator[dict[str, str]]:
    with relay() as port:
        yield {"DOCKER_HOST": f"tcp://127.0.0.1:{port}"}


@contextlib.contextmanager
def tls(directory: Path) -> Iterator[dict[str, str]]:
    """Both ends show a certificate of an authority that nobody else knows."""
    make_certificates(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem", directory / "key.pem")
    context.load_verify_locations(directory / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with relay(lambda plain: context.wrap_socket(plain, server_side=True)) as port:
        yield {
            "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
            "DOCKER_CERT_PATH": str(directory),
            "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",  # which does not know the authority
        }


def make_certificates(directory: Path) -> None:
    """Make ca.pem, and server.pem and cert.pem with one key."""
    script = """
set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout key.pem -out request.pem
printf 'subjectAltName=IP:127.0.0.1\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n' > names
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -set_serial 2 -days 2 -extfile names -out cert.pem
cp cert.pem server.pem
"""
    subprocess.run(["sh", "-c", script], cwd=directory, check=True, capture_output=True)


@contextlib.contextmanager
def ssh(directory: Path) -> Iterator[dict[str, str]]:
    """A server of this user's own on loopback, and an ssh that knows it and has a key for it."""
    daemon = find_sshd()
    if not daemon or not shutil.which("ssh"):
        pytest.skip("there is no sshd; scripts/fetch-sshd gets one")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True)
    (directory / "authorized").write_text((directory / "user.pub").read_text())
    port = _free_port()
    (directory / "known").write_text(f"[127.0.0.1]:{port} {(directory / 'host.pub').read_text()}")
    (directory / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {directory}/host\nAuthorizedKeysFile {directory}/authorized\n"
        f"PidFile none\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nUsePAM no\n"
    )
    (directory / "ssh_config").write_text(
        f"Host *\n IdentityFile {directory}/user\n IdentitiesOnly yes\n UserKnownHostsFile {directory}/known\n"
        " StrictHostKeyChecking yes\n"
    )
    (directory / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {directory}/ssh_config "$@"\n')
    (directory / "ssh").chmod(0o755)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists on it
    command = [*daemon, "-D", "-e", "-f", str(directory / "sshd_config")]
    libraries = {"LD_LIBRARY_PATH": ":".join(map(str, BUILD.glob("usr/lib/*-linux-gnu")))}
    with (directory / "sshd.log").open("wb") as log, subprocess.Popen(command, stderr=log, env=libraries) as server:
        try:
            _wait_for(port)
            yield {
                "DOCKER_HOST": f"ssh://127.0.0.1:{port}{engine_socket()}",
                "PATH": f"{directory}:{os.environ['PATH']}",
                "HOME": str(directory),
            }
        finally:
            server.terminate()


def find_sshd() -> list[str]:
    """Return how to start the server: the machine's, or the one that scripts/fetch-sshd unpacked."""
    unpacked = BUILD / "usr" / "sbin" / "sshd"
    found = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    return [found] if found else [str(unpacked)] if unpacked.is_file() else []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < end, "the server does not listen"
        time.sleep(0.05)


@contextlib.contextmanager
def local(_directory: Path) -> Iterator[dict[str, str]]:
    yield dict(os.environ)


@contextlib.contextmanager
def open_engine(name: str, directory: Path) -> Iterator[Mapping[str, str]]:
    """Yield the environment in which the engine is found."""
    if name in MADE:
        yield {**os.environ, "DOCKER_HOST": os.environ[MADE[name]]}
        return
    with {"tcp": tcp, "tls": tls, "ssh": ssh, "docker": local}[name](directory) as environment:
        yield environment
