"""Addresses of engines, and what becomes of those that lead nowhere; test_engines has those that lead somewhere."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.sandbox.docker_connection import open_client
from ay_bot.host.sandbox.engine_ssh import Place, open_tunnel, parse_place


@pytest.mark.parametrize(
    ("address", "place", "words"),
    [
        ("ssh://box", Place("box", "", None, "/var/run/docker.sock"), ["--", "box"]),
        ("ssh://me@Box:22/", Place("Box", "me", 22, "/var/run/docker.sock"), ["-l", "me", "-p", "22", "--", "Box"]),
        ("ssh://[::1]/run/user/1/docker.sock", Place("::1", "", None, "/run/user/1/docker.sock"), ["--", "::1"]),
    ],
)
def test_an_address_behind_ssh(address: str, place: Place, words: list[str]) -> None:
    assert parse_place(address) == place
    assert place.words() == words


@pytest.mark.parametrize(
    "address",
    [
        "ssh://", "ssh://-oProxyCommand=id", "ssh://-l@box", "ssh://me:word@box", "ssh://box:port", "ssh://box:99999",
        "ssh://box/a:b", "ssh://box/$(id)", "ssh://box?x", "ssh://bo x", "ssh://box/so cket", "ssh://b\nox",
    ],
)  # fmt: skip
def test_at_48_an_address_that_attacks_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="names no engine"):
        parse_place(address)


@pytest.fixture
def failing_ssh(tmp_path: Path) -> dict[str, str]:
    """An ssh that fails as the real one does, and one secret that it must not be handed."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\necho 'Permission denied (publickey).' >&2\nexit 255\n")
    ssh.chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "A_TOKEN": "hunter2"}


def test_an_engine_that_ssh_does_not_reach_is_told_in_its_words(failing_ssh: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match=r"no way by ssh .* on box: Permission denied \(publickey\)") as caught:
        open_tunnel("ssh://box", failing_ssh)
    assert "ssh box" in caught.value.hint
    assert "hunter2" not in (tmp_path / "environment").read_text()


def test_at_40_ssh_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """A host that is killed leaves no ssh behind, though nobody is left to end it."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    ssh.chmod(0o755)
    program = "import sys; from ay_bot.host.sandbox.engine_ssh import open_tunnel; open_tunnel('ssh://box', {'PATH': sys.argv[1]})"
    host = subprocess.Popen([sys.executable, "-c", program, f"{tmp_path}:{os.environ['PATH']}"])
    with host:
        pid = wait_for(tmp_path / "pid")
        assert Path(f"/proc/{pid}").exists()
        host.kill()
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}/fd").exists() and "sleep" in Path(f"/proc/{pid}/cmdline").read_text():
        assert time.monotonic() < end, "it runs on"
        time.sleep(0.02)


def wait_for(file: Path) -> int:
    end = time.monotonic() + 20
    while not file.exists() or not file.read_text().strip():
        assert time.monotonic() < end
        time.sleep(0.02)
    return int(file.read_text())


def test_an_address_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"npipe:////\./pipe, which is no address"):
        open_client({"DOCKER_HOST": "npipe:////./pipe"})


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match=r"certificates for the engine at tcp://127\.0\.0\.1:1") as caught:
        open_client({"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_CERT_PATH": str(tmp_path)})
    assert str(tmp_path) in caught.value.hint
