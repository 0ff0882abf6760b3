"""What is particular to the Docker driver: how its containers are made, other images, and the reaper."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from ay_bot.errors import ImageUnavailable, SandboxUnavailable
from ay_bot.host.egress.sidecar import SidecarSpec
from ay_bot.host.image import image_name, runtime_volume
from ay_bot.host.owner import this_process
from ay_bot.host.sandbox import BoxSpec
from ay_bot.host.sandbox.docker import DockerSandbox, connect
from ay_bot.host.sandbox.engine import find_engine
from ay_bot.host.sandbox.guarantees import tell
from ay_bot.host.sandbox.labels import DEADLINE_LABEL, NAMESPACE_LABEL, OWNER_LABEL, RUN_LABEL, labels, pid_namespace
from tests.host.sandbox.conftest import MIB, run, seed, spec

OTHER_IMAGE = "ay-bot-test:other"


@pytest.fixture(scope="module")
def sandbox() -> DockerSandbox:
    return connect(os.environ)


@pytest.fixture(scope="module")
def client() -> Iterator[docker.APIClient]:
    opened = docker.APIClient(version="auto")
    yield opened
    opened.close()


@pytest.mark.docker
def test_at_41_a_container_is_made_as_the_policy_says(sandbox: DockerSandbox, client: docker.APIClient) -> None:
    limits = {"memory": 512 * MIB, "cpus": 1.5, "pids": 77, "open_files": 999, "file_size": 5 * MIB}
    with sandbox.open(spec(**limits)) as box:
        found = client.inspect_container(box.name)
    config, host = found["Config"], found["HostConfig"]
    uid = config["User"].partition(":")[0]
    assert 20_000 <= int(uid) < 60_000
    assert config["User"] == f"{uid}:{uid}"
    assert config["Entrypoint"] == ["/opt/ay/bin/python3"]
    assert config["Cmd"][:3] == ["-I", "-S", "-B"]
    assert (config["WorkingDir"], config["Hostname"], config["StopSignal"]) == ("/", "box", "SIGKILL")
    assert (config["OpenStdin"], config["StdinOnce"], config["Tty"]) == (True, True, False)
    assert config["Healthcheck"] == {"Test": ["NONE"]}
    assert not config["Volumes"]
    assert {"LD_PRELOAD=", "LD_LIBRARY_PATH="} <= set(config["Env"])
    assert config["Labels"][RUN_LABEL] == "test"
    assert config["Labels"][OWNER_LABEL] == this_process()
    assert int(config["Labels"][DEADLINE_LABEL]) > time.time()
    assert host["NetworkMode"] == "none"
    assert set(found["NetworkSettings"]["Networks"]) <= {"none"}
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False
    assert host["Init"] is False
    assert (host["IpcMode"], host["PidMode"], host["UTSMode"]) == ("private", "", "")
    assert host["AutoRemove"] is True
    assert host["LogConfig"]["Type"] == "none"
    assert host["PidsLimit"] == 77
    assert host["Memory"] == host["MemorySwap"] == 512 * MIB
    assert host["NanoCpus"] == 1_500_000_000
    assert host["OomScoreAdj"] == 500
    assert host["ShmSize"] == 16 * MIB
    assert {(limit["Name"], limit["Soft"], limit["Hard"]) for limit in host["Ulimits"]} == {
        ("nofile", 999, 999),
        ("core", 0, 0),
        ("fsize", 5 * MIB, 5 * MIB),
    }
    assert set(host["Tmpfs"]) == {"/work", "/tmp"}
    assert all(f"uid={uid},gid={uid}" in options for options in host["Tmpfs"].values())
    assert all("nosuid,nodev,exec" in options and "nr_inodes=" in options for options in host["Tmpfs"].values())
    assert not host["Binds"]
    assert not host["Devices"]
    assert not found["Mounts"]


@pytest.mark.docker
def test_the_container_is_gone_afterwards(sandbox: DockerSandbox, client: docker.APIClient) -> None:
    with sandbox.open(spec()) as box:
        assert client.containers(all=True, filters={"id": box.name})
    wait_until_gone(client, box.name)


@pytest.mark.docker
def test_at_42_inodes_are_capped(sandbox: DockerSandbox) -> None:
    with sandbox.open(spec(inodes=500)) as box:
        seed(box)
        made = run(box, "n=0; while : > f$n; do n=$((n+1)); done 2>/dev/null; ls | wc -l")
    assert 400 < int(made.output.split()[-1]) <= 500


@pytest.fixture(scope="module")
def other_image(client: docker.APIClient) -> Iterator[str]:
    """An image that is not ours, with everything that an image can say about how to run it."""
    changes = [
        'ENTRYPOINT ["/bin/false"]',
        "VOLUME /data",
        "WORKDIR /data",
        "HEALTHCHECK CMD false",
        "ENV LD_PRELOAD=/nothing.so LD_AUDIT=/nothing.so SECRET=hunter2 JAVA_HOME=/java PATH=/special:/usr/bin:/bin",
        "USER root",
        "LABEL ay.image=none",
    ]
    made = client.create_container(image=image_name(), command=["true"])["Id"]
    try:
        exported = subprocess.run(
            f"docker export {made} | tar --delete opt/ay opt/python usr/lib/python3.11 usr/lib/git-core usr/share | docker import "
            + " ".join(f"--change '{change}'" for change in changes)
            + f" - {OTHER_IMAGE}",
            shell=True,
            check=False,
            capture_output=True,
            text=True,
        )
        assert exported.returncode == 0, exported.stderr
    finally:
        client.remove_container(made, force=True)
    yield OTHER_IMAGE
    client.remove_image(OTHER_IMAGE, force=True)


@pytest.mark.docker
@pytest.mark.slow
def test_a_box_of_another_image_runs_our_program_on_that_images_files(
    sandbox: DockerSandbox, client: docker.APIClient, other_image: str
) -> None:
    made = BoxSpec(run="test", purpose="test", image=other_image)
    with sandbox.open(made) as box:
        found = client.inspect_container(box.name)
        seed(box)
        environment = run(box, "env").output
        output = run(box, "pwd; touch /data/x && echo volume; python3 -m pytest --version || echo no pytest").output
    assert output.startswith("/work\nvolume\n")
    assert output.endswith("no pytest\n")
    assert box.hello.pid == 1
    assert "PATH=/special:/usr/bin:/bin\n" in environment
    assert "JAVA_HOME=/java\n" in environment
    assert "hunter2" not in environment
    assert "LD_" not in environment
    assert [(mount["Name"], mount["RW"]) for mount in found["Mounts"]] == [(runtime_volume(), False)]
    assert set(found["HostConfig"]["Tmpfs"]) == {"/work", "/tmp", "/data"}
    assert sandbox.resolve_image(other_image) == box.image


@pytest.mark.docker
def test_our_program_runs_on_an_image_that_holds_nothing(
    sandbox: DockerSandbox, client: docker.APIClient, tmp_path: Path
) -> None:
    """No C library, no shell: the runtime brings all that it needs."""
    name = "ay-bot-test:empty"
    (tmp_path / "nothing").mkdir()
    making = f"tar -C {tmp_path} -c nothing | docker import - {name}"
    subprocess.run(making, shell=True, check=True, capture_output=True)
    try:
        with sandbox.open(BoxSpec(run="test", purpose="test", image=name)) as box:
            assert (box.hello.pid, box.hello.programs) == (1, ())
            assert seed(box).files == 1
    finally:
        client.remove_image(name, force=True)


@pytest.mark.docker
def test_an_image_that_is_not_there_is_named_with_the_way_to_get_it(sandbox: DockerSandbox) -> None:
    with pytest.raises(ImageUnavailable, match="no-such-image:1 is not on this Docker engine") as caught:
        sandbox.resolve_image("no-such-image:1")
    assert caught.value.hint == "pull it first: docker pull no-such-image:1"


@pytest.mark.docker
@pytest.mark.parametrize(
    ("owner", "namespace", "deadline", "goes"),
    [
        pytest.param(this_process(), pid_namespace(), "9999999999", False, id="alive"),
        pytest.param("{boot}:1:99999999", pid_namespace(), "9999999999", True, id="dead"),
        pytest.param("{boot}:1:99999999", "pid:[1]", "9999999999", False, id="dead-elsewhere"),
        pytest.param("another-boot:1:1", pid_namespace(), "9999999999", False, id="other-machine"),
        pytest.param(this_process(), pid_namespace(), "1", True, id="overdue"),
    ],
)
def test_the_reaper_removes_what_outlived_its_run(
    sandbox: DockerSandbox, client: docker.APIClient, owner: str, namespace: str, deadline: str, goes: bool
) -> None:
    labels = {
        RUN_LABEL: "test",
        OWNER_LABEL: owner.format(boot=this_process().partition(":")[0]),
        NAMESPACE_LABEL: namespace,
        DEADLINE_LABEL: deadline,
    }
    made = client.create_container(image=image_name(), entrypoint=["sleep"], command=["60"], labels=labels)["Id"]
    try:
        assert (made[:12] in sandbox.reap()) is goes
        assert bool(client.containers(all=True, filters={"id": made})) is not goes
    finally:
        if not goes:
            client.remove_container(made, force=True)


@pytest.mark.docker
@pytest.mark.parametrize("owner", ["dead", "alive"])
def test_at_40_the_reaper_removes_volumes_and_networks_too(
    sandbox: DockerSandbox, client: docker.APIClient, owner: str
) -> None:
    boot = this_process().partition(":")[0]
    marks = labels("test", 60) | ({OWNER_LABEL: f"{boot}:1:99999999"} if owner == "dead" else {})
    name = f"ay-test-reaper-{os.getpid()}-{owner}"
    client.create_volume(name, labels=marks)
    client.create_network(name, internal=True, labels=marks)
    holder = client.create_container(
        image=image_name(),
        command=["true"],
        labels=marks,
        host_config=client.create_host_config(binds=[f"{name}:/data"], network_mode=name),
    )
    try:
        removed = sandbox.reap()
        assert removed.count(name) == (2 if owner == "dead" else 0)
        assert (holder["Id"][:12] in removed) is (owner == "dead")
        assert len(client.volumes(filters={"name": name})["Volumes"] or []) == (0 if owner == "dead" else 1)
        assert len(client.networks(names=[name])) == (0 if owner == "dead" else 1)
    finally:
        if owner == "alive":
            client.remove_container(holder["Id"], force=True)
            client.remove_network(name)
            client.remove_volume(name)


@pytest.mark.docker
def test_an_engine_that_ignores_limits_says_so(sandbox: DockerSandbox, monkeypatch) -> None:
    described = sandbox._client.info()
    assert tell(sandbox.weaknesses()) == ()
    monkeypatch.setattr(sandbox._client, "info", lambda: described | {"MemoryLimit": False, "PidsLimit": False})
    told = DockerSandbox(sandbox._client).weaknesses()
    assert [weakness.lacks for weakness in told] == ["memory", "processes", "kernel"]
    assert tell(told) == (
        f"not capped by this engine ({sandbox.engine.name}), and softly by the box itself: memory, processes",
    )


def test_an_engine_is_looked_for_where_engines_listen(tmp_path: Path, monkeypatch) -> None:
    assert find_engine({"DOCKER_HOST": "tcp://there:1"}) == "tcp://there:1"
    if not Path("/var/run/docker.sock").is_socket():
        assert find_engine({"HOME": str(tmp_path)}) is None
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)
        listening.bind("docker.sock")
        monkeypatch.setattr("ay_bot.host.sandbox.engine.USUAL_PLACE", tmp_path / "none")
        assert find_engine({"XDG_RUNTIME_DIR": str(tmp_path)}) == f"unix://{tmp_path}/docker.sock"


def test_an_engine_that_does_not_answer_is_named() -> None:
    with pytest.raises(SandboxUnavailable, match="no Docker engine answers at unix:///nowhere") as caught:
        connect({"DOCKER_HOST": "unix:///nowhere"})
    assert "bubblewrap" in caught.value.hint


def wait_until_gone(client: docker.APIClient, name: str) -> None:
    end = time.monotonic() + 5
    while client.containers(all=True, filters={"id": name}):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_engine_that_this_user_may_not_use_is_named(tmp_path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)
    with pytest.raises(SandboxUnavailable, match="this user may not use the Docker engine") as caught:
        connect({"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    assert "group" in caught.value.hint


@pytest.mark.docker
def test_an_engine_that_no_proxy_was_tried_on_is_refused(sandbox: DockerSandbox, monkeypatch) -> None:
    other = DockerSandbox(sandbox.client)
    monkeypatch.setitem(vars(other), "engine", replace(sandbox.engine, kind="Podman"))
    with pytest.raises(SandboxUnavailable, match="`allowlist` is not supported on this engine"):
        other.open_sidecar(SidecarSpec(run="test", wall=1.0))
