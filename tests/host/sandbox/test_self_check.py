"""A box that is not as planned is refused: one item is tampered with at a time, in what is said and in real boxes."""

import copy
import os
import time
from dataclasses import replace

import docker
import pytest

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox import BoxLimits, inspection
from ay_bot.host.sandbox import bubblewrap as bubblewrap_driver
from ay_bot.host.sandbox.bubblewrap import BubblewrapSandbox, find_bubblewrap
from ay_bot.host.sandbox.docker import DockerSandbox
from ay_bot.host.sandbox.inspection import Container, ContainerPlan
from ay_bot.host.sandbox.self_check import DESCRIPTORS, Plan, differences
from ay_bot.protocol.plain_messages import Observed
from tests.host.sandbox.conftest import MIB, run, seed, spec

ZERO = "0000000000000000"
GOOD = Observed(
    status={"Uid": "7\t7\t7\t7", "Gid": "7\t7\t7\t7", "NoNewPrivs": "1", "Seccomp": "2"}
    | dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), ZERO),
    mounts=(
        "/ ro,relatime overlay",
        "/proc rw,nosuid,nodev,noexec proc",
        "/dev rw,nosuid tmpfs",
        "/sys/fs/cgroup ro,nosuid cgroup2",
        "/etc/hosts ro,relatime ext4",
        "/work rw,nosuid,nodev tmpfs",
        "/tmp rw,nosuid,nodev tmpfs",
    ),
    interfaces=("lo",),
    variables=("PATH", "LANG"),
    descriptors=DESCRIPTORS,
)
WRITABLE = frozenset({"/work", "/tmp"})
PLAN = Plan(
    uid=7, places=WRITABLE | {"/", "/etc/hosts", "/etc/resolv.conf"}, writable=WRITABLE, variables=frozenset({"LANG"})
)


def with_status(**changed: str) -> Observed:
    return replace(GOOD, status=GOOD.status | changed)


def with_mount(line: str) -> Observed:
    return replace(GOOD, mounts=(*GOOD.mounts, line))


def without_mount(start: str) -> Observed:
    return replace(GOOD, mounts=tuple(mount for mount in GOOD.mounts if not mount.startswith(start)))


def test_a_box_as_planned_passes() -> None:
    assert differences(GOOD, PLAN) == []
    assert differences(with_status(Uid="0\t0\t0\t0", Gid="0 0 0 0"), replace(PLAN, uid=None)) == []


@pytest.mark.parametrize(
    ("tampered", "item"),
    [
        (with_status(Uid="7\t0\t7\t7"), "Uid is 7 0 7 7, not 7"),
        (with_status(Gid="0\t0\t0\t0"), "Gid"),
        *(
            (with_status(**{name: "0000000000200000"}), name)
            for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        ),
        (with_status(NoNewPrivs="0"), "no_new_privs"),
        (with_status(Seccomp="0"), "seccomp"),
        (with_status(Seccomp="1"), "seccomp"),
        (Observed(), "seccomp"),
        (with_mount("/run/docker.sock rw,relatime ext4"), "mounted at /run/docker.sock"),
        (with_mount("/home ro,relatime ext4"), "mounted at /home"),
        (with_mount("/etc/hosts rw,relatime ext4"), "/etc/hosts can be written"),
        (with_mount("/sys/fs rw,relatime ext4"), "/sys/fs can be written"),
        (with_mount("/dev/sda rw,relatime devtmpfs"), "mounted at /dev/sda"),
        (with_mount("/ rw,relatime overlay"), "root file system is not read-only"),
        (with_mount("/work rw,nosuid,nodev ext4"), "/work is not a tmpfs"),
        (with_mount("/tmp rw,nodev tmpfs"), "/tmp is not a tmpfs with nosuid"),
        (without_mount("/tmp"), "nothing is mounted at /tmp"),
        (replace(GOOD, interfaces=("lo", "eth0")), "lo, eth0"),
        (replace(GOOD, interfaces=()), "interfaces are not known"),
        (replace(GOOD, variables=("OPENAI_API_KEY",)), "OPENAI_API_KEY"),
        (replace(GOOD, descriptors=(0, 1, 2, 5, 100, 101, 102)), "descriptors"),
    ],
)
def test_each_item_seen_from_within(tampered: Observed, item: str) -> None:
    found = differences(tampered, PLAN)
    assert any(item in one for one in found), found


