"""What a command in a real box can reach, leave behind and use up: both drivers, tried from inside."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ay_bot.host.sandbox import Box, Sandbox
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER, MIB, make_sandbox, run, seed, spec

CANARY = "canary-7f3a"
OF_THE_RUNNER = (
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL",
    "ACTIONS_RESULTS_URL", "GITHUB_TOKEN", "GH_TOKEN", "INPUT_GITHUB_TOKEN", "INPUT_APP_PRIVATE_KEY", "OPENAI_API_KEY",
    "AWS_SECRET_ACCESS_KEY", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "DOCKER_HOST_TOKEN",
)  # fmt: skip
PROBE = """
import json, os, socket, sys
def reach(host, port, kind=socket.SOCK_STREAM):
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        with socket.socket(family, kind) as tried:
            tried.settimeout(2)
            tried.connect(address)
            tried.send(b"x")
            return "reached"
    except OSError as error:
        return type(error).__name__
targets = {f"{host}:{number}": (host, number) for host, number in json.loads(sys.argv[1])}
found = {name: reach(*target) for name, target in targets.items()}
found |= {f"udp {name}": reach(*target, socket.SOCK_DGRAM) for name, target in targets.items()}
found["names"] = [line for line in open("/etc/resolv.conf") if line.startswith("nameserver")] if os.path.exists("/etc/resolv.conf") else []
print(json.dumps(found))
"""
SEARCH = """
import base64, os, sys
canary = sys.argv[1].encode()
wanted = [canary, canary[::-1], canary.hex().encode(), base64.b64encode(canary).rstrip(b"=")[:-1]]
hits = []
for top in ("/proc", "/etc", "/work", "/tmp", "/run", "/home", "/root", "/dev", "/mnt", "/srv", "/github", "/__w"):
    for place, directories, files in os.walk(top):
        directories[:] = [name for name in directories if name not in ("task", "map_files", str(os.getpid()))]
        for name in files:
            path = os.path.join(place, name)
            if name in ("kmsg", "kcore", "pagemap", "clear_refs", "mem") or not os.path.isfile(path):
                continue
            try:
                with open(path, "rb") as file:
                    content = file.read(2_000_000)
            except OSError:
                continue
            hits += [path for text in wanted if text in content]
print("HITS", hits)
"""
CLOUD = (
    "169.254.169.254", "168.63.129.16", "fd00:ec2::254", "metadata.google.internal", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376", "::ffff:169.254.169.254", "100.100.100.200",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "1.1.1.1", "2001:4860:4860::8888", "github.com", "canary.attacker.example")


@pytest.fixture(params=[DOCKER, BUBBLEWRAP], scope="module")
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_THE_RUNNER:
            patch.setenv(name, CANARY)
        yield make_sandbox(request.param)


@pytest.fixture(scope="module")
def box(sandbox: Sandbox) -> Iterator[Box]:
    with sandbox.open(spec(pids=200, work=64 * MIB, temporary=32 * MIB, file_size=16 * MIB)) as opened:
        seed(opened, {"reach.py": PROBE.encode(), "search.py": SEARCH.encode()})
        yield opened


@pytest.fixture(scope="module")
def listening() -> Iterator[int]:
    """A service of the host on every address that it has."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket) -> None:
    try:
        while True:
            server.accept()[0].close()
    except OSError:
        return


def reach(box: Box, *targets: tuple[str, int]) -> dict[str, str]:
    checked = run(box, f"python3 /work/reach.py '{json.dumps(targets)}'")
    assert checked.exit_code == 0, checked.output
    found = json.loads(checked.output)
    names = found.pop("names")
    assert names == [], names
    return found


def test_at_24_no_address_of_a_clouds_metadata_is_reached(box: Box) -> None:
    found = reach(box, *((address, 80) for address in CLOUD))
    assert len(found) == 2 * len(CLOUD)
    assert "reached" not in found.values()


def test_at_25_at_28_no_name_is_asked_for_and_nothing_is_reached(box: Box) -> None:
    found = reach(box, *((address, port) for address in OUTSIDE for port in (53, 443)))
    assert "reached" not in found.values()


def test_at_26_at_27_no_service_of_the_host_is_reached(box: Box, listening: int) -> None:
    """Not by the bridge's gateway, not by any address of the host; there is no proxy that could be talked round."""
    ours = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, family=socket.AF_INET)}
    with socket.create_connection(("127.0.0.1", listening), timeout=2):
        pass
    addresses = ours | {"127.0.0.1", "172.17.0.1", "10.0.2.2", "host.docker.internal", "gateway.docker.internal"}
    assert "reached" not in {
        result
        for name, result in reach(box, *((address, listening) for address in addresses)).items()
        if "udp" not in name
    }
    assert "proxy" not in run(box, "env").output.lower()


def test_at_21_at_23_at_39_at_41_nothing_of_the_runner_is_in_a_box(box: Box) -> None:
    """No token, no request address of one, no file of commands, no socket: not as it is, reversed, in hex or base64."""
    assert os.environ["GITHUB_TOKEN"] == CANARY
    checked = run(box, f"python3 /work/search.py {CANARY[:6]}''{CANARY[6:]}", timeout=60)
    assert checked.output.endswith("HITS []\n"), checked.output[-2000:]
    planted = run(
        box, f"echo {CANARY.encode().hex()} > /tmp/planted; python3 /work/search.py {CANARY[:6]}''{CANARY[6:]}"
    )
    assert planted.output.endswith("HITS ['/tmp/planted']\n"), "the search finds nothing, so it shows nothing"
    variables = run(box, "env").output
    assert not [name for name in OF_THE_RUNNER if name in variables]
    sockets = run(
        box,
        "find / -xdev \\( -type s -o -type b \\) 2>/dev/null | grep -v ^/proc; ls -d /github /__w /host 2>/dev/null",
    )
    assert sockets.output.strip() == ""


def test_at_40_nothing_that_a_command_started_outlives_the_box(sandbox: Sandbox) -> None:
    marker = f"{os.getpid()}{time.monotonic_ns()}"
    with sandbox.open(spec()) as box:
        seed(box)
        run(
            box,
            f"setsid nohup sh -c 'trap \"\" TERM INT HUP; exec -a left-{marker} sleep 300' >/dev/null 2>&1 & sleep 0.2",
        )
        run(box, f"(trap '' TERM; exec -a also-{marker} sleep 300) & true")
    end = time.monotonic() + 5
    while _running(marker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _running(marker)


def _running(marker: str) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().decode(errors="replace").partition("\0")[0]
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


def test_at_42_a_sparse_file_and_a_hang_that_ignores_signals_end(box: Box) -> None:
    made = run(box, "truncate -s 1T sparse; stat -c %s sparse 2>/dev/null || echo none; rm -f sparse")
    assert made.output.split()[-1] in {"none", "0"}
    started = time.monotonic()
    hung = run(box, "trap '' TERM INT HUP; while :; do sleep 1; done", timeout=1)
    assert hung.timed_out
    assert time.monotonic() - started < 10
    assert run(box, "echo still here").output == "still here\n"
