"""A box with a door, on real walls: what it reaches through the proxy, and that there is nothing else to reach."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ay_bot.host.egress import Attempt, HostRule, NetworkPolicy, open_egress
from ay_bot.host.egress.door import Door
from ay_bot.host.redteam.doors import laboratory
from ay_bot.host.sandbox import BoxSpec
from ay_bot.host.sandbox.policy import Image, inspection_plan, plan
from ay_bot.host.sandbox.self_check import Plan, differences
from ay_bot.protocol.plain_messages import Observed
from tests.host.egress.conftest import Room, require_proxy
from tests.host.sandbox.conftest import make_sandbox

GET = """
import urllib.request, urllib.error
def get(url, **rest):
    try: return urllib.request.urlopen(urllib.request.Request(url, **rest), timeout=10).read().decode()
    except urllib.error.HTTPError as error: return f"{error.code} {error.read().decode()}"
    except OSError as error: return repr(error)
"""
HELLO = """
import socket, ssl
def tunnel(host, name):
    with socket.create_connection(("127.0.0.1", 3128), timeout=10) as proxy:
        proxy.sendall(f"CONNECT {host}:443 HTTP/1.1\\r\\n\\r\\n".encode())
        answer = proxy.recv(4096)
        if b" 200 " not in answer: return answer.split(b"\\r\\n")[0].decode()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
        try: client.do_handshake()
        except ssl.SSLWantReadError: pass
        proxy.sendall(outgoing.read())
        return repr(proxy.recv(4096))
"""


def wait_for(room: Room, host: str) -> None:
    end = time.monotonic() + 5
    while not any(attempt.host == host for attempt in room.told) and time.monotonic() < end:
        time.sleep(0.02)


def test_an_allowed_host_answers_and_every_attempt_is_told(room: Room) -> None:
    said = room.python(GET + "print(get('http://open.example/path?a=b'), get('http://nobody.example/'))")
    assert "welcome" in said
    assert "403" in said
    wait_for(room, "nobody.example")
    allowed, refused = (
        next(one for one in room.told if one.host == host) for host in ("open.example", "nobody.example")
    )
    assert (allowed.allowed, allowed.rule, allowed.method, allowed.port) == (True, "hosts:open.example", "GET", 80)
    assert allowed.path.startswith("/path")
    assert allowed.received > 8
    assert (refused.allowed, refused.rule) == (False, "name")
    assert refused.fix == "add `- nobody.example` to `network.setup.hosts`"
    assert refused in room.door.attempts()


def test_nothing_is_said_of_the_proxy_and_the_box(room: Room) -> None:
    room.python(GET + "get('http://open.example/quiet')")
    end = time.monotonic() + 5
    while not (found := [line for line in room.door.target() if "/quiet" in line]) and time.monotonic() < end:
        time.sleep(0.02)
    assert found
    assert not any(word in found[0].lower() for word in ("via:", "forwarded", "squid", "127.0.0.1 "))


def test_methods_are_those_of_the_rule(room: Room) -> None:
    said = room.python(
        GET
        + "for host in ('open.example', 'write.open.example'): print(get(f'http://{host}/', data=b'x').split()[0], end=' ')"
    )
    assert said.split() == ["403", "welcome"]
    wait_for(room, "write.open.example")
    rules = {one.host: one.rule for one in room.told if one.method == "POST"}
    assert rules == {"open.example": "method", "write.open.example": "hosts:write.open.example"}


def test_at_25_a_refused_name_is_not_looked_up(room: Room) -> None:
    """Nothing can be told to a name server by asking for a name that no rule names, or for a port that nobody asks."""
    room.python(
        GET
        + HELLO
        + "get('http://told-1.nobody.example/'); tunnel('told-2.nobody.example', 'x')\n"
        + "get('http://told-3.rebind.example:8022/'); get('http://asked.rebind.example/')"
    )
    wait_for(room, "asked.rebind.example")
    asked = [line for line in room.door.target() if line.startswith("asked")]
    assert any("asked.rebind.example" in line for line in asked)
    assert not any("told-" in line for line in asked)


def test_at_27_a_tunnel_is_open_for_tls_of_its_own_host_alone(room: Room) -> None:
    said = room.python(
        HELLO
        + "print(tunnel('open.example', 'open.example'), tunnel('open.example', 'x.example'), tunnel('x.example', 'y'))"
    )
    first, second, third = said.split(None, 1)[0], said.split("b''", 1), said
    assert "welcome" in said.partition("b''")[0]
    assert len(second) == 2
    assert first
    assert "403" in third.partition("b''")[2]
    assert any(one.rule == "tls_name" and one.host == "open.example" for one in room.told)


def test_at_24_a_name_keeps_the_addresses_that_it_had_first(room: Room) -> None:
    """The name server of the test gives a private address from the second question on, and lets nobody keep one."""
    program = GET + (
        "import time\nfor n in range(3): print(get('http://pinned.rebind.example/', headers={'Cache-Control': 'no-cache'}))\n"
        "time.sleep(2.5)\nprint(get('http://pinned.rebind.example/'))"
    )
    assert room.python(program).split() == ["welcome"] * 4
    assert sum(line == "asked pinned.rebind.example" for line in room.door.target()) <= 2  # IPv4 and IPv6


def test_at_26_there_is_no_other_way_out(room: Room) -> None:
    """A box with a door has no interface but loopback, no route, no name server, no neighbour and no vsock."""
    said = room.python("""