SAID = {
    "Image": "sha256:1",
    "Mounts": [],
    "NetworkSettings": {"Networks": {}, "Ports": {}, "IPAddress": ""},
    "Config": {
        "User": "7:7", "Entrypoint": ["p"], "Cmd": ["-I"], "Tty": False, "OpenStdin": True, "StdinOnce": True,
        "Healthcheck": {"Test": ["NONE"]},
    },
    "HostConfig": {
        "NetworkMode": "none", "ReadonlyRootfs": True, "AutoRemove": True, "IpcMode": "private", "PidMode": "",
        "LogConfig": {"Type": "none"}, "ShmSize": 16 * MIB, "Tmpfs": {"/work": "rw"}, "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"], "Memory": 4096 * MIB, "MemorySwap": 4096 * MIB, "PidsLimit": 512,
        "NanoCpus": 2_000_000_000, "Init": False, "MaskedPaths": sorted(inspection.MASKED),
        "ReadonlyPaths": sorted(inspection.READ_ONLY),
    },
}  # fmt: skip
ASKED = ContainerPlan(
    limits=BoxLimits(),
    image="sha256:1",
    user="7:7",
    entrypoint=["p"],
    command=["-I"],
    tmpfs={"/work": "rw"},
    volumes=frozenset({"/opt/ay"}),
)


def inspected(path: str, value: object) -> list[str]:
    said = copy.deepcopy(SAID)
    *way, last = path.split(".")
    place = said
    for name in way:
        place = place[name]
    place[last] = value
    return Container(said).differences(ASKED)


def test_a_container_as_asked_for_passes() -> None:
    assert Container(SAID).differences(ASKED) == []
    assert inspected("Mounts", [{"Type": "volume", "Destination": "/opt/ay", "RW": False, "Source": "x"}]) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("HostConfig.NetworkMode", "bridge"), ("HostConfig.ReadonlyRootfs", False), ("HostConfig.AutoRemove", False),
        ("HostConfig.IpcMode", "host"), ("HostConfig.PidMode", "host"), ("HostConfig.UTSMode", "host"),
        ("HostConfig.UsernsMode", "host"), ("HostConfig.LogConfig", {"Type": "json-file"}),
        ("HostConfig.ShmSize", 64 * MIB), ("HostConfig.Tmpfs", {"/work": "rw", "/etc": "rw"}),
        ("HostConfig.CapDrop", ["MKNOD"]), ("HostConfig.CapDrop", None), ("HostConfig.CapAdd", ["NET_RAW"]),
        ("HostConfig.SecurityOpt", None), ("HostConfig.SecurityOpt", ["no-new-privileges:true", "seccomp=unconfined"]),
        ("HostConfig.SecurityOpt", ["no-new-privileges:true", "apparmor=unconfined"]),
        ("HostConfig.Binds", ["/:/host"]), ("HostConfig.Devices", [{"PathOnHost": "/dev/kvm"}]),
        ("HostConfig.DeviceCgroupRules", ["c *:* rwm"]), ("HostConfig.DeviceRequests", [{"Driver": "nvidia"}]),
        ("HostConfig.Privileged", True), ("HostConfig.Init", True), ("HostConfig.GroupAdd", ["docker"]),
        ("HostConfig.ExtraHosts", ["host:host-gateway"]), ("HostConfig.Links", ["/db:/box/db"]),
        ("HostConfig.VolumesFrom", ["other"]), ("HostConfig.PortBindings", {"80/tcp": [{}]}),
        ("HostConfig.PublishAllPorts", True), ("HostConfig.OomKillDisable", True),
        ("HostConfig.Sysctls", {"net.ipv4.ip_forward": "1"}),
        ("HostConfig.Memory", 0), ("HostConfig.MemorySwap", -1), ("HostConfig.PidsLimit", None),
        ("HostConfig.NanoCpus", 0), ("HostConfig.MaskedPaths", []), ("HostConfig.ReadonlyPaths", None),
        ("Config.User", ""), ("Config.Entrypoint", ["/bin/sh"]), ("Config.Cmd", ["x"]), ("Config.Tty", True),
        ("Config.OpenStdin", False), ("Config.StdinOnce", False), ("Config.Healthcheck", None),
        ("NetworkSettings.Networks", {"bridge": {}}), ("NetworkSettings.IPAddress", "172.17.0.2"), ("Image", "sha256:2"),
        ("Mounts", [{"Type": "bind", "Destination": "/opt/ay", "RW": False, "Source": "/"}]),
        ("Mounts", [{"Type": "volume", "Destination": "/opt/ay", "RW": True, "Source": "x"}]),
        ("Mounts", [{"Type": "volume", "Destination": "/data", "RW": False, "Source": "x"}]),
    ],
)  # fmt: skip
def test_each_item_seen_from_outside(path: str, value: object) -> None:
    found = inspected(path, value)
    assert found
    assert all(path.partition(".Type")[0] in item for item in found), found


def test_what_an_engine_says_it_cannot_cap_is_a_notice_and_no_difference() -> None:
    said = copy.deepcopy(SAID)
    said["HostConfig"]["PidsLimit"] = None
    assert Container(said).differences(ASKED, uncapped=["processes"]) == []


