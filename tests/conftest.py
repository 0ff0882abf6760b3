"""Guards around every test: a home, a git and an environment of their own, no network but loopback, no model keys."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache

import pytest
import pytest_socket

pytest_plugins = ["tests.loopback_github.fixtures"]
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.invalid",
    "GIT_COMMITTER_NAME": "A Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.invalid",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file",
}


@pytest.fixture(scope="session", autouse=True)
def clean_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the home of whoever runs it, or meets that person's keys and git settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("GIT_") or name.endswith(("_API_KEY", "_TOKEN", "_API_BASE")):
                patch.delenv(name)
        for name, value in GIT.items():
            patch.setenv(name, value)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only tests marked `registry` reach beyond this machine, and only they may need a proxy for that."""
    if request.node.get_closest_marker("registry"):
        return
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    pytest_socket.socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@cache
def lacking(marker: str) -> str:
    """Say why tests with `marker` can't run here, or nothing where they can."""
    return {"docker": _lacking_docker, "bwrap": _lacking_bwrap}[marker]()


def _lacking_docker() -> str:
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=10)
    except DockerException as error:
        return f"no Docker engine answers ({error})"
    try:
        ours = client.images.list("ay-bot")
    finally:
        client.close()
    return "" if ours else "the box image is not on this engine; make image builds it"


def _lacking_bwrap() -> str:
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed"
    trial = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "true"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)
    return f"bubblewrap doesn't work here: {tried.stderr.strip()}" if tried.returncode else ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine can't do, unless scripts/test prepared it: then it must."""
    required = os.environ.get("AY_REQUIRE", "").split(",")
    for marker in ("docker", "bwrap"):
        if item.get_closest_marker(marker) and (reason := lacking(marker)):
            (pytest.fail if marker in required else pytest.skip)(reason)
