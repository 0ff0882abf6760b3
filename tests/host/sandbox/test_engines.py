"""Engines that are reached over a wire, and runtimes: a few boxes each; `make engines` runs the whole contract on them."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from ay_bot.errors import ExitCode, SandboxUnavailable
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


class Chosen(NamedTuple):
    """An engine and a runtime of it: the machine's own and its default under its long name, or what was made."""

    environment: Mapping[str, str]
    name: str
    trace: Path | None = None


@pytest.fixture
def chosen() -> Chosen:
    """`make engines` makes an engine with a runtime that has gVisor's name and leaves a trace."""
    if made := os.environ.get("AY_RUNTIME"):
        return Chosen({**os.environ, "DOCKER_HOST": made}, "runsc", Path(os.environ["AY_RUNTIME_TRACE"]))
    return Chosen(os.environ, "io.containerd.runc.v2")


@pytest.mark.slow
def test_a_box_runs_in_the_runtime_that_was_asked_for(chosen: Chosen) -> None:
    sandbox = connect(chosen.environment, chosen.name)
    before = chosen.trace.read_text() if chosen.trace and chosen.trace.exists() else ""
    with sandbox.open(spec(only_for_checks=True)) as box:
        assert sandbox.client.inspect_container(box.name)["HostConfig"]["Runtime"] == chosen.name
        seed(box)
        assert run(box, "echo here").output == "here\n"
    assert chosen.trace is None or chosen.trace.read_text() != before
    lacking = [weakness.lacks for weakness in sandbox.weaknesses()]
    assert ("kernel" in lacking) is (chosen.name != "runsc")


@pytest.mark.slow
def test_a_box_in_another_runtime_is_refused(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    made = DockerSandbox._host_settings
    monkeypatch.setattr(DockerSandbox, "_host_settings", lambda *given: {**made(*given), "runtime": "runc"})
    sandbox = connect(chosen.environment, chosen.name)
    with pytest.raises(SandboxUnavailable, match="Runtime is 'runc'"), sandbox.open(spec()):
        pytest.fail("it was opened")


@pytest.mark.slow
@pytest.mark.parametrize("required", [(), ("--require", "kernel")])
def test_a_runtime_for_a_command(chosen: Chosen, required: tuple[str, ...]) -> None:
    words = ["sandbox", "exec", "--runtime", chosen.name, *required, "--", "echo", "here"]
    command = [sys.executable, "-m", "ay_bot", *words]
    done = subprocess.run(command, env=dict(chosen.environment), capture_output=True, text=True, check=False)
    if required and chosen.name != "runsc":
        assert (done.returncode, done.stdout) == (ExitCode.SANDBOX_UNAVAILABLE, "")
        assert "kernel" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, "here\n"), done.stderr