import errno, socket
print([name for _, name in socket.if_nameindex()])
print(sum("lo" not in line for line in open("/proc/net/route").read().splitlines()[1:]))
def attempt(what):
    try: what()
    except OSError as error: return errno.errorcode.get(error.errno, type(error).__name__)
    return "done"
for address in ("172.17.0.1", "169.254.169.254", "10.0.0.1", "127.9.0.1", "203.0.113.5"):
    print(address, attempt(lambda: socket.create_connection((address, 80), timeout=2)))
print("name", attempt(lambda: socket.getaddrinfo("open.example", 80)) != "done")
print("vsock", attempt(lambda: socket.socket(40, socket.SOCK_STREAM)))
print("datagram", attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("203.0.113.5", 53))))
""")
    lines = said.splitlines()
    assert lines[:2] == ["['lo']", "0"]
    answers = dict(line.split() for line in lines[2:])
    assert answers.pop("127.9.0.1") == "ECONNREFUSED"  # of the box's own loopback, where nobody listens
    assert answers.pop("name") == "True"
    assert answers.pop("vsock") == "EAFNOSUPPORT"
    assert set(answers.values()) == {"ENETUNREACH"}


def test_the_door_can_not_be_taken_away_or_put_elsewhere(room: Room) -> None:
    said = room.run(
        "ls /run/ay; rm -f /run/ay/proxy.sock; mv /run/ay/proxy.sock /run/ay/x; touch /run/ay/y; ls /run/ay; id -u"
    )
    assert said.split()[0] == "proxy.sock"
    assert said.split()[-2] == "proxy.sock"
    assert said.count("Read-only file system") == 3


def test_the_end_of_a_command_does_not_end_the_forwarder(room: Room) -> None:
    room.run("(setsid sleep 60 &) ; kill -9 -1")
    assert "welcome" in room.python(GET + "print(get('http://open.example/'))")


def test_half_open_connections_and_a_flood_hold_nobody_up_for_long(room: Room) -> None:
    program = (
        GET
        + """
import socket
held = []
for number in range(400):
    try:
        one = socket.create_connection(("127.0.0.1", 3128), timeout=2)
        if number % 2: one.sendall(b"GET http://open.example/ HTTP/1.1\\r\\n")
        held.append(one)
    except OSError: pass
