"""Asking a proxy over its door without a box: in a container that has nothing else, or over the directory."""

import socket
import time

from ay_bot.host.egress.door import Door

PROGRAM = """
import base64, socket, sys
with socket.socket(socket.AF_UNIX) as one:
    one.settimeout(10)
    one.connect("/run/ay/proxy.sock")
    one.sendall(base64.b64decode(sys.argv[1]))
    got = b""
    try:
        while more := one.recv(65536): got += more
    except OSError: pass
sys.stdout.write(f"{len(got)} {base64.b64encode(got[:300]).decode()}")
"""


def ask(door: Door, request: bytes) -> tuple[int, bytes]:
    """Return how much comes back, and its beginning."""
    return _ask_directory(door.directory, request) if door.directory else _ask_volume(door.volume, request)


def _ask_directory(directory: str, request: bytes) -> tuple[int, bytes]:
    got = bytearray()
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(10)
        one.connect(f"{directory}/proxy.sock")
        one.sendall(request)
        end = time.monotonic() + 10
        while time.monotonic() < end and (more := _receive(one)):
            got += more
    return len(got), bytes(got[:300])


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(65536)
    except OSError:
        return b""


def _ask_volume(volume: str, request: bytes) -> tuple[int, bytes]:
    import base64

    import docker

    from ay_bot.host.image import egress_image_name

    client = docker.from_env()
    try:
        container = client.containers.run(
            egress_image_name(),
            ["python3", "-c", PROGRAM, base64.b64encode(request).decode()],
            network_mode="none",
            volumes={volume: {"bind": "/run/ay", "mode": "ro"}},
            detach=True,
        )
        container.wait(timeout=60)
        said = container.logs(stderr=True)
        container.remove(force=True)
    finally:
        client.close()
    size, _, beginning = said.decode().partition(" ")
    return int(size), base64.b64decode(beginning)
