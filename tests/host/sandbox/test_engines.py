"""Engines that are reached over a wire, and runtimes: a few boxes each; `make engines` runs the whole contract on them."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox.docker import DockerSandbox, connect
from tests.host.sandbox.conftest import MIB, run, seed, spec
from tests.host.sandbox.engines import make_certificates, open_engine
from tests.host.sandbox.test_docker import wait_until_gone

pytestmark = [pytest.mark.docker]


@pytest.fixture(params=["tcp", "tls", "ssh"], scope="module")
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    with open_engine(request.param, tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.fixture(scope="module")
def sandbox(environment: Mapping[str, str]) -> DockerSandbox:
    return connect(environment)


@pytest.mark.slow
def test_a_box_over_a_wire_is_a_box(sandbox: DockerSandbox) -> None:
    with sandbox.open(spec(only_for_checks=True)) as box:
        seed(box, {"big": os.urandom(MIB) * 16})
        assert run(box, "wc -c < big; id -u").output.splitlines()[0] == str(16 * MIB)
        threading.Timer(0.2, box.kill).start()
        with pytest.raises(Exception, match=r"^$|ended"):
            run(box, "sleep 60")
    wait_until_gone(sandbox.client, box.name)


@pytest.mark.slow
def test_an_engine_that_shows_another_certificate_is_refused(tmp_path: Path) -> None:
    """Whatever DOCKER_TLS_VERIFY says: an engine that anybody could be is none."""
    (tmp_path / "other").mkdir()
    make_certificates(tmp_path / "other")
    with open_engine("tls", tmp_path) as environment:
        stranger = {**environment, "DOCKER_CERT_PATH": str(tmp_path / "other"), "DOCKER_TLS_VERIFY": ""}
        with pytest.raises(SandboxUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            connect(stranger)


@pytest.mark.slow
def test_a_host_that_ssh_does_not_know_is_refused(tmp_path: Path) -> None:
    with open_engine("ssh", tmp_path) as environment:
        (tmp_path / "known").write_text("")
        with pytest.raises(SandboxUnavailable, match="Host key verification failed"):
            connect(environment)


@pytest.fixture
def with_runtime() -> DockerSandbox:
    if "AY_RUNTIME" not in os.environ:
        pytest.skip("`make engines` makes an engine with a runtime more")
    return connect({"DOCKER_HOST": os.environ["AY_RUNTIME"]}, "runsc")


@pytest.mark.slow
def test_a_box_runs_in_the_runtime_that_was_asked_for(with_runtime: DockerSandbox) -> None:
    trace = Path(os.environ["AY_RUNTIME_TRACE"])
    before = trace.read_text() if trace.exists() else ""
    with with_runtime.open(spec(only_for_checks=True)) as box:
        assert with_runtime.client.inspect_container(box.name)["HostConfig"]["Runtime"] == "runsc"
        seed(box)
        assert run(box, "echo here").output == "here\n"
    assert trace.read_text() != before
    assert [weakness.lacks for weakness in with_runtime.weaknesses()] == []


@pytest.mark.slow
def test_a_box_in_another_runtime_is_refused(with_runtime: DockerSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    made = DockerSandbox._host_settings
    monkeypatch.setattr(DockerSandbox, "_host_settings", lambda *given: {**made(*given), "runtime": "runc"})
    with pytest.raises(SandboxUnavailable, match="Runtime is 'runc'"), with_runtime.open(spec()):
        pytest.fail("it was opened")


@pytest.mark.slow
def test_a_runtime_for_a_command(with_runtime: DockerSandbox) -> None:
    words = [
        sys.executable,
        "-m",
        "ay_bot",
        "sandbox",
        "exec",
        "--runtime",
        "runsc",
        "--require",
        "kernel",
        "--",
        "echo",
        "here",
    ]
    environment = {**os.environ, "DOCKER_HOST": os.environ["AY_RUNTIME"]}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "here\n"