for one in held: one.close()
print(get('http://open.example/after'))
"""
    )
    for _ in range(2):
        said = room.python(program)
        end = time.monotonic() + 10
        while "welcome" not in said and time.monotonic() < end:  # those that were closed make room in a moment
            said = room.python(GET + "print(get('http://open.example/after'))")
        assert "welcome" in said


def test_commands_are_told_of_the_proxy_and_of_no_exception(room: Room) -> None:
    said = dict(line.partition("=")[::2] for line in room.run("env").splitlines())
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        assert said[name] == "http://127.0.0.1:3128"
    assert said["no_proxy"] == said["NO_PROXY"] == ""


def test_bytes_are_bounded_over_the_life_of_a_box(room: Room) -> None:
    """A proxy of its own, and no box: the bound is kept outside of it."""
    from tests.host.egress.sockets import ask

    policy = NetworkPolicy(mode="allowlist", hosts=(HostRule(host="open.example"),), max_received=300_000)
    with open_egress(policy, room.sandbox, run="bytes", laboratory=laboratory()) as door:
        wanted = b"GET http://open.example/bytes/100000 HTTP/1.1\r\nHost: open.example\r\n\r\n"
        sizes = [ask(door.door, wanted)[0] for _ in range(4)]
        assert sizes[:2] == [sizes[0], sizes[0]]
        assert sizes[0] > 100_000
        assert sum(size for size in sizes if size > 1000) <= 300_000
        assert b"max_received" in ask(door.door, wanted)[1]
    refused = [attempt for attempt in door.attempts() if not attempt.allowed]
    assert [attempt.rule for attempt in refused] == ["max_received"]
    assert refused[0].fix == "set `network.setup.max_received: 600000`"
    assert "300,000" in refused[0].why
    assert 0 < door.totals()["received"] <= 300_000


def test_nothing_is_left_of_a_door(room: Room) -> None:
    with open_egress(POLICY_OF_ONE, room.sandbox, run="left", laboratory=laboratory()) as door:
        place = door.door
        assert there_is(room, place)
    assert not there_is(room, place)


POLICY_OF_ONE = NetworkPolicy(mode="allowlist", hosts=(HostRule(host="open.example"),))


def there_is(room: Room, place: Door) -> bool:
    if place.directory:
        return Path(place.directory).exists()
    import docker

    client = docker.from_env()
    try:
        found = [volume.name for volume in client.volumes.list(filters={"label": "ay.door"})]
        running = [one.labels["ay.run"] for one in client.containers.list(all=True, filters={"label": "ay.door"})]
        return place.volume in found or "left" in running
    finally:
        client.close()


@pytest.mark.bwrap
def test_nobody_else_on_the_machine_can_use_the_proxy() -> None:
    """With bubblewrap it listens on the machine's own loopback, and knows its relay by what nobody else can say."""
    require_proxy("bubblewrap")
    before = listeners()
    told: list[Attempt] = []
    sandbox = make_sandbox("bubblewrap")
    with open_egress(POLICY_OF_ONE, sandbox, run="alone", tell=told.append):
        (port,) = listeners() - before
        for greeting in (b"", b"PROXY TCP4 1.2.3.4 5.6.7.8 1024 9\r\n", b"PROXY UNKNOWN\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
                one.sendall(greeting + b"GET http://open.example/ HTTP/1.1\r\nHost: open.example\r\n\r\n")
                answer = one.recv(4096)
            assert not answer or b" 403 " in answer[:20]
    assert "stranger" in {attempt.rule for attempt in told}
    assert not any(attempt.allowed for attempt in told)


def listeners() -> set[int]:
    """Return the ports of the machine's loopback alone at which a process listens that this one has started."""
    held = {link for pid in descendants(os.getpid()) for link in open_files(pid)}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        int(fields[1].partition(":")[2], 16)
        for fields in lines
        if fields[1][:8] == "0100007F" and fields[3] == "0A" and f"socket:[{fields[9]}]" in held
    }


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes below one."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from descendants(child)


