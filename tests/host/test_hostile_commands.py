"""`ay-bot sandbox exec -- sh -c '…'` for hostile commands: no effect on this machine, and the policy's words on it."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ay_bot.host.policy.symptoms import AMOUNT, FILES, NETWORK, RIGHTS
from ay_bot.host.sandbox_exec import Executed, Wanted, run
from tests.host.git_repositories import fingerprint
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER

CONNECT = "python3 -c 'import socket; socket.create_connection((\"{host}\", {port}), 2)'"

FORKS = "import os, time\nfor _ in range(700):\n    if not os.fork(): time.sleep(60)\n"


@dataclass
class Host:
    """What of this machine is in reach of nobody: a file, a program that runs, a service that listens everywhere."""

    place: Path
    process: subprocess.Popen[bytes]
    port: int
    callers: list[object] = field(default_factory=list)


@pytest.fixture(params=[DOCKER, BUBBLEWRAP])
def driver(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    place = tmp_path_factory.mktemp("host")
    (place / "planted").write_text("words of the host")
    with socket.create_server(("0.0.0.0", 0)) as server, subprocess.Popen(["sleep", "600"]) as process:
        host = Host(place, process, server.getsockname()[1])

        def answer() -> None:
            try:
                while True:
                    connection, caller = server.accept()
                    host.callers.append(caller)
                    connection.close()
            except OSError:
                return

        threading.Thread(target=answer, daemon=True).start()
        yield host
        server.shutdown(socket.SHUT_RDWR)
        process.kill()


ATTACKS = {
    "delete everything": ("rm -rf --no-preserve-root {place} /etc /home /root /work /tmp/* 2>&1 | tail -5", ()),
    "read a file of the host": ("cat {place}/planted /root/.bashrc /etc/shadow; ls /home/* /root", ()),
    "change the system": ("echo x >> /etc/passwd; cp /bin/sh /usr/bin/evil; mkdir /evil", (FILES,)),
    "steer the kernel": ("echo x > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger", ()),
    "end every process": ("kill -9 -1 1 {pid}; kill -9 {pid}", ()),
    "reach a service of the host": (CONNECT.format(host="127.0.0.1", port="{port}"), (NETWORK,)),
    "reach the engine's gateway": (CONNECT.format(host="172.17.0.1", port="{port}"), (NETWORK,)),
    "reach the metadata": (CONNECT.format(host="169.254.169.254", port=80), (NETWORK,)),
    "ask for a name": ("python3 -c 'import socket; socket.gethostbyname(\"evil.example\")'", (NETWORK,)),
    "get rights": ("unshare -r id; mount -t tmpfs x /mnt; mknod /tmp/sda b 8 0", (RIGHTS,)),
    "ask the engine": ("ls -l /var/run/docker.sock /run/docker.sock", ()),
    "fork": ("python3 -c '{forks}'", (AMOUNT,)),
    "stay behind": ("nohup setsid sh -c 'sleep 2; touch {place}/behind /tmp/behind' >/dev/null 2>&1 &", ()),
    "steer the terminal": ("printf '\\033]0;title\\007\\033[2J\\033[31mred\\r\\xe2\\x80\\xaereverse\\n'", ()),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_command_has_no_effect(driver: str, host: Host, attack: str) -> None:
    script, words = ATTACKS[attack]
    before = fingerprint(host.place)
    filled = (
        script.replace("{forks}", FORKS).replace("{place}", str(host.place)).replace("{pid}", str(host.process.pid))
    )
    done = run(["sh", "-c", filled.replace("{port}", str(host.port))], os.environ, Wanted(sandbox=driver, timeout=20))
    assert fingerprint(host.place) == before
    assert host.process.poll() is None
    assert host.callers == []
    assert "words of the host" not in done.output
    assert all(character.isprintable() or character in "\n\t" for character in done.output)
    assert set(words) <= set(done.messages), done.output


def test_the_service_of_the_host_can_be_reached_from_the_host(host: Host) -> None:
    socket.create_connection(("127.0.0.1", host.port), 2).close()
    for _ in range(100):
        if host.callers:
            break
        threading.Event().wait(0.02)
    assert host.callers
    host.callers.clear()


def test_ten_million_lines_are_bounded(driver: str) -> None:
    shown: list[str] = []
    wanted = Wanted(sandbox=driver, show=shown.append)
    done: Executed = run(["sh", "-c", "yes spam | head -c 50000000; echo; echo last"], os.environ, wanted)
    assert "".join(shown) == done.output
    assert done.output.endswith("spam\n\nlast\n")
    assert "bytes left out" in done.output
    assert len(done.output) < 1_200_000
