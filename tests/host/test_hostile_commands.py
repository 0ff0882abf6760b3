"""`ay-bot sandbox exec -- sh -c '…'` for hostile commands: no effect on this machine, and the policy's words on it."""

import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ay_bot.host.policy.symptoms import AMOUNT, FILES, NETWORK, RIGHTS, explain_symptoms
from ay_bot.host.sandbox_exec import Executed, Wanted, run
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


ALONE = ("end every process", "fork")


def fill(script: str, host: Host) -> str:
    values = {"{forks}": FORKS, "{place}": str(host.place), "{pid}": str(host.process.pid), "{port}": str(host.port)}
    for name, value in values.items():
        script = script.replace(name, value)
    return script


@pytest.fixture(scope="module", params=[DOCKER, BUBBLEWRAP])
def attacked(request: pytest.FixtureRequest, host: Host) -> dict[str, tuple[Executed, str]]:
    """All attacks of the table in one box, but for those that end everything in it; with what each of them wrote."""
    together = [name for name in ATTACKS if name not in ALONE]
    script = "\n".join(
        f"echo {shlex.quote(f'== {name}')}; sh -c {shlex.quote(fill(ATTACKS[name][0], host))}" for name in together
    )
    wanted = Wanted(sandbox=request.param, timeout=60)
    done = run(["sh", "-c", script], os.environ, wanted)
    parts = done.output.split("== ")[1:]
    found = {part.partition("\n")[0]: (done, part.partition("\n")[2]) for part in parts}
    for name in ALONE:
        done = run(["sh", "-c", fill(ATTACKS[name][0], host)], os.environ, wanted)
        found[name] = (done, done.output)
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_command_has_no_effect(attacked: dict[str, tuple[Executed, str]], host: Host, attack: str) -> None:
    done, output = attacked[attack]
    words = set(ATTACKS[attack][1])
    assert [path.name for path in host.place.iterdir()] == ["planted"]
    assert (host.place / "planted").read_text() == "words of the host"
    assert host.process.poll() is None
    assert host.callers == []
    assert "words of the host" not in output
    assert all(character.isprintable() or character in "\n\t" for character in output)
    assert words <= set(explain_symptoms(output, 1, has_proxy=False)), output
    assert words <= set(done.messages)


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