def open_files(pid: int) -> Iterator[str]:
    """Yield what a process has open."""
    with contextlib.suppress(OSError):
        yield from (os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.docker
def test_the_proxy_itself_has_a_network_of_its_own_and_nothing_else() -> None:
    import docker

    client = docker.from_env()
    try:
        with open_egress(POLICY_OF_ONE, make_sandbox("docker"), run="alone") as door:
            (container,) = client.containers.list(filters={"volume": door.door.volume})
            (network,) = client.networks.list(names=[door.door.volume])
            host, config = container.attrs["HostConfig"], container.attrs["Config"]
            assert list(container.attrs["NetworkSettings"]["Networks"]) == [door.door.volume]
            assert network.attrs["Options"] == {"com.docker.network.bridge.enable_icc": "false"}
            assert network.attrs["Labels"]["ay.run"] == config["Labels"]["ay.run"] == "alone"
    finally:
        client.close()
    assert host["ReadonlyRootfs"]
    assert host["AutoRemove"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["PortBindings"]
    assert not host["Binds"]
    assert host["LogConfig"]["Type"] == "none"
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert 0 < host["PidsLimit"] <= 64
    assert 0 < host["Memory"] == host["MemorySwap"]
    assert [mount["Destination"] for mount in container.attrs["Mounts"]] == ["/run/ay"]
    assert int(config["User"].partition(":")[0]) >= 20_000
    assert "ay_bot" not in str(config["Env"])


@pytest.mark.docker
def test_what_a_dead_run_left_of_a_door_is_removed() -> None:
    import docker

    labels = {"ay.door": "yes", "ay.run": "dead", "ay.owner": "x:1:1", "ay.deadline": "1"}
    client = docker.from_env()
    try:
        client.networks.create("ay-door-test-dead", labels=labels)
        client.volumes.create("ay-door-test-dead", labels=labels)
        sandbox = make_sandbox("docker")
        assert sandbox.reap().count("ay-door-test-dead") == 2
        assert not client.networks.list(names=["ay-door-test-dead"])
        assert not client.volumes.list(filters={"name": "ay-door-test-dead"})
    finally:
        client.close()


MOUNTS = ("/ ro,relatime overlay", "/work rw,nosuid,nodev tmpfs", "/tmp rw,nosuid,nodev tmpfs")
IMAGE = Image(digest="d", environment=(), volumes=(), is_ours=True)


@pytest.mark.parametrize(
    ("planned", "mount", "found"),
    [
        (True, "/run/ay ro,nosuid,nodev,noexec tmpfs", []),
        (False, "/run/ay ro,nosuid,nodev,noexec tmpfs", ["something is mounted at /run/ay (tmpfs)"]),
        (True, "/run/ay rw,nosuid,nodev,noexec tmpfs", ["/run/ay can be written (tmpfs)"]),
        (True, "/run/ayx ro tmpfs", ["something is mounted at /run/ayx (tmpfs)"]),
    ],
)
def test_a_box_knows_the_one_mount_that_a_door_is(planned: bool, mount: str, found: list[str]) -> None:
    door = Door(volume="ay-door-x") if planned else None
    wanted: Plan = plan(BoxSpec(run="r", purpose="p", door=door), IMAGE, os.getuid())
    seen = [text for text in differences(Observed(mounts=(*MOUNTS, mount)), wanted) if "/run" in text]
    assert seen == found


def test_the_engine_may_mount_one_volume_more_for_a_door_and_none_else() -> None:
    def volumes(door: Door | None) -> frozenset[str]:
        return inspection_plan(BoxSpec(run="r", purpose="p", door=door), IMAGE, 20_000).volumes

    assert volumes(Door(volume="v")) == {"/run/ay"}
    assert volumes(None) == frozenset()