class Weaker(DockerSandbox):
    """The driver with one setting of its wall changed."""

    def __init__(self, changes: dict[str, object], *, blind: bool) -> None:
        super().__init__(docker.APIClient(version="auto"))
        self._changes = changes
        self._blind = blind

    def _host_settings(self, *arguments: object) -> dict[str, object]:
        return {**super()._host_settings(*arguments), **self._changes}

    def _inspect_box(self, *arguments: object) -> None:
        if not self._blind:
            super()._inspect_box(*arguments)


@pytest.mark.docker
@pytest.mark.parametrize(
    ("changes", "outside", "within"),
    [
        ({"cap_drop": []}, r"CapDrop", r"CapBnd is \w+: it has capabilities"),
        ({"read_only": False}, r"ReadonlyRootfs is False", r"root file system is not read-only"),
        ({"binds": ["/usr/share:/home/x:ro"]}, r"Binds", r"mounted at /home/x"),
        ({"tmpfs": {"/tmp": "rw,size=1m"}}, r"Tmpfs", r"nothing is mounted at /work"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_weaker_container_is_refused_before_and_after_its_start(
    changes: dict[str, object], outside: str, within: str
) -> None:
    with (
        pytest.raises(SandboxUnavailable, match=f"seen from outside: .*{outside}"),
        Weaker(changes, blind=False).open(spec()),
    ):
        pytest.fail("it was opened")
    with (
        pytest.raises(SandboxUnavailable, match=f"seen from within: .*{within}"),
        Weaker(changes, blind=True).open(spec()),
    ):
        pytest.fail("it was opened")


@pytest.mark.bwrap
@pytest.mark.parametrize(
    ("less", "more", "item"),
    [
        ((), ("--share-net",), "its network interfaces are"),
        ((), ("--ro-bind", "/usr", "/tmp/host"), "mounted at /tmp/host"),
        (("--remount-ro", "/dev", "--remount-ro", "/"), (), "root file system is not read-only"),
        (("--cap-drop", "ALL"), ("--cap-add", "CAP_NET_RAW"), "it has capabilities"),
    ],
)
def test_a_weaker_bubblewrap_is_refused(
    monkeypatch: pytest.MonkeyPatch, less: tuple[str, ...], more: tuple[str, ...], item: str
) -> None:
    def weaker(*given: object) -> list[str]:
        words = " ".join(made(*given))
        assert " ".join(less) in words
        return [*words.replace(f" {' '.join(less)}", "", 1 if less else 0).split(" "), *more]

    made = bubblewrap_driver.arguments
    monkeypatch.setattr(bubblewrap_driver, "arguments", weaker)
    with pytest.raises(SandboxUnavailable, match=item), find_bubblewrap(os.environ).open(spec()):
        pytest.fail("it was opened")


@pytest.mark.bwrap
def test_the_host_sees_what_the_box_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box that shares the host's network, and whose first word hides it."""
    monkeypatch.setattr(bubblewrap_driver, "shared_namespaces", lambda pid: ["net"])
    with pytest.raises(SandboxUnavailable, match="seen from outside: it shares the net namespace"):
        find_bubblewrap(os.environ).open(spec()).__enter__()
    monkeypatch.setattr(bubblewrap_driver, "first_process", lambda pid: int(""))
    with pytest.raises(SandboxUnavailable, match="its first process can't be seen"):
        find_bubblewrap(os.environ).open(spec()).__enter__()


@pytest.mark.docker
@pytest.mark.bwrap
def test_the_checks_cost_less_than_fifty_milliseconds() -> None:
    client = docker.APIClient(version="auto")
    spent = []

    class Timed(DockerSandbox):
        def _inspect_box(self, *arguments: object) -> None:
            self.began = time.perf_counter()
            super()._inspect_box(*arguments)
            spent.append(time.perf_counter() - self.began)

        def _check_from_within(self, *arguments: object) -> None:
            began = time.perf_counter()
            super()._check_from_within(*arguments)
            spent[-1] += time.perf_counter() - began

    class TimedBubblewrap(BubblewrapSandbox):
        def _check(self, *arguments: object) -> None:
            began = time.perf_counter()
            super()._check(*arguments)
            others.append(time.perf_counter() - began)

    others: list[float] = []
    found = find_bubblewrap(os.environ)
    for sandbox in (Timed(client), TimedBubblewrap(found._executable, found._toolchain)):
        for _ in range(3):
            with sandbox.open(spec(only_for_checks=True)) as box:
                seed(box)
                observing = run(box, "cat /proc/self/status /proc/self/mountinfo /proc/self/net/dev >/dev/null").seconds
                assert observing < 0.5
    print("checks", spent, others)
    assert min(spent) < 0.05
    assert min(others) < 0.05
