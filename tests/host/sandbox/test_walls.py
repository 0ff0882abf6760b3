"""The walls of a real box, tried from inside by a hostile program, and from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox import Box, Sandbox
from ay_bot.host.sandbox.docker import DockerSandbox
from ay_bot.protocol.messages import Check, Checked, Seed
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER, ENGINES, MIB, open_sandbox, run, seed, spec, tar_of

PROBES = Path(__file__).with_name("probes.py").read_bytes()
SECRET = "sk-a-secret-of-the-caller"


@pytest.fixture(params=[DOCKER, BUBBLEWRAP, *ENGINES], scope="module")
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_API_KEY", SECRET)
        with open_sandbox(request.param, tmp_path_factory.mktemp("engine")) as opened:
            yield opened


@pytest.fixture(scope="module")
def box(sandbox: Sandbox) -> Iterator[Box]:
    with sandbox.open(spec(pids=200, work=64 * MIB, temporary=32 * MIB, file_size=16 * MIB)) as opened:
        seed(opened, {"probes.py": PROBES})
        yield opened


def probe(box: Box, name: str) -> object:
    checked = run(box, f"python3 /work/probes.py {name}")
    assert checked.exit_code == 0, checked.output
    return json.loads(checked.output)[name]


def test_at_25_there_is_no_network_but_loopback(box: Box) -> None:
    assert probe(box, "interfaces") == ["lo"]
    assert probe(box, "routes") == []


def test_at_41_no_capability_no_new_privileges_and_a_filter(box: Box) -> None:
    status = probe(box, "status")
    assert {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0
    )
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_at_40_nothing_is_writable_but_the_workspace_and_scratch(box: Box) -> None:
    assert set(probe(box, "writable")) - {"/dev/shm", "/dev/mqueue"} == {"/work", "/tmp"}


def test_the_first_process_shows_nothing(box: Box) -> None:
    outcomes = probe(box, "first_process")
    assert set(outcomes.values()) <= {"EACCES", "EPERM"}, outcomes


def test_a_command_inherits_its_three_streams_and_nothing_else(box: Box) -> None:
    assert probe(box, "descriptors") == ["0", "1", "2", "3"]  # the fourth is the listing's own


def test_at_31_a_forged_message_reaches_nobody(box: Box) -> None:
    """If a probe could write to the pipe, the next message would be its line and not the result of the command."""
    assert not [outcome for outcome in probe(box, "forge") if outcome.startswith("wrote")]


def test_at_21_no_secret_of_the_caller_is_in_any_environment(box: Box) -> None:
    environments = probe(box, "environments")
    assert "PATH=" in environments
    assert SECRET not in environments
    assert "API_KEY" not in environments


def test_only_harmless_socket_families_are_left(box: Box) -> None:
    outcomes = probe(box, "families")
    assert {outcomes[name] for name in ("unix", "inet", "inet6")} == {"done"}
    assert {outcomes[name] for name in ("vsock", "packet", "alg", "bluetooth")} == {"EAFNOSUPPORT"}


def test_dangerous_system_calls_are_refused(box: Box) -> None:
    outcomes = probe(box, "calls")
    assert outcomes.pop("clone3") == "ENOSYS"
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "EPERM"} == {}


def test_a_foreign_abi_is_refused(box: Box) -> None:
    """`int 0x80` with the number of getpid for i386, from a 64-bit program that writes the instructions itself."""
    program = (
        "import ctypes, mmap\n"
        "code = mmap.mmap(-1, 4096, prot=7)\n"
        "code.write(bytes.fromhex('b814000000cd80c3'))\n"
        "address = ctypes.addressof(ctypes.c_char.from_buffer(code))\n"
        "print('answered', ctypes.CFUNCTYPE(ctypes.c_int)(address)())\n"
    )
    if box.hello.python and os.uname().machine != "x86_64":
        pytest.skip("only x86-64 has this second ABI")
    checked = run(box, f'python3 -c "{program}"')
    assert "answered" not in checked.output
    assert checked.exit_code == 128 + signal.SIGSYS


def test_the_first_process_cannot_be_signalled(box: Box) -> None:
    probe(box, "signal_first_process")
    assert run(box, "echo still here").output == "still here\n"


def test_the_kernels_settings_cannot_be_opened(box: Box) -> None:
    assert [path for path in probe(box, "kernel_settings") if not path.startswith("/proc/pressure/")] == []


def test_at_41_neither_the_engine_nor_the_users_files_are_there(box: Box) -> None:
    paths = "/var/run/docker.sock /run/docker.sock /root/.ssh /home/* /root/.gitconfig /etc/shadow /etc/ssl/private"
    checked = run(box, f"for path in {paths}; do if [ -r $path ]; then echo $path; fi; done")
    assert checked.output == ""


FORK = """
import os, time
made = 0
try:
    while made < 400:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made)
"""


def test_at_42_the_number_of_processes_is_capped(box: Box) -> None:
    made = int(run(box, f"python3 -c '{FORK}'").output)
    assert 150 < made < 200
    assert run(box, "echo still here").output == "still here\n"


def test_at_42_the_size_of_a_file_is_capped(box: Box) -> None:
    checked = run(box, "head -c 20000000 /dev/zero > big; stat -c %s big; rm big")
    assert checked.output.splitlines()[-1] == str(16 * MIB)


@pytest.mark.parametrize(("place", "size"), [("/work", 64 * MIB), ("/tmp", 32 * MIB)])
def test_at_42_the_size_of_the_file_systems_is_capped(box: Box, place: str, size: int) -> None:
    fill = f"for n in 1 2 3 4 5 6 7 8; do head -c 15000000 /dev/zero > {place}/fill$n; done 2>/dev/null"
    checked = run(box, f"{fill}; cat {place}/fill* | wc -c; rm {place}/fill*")
    assert 0.9 * size <= int(checked.output.split()[-1]) <= size


def test_descriptors_and_core_files_are_capped(box: Box) -> None:
    assert run(box, "ulimit -Hn; ulimit -Hc").output == "4096\n0\n"


def test_at_42_a_command_that_eats_memory_dies_and_the_box_lives(sandbox: Sandbox) -> None:
    with sandbox.open(spec(memory=256 * MIB)) as box:
        seed(box)
        eat = "python3 -c 'keep = [bytearray(1 << 20) for _ in range(4000)]'"
        if "memory" in {weakness.lacks for weakness in sandbox.weaknesses()}:
            pytest.skip("no control group can be made here")
        assert run(box, eat).exit_code in (1, 137)
        assert run(box, "echo still here").output == "still here\n"


def test_a_box_that_runs_out_of_memory_says_so(sandbox: Sandbox) -> None:
    if "memory" in {weakness.lacks for weakness in sandbox.weaknesses()}:
        pytest.skip("no control group can be made here")
    with sandbox.open(spec(memory=64 * MIB)) as box:
        body = tar_of({"big": bytes(100 * MIB)})
        box.channel.send(Seed(body_size=len(body)), body)
        told = r"(used more memory than|perhaps for want of memory \()its limit (of|is) 64 MiB"
        with pytest.raises(SandboxUnavailable, match=told if is_podman(sandbox) else r"more memory .* of 64 MiB"):
            box.channel.receive()


HOST = """
import sys, time
from tests.host.sandbox.conftest import make_sandbox, run, seed, spec
with make_sandbox(sys.argv[1]).open(spec()) as box:
    seed(box)
    from ay_bot.protocol.messages import Check
    box.channel.send(Check(command="exec -a " + sys.argv[2] + " sleep 300", timeout=300, report=""))
    print(box.name, flush=True)
    time.sleep(300)
"""


def is_running(marker: str) -> bool:
    return any(marker in _command_line(place) for place in Path("/proc").glob("[0-9]*/cmdline"))


def _command_line(place: Path) -> str:
    try:
        return place.read_bytes().decode(errors="replace").partition("\0")[0]
    except OSError:
        return ""


def test_at_40_a_killed_host_leaves_no_box(sandbox: Sandbox) -> None:
    marker = f"marker-{os.getpid()}-{time.monotonic_ns()}"
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, sandbox.name, marker], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    with host:
        name = host.stdout.readline().strip()
        wait_until(lambda: is_running(marker), 5)
        host.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_running(marker), 5)
    if sandbox.name == "docker":
        wait_until(lambda: not sandbox.client.containers(all=True, filters={"id": name}), 5)
    sandbox.reap()


def is_podman(sandbox: Sandbox) -> bool:
    """Podman's events don't say why a box ended."""
    return isinstance(sandbox, DockerSandbox) and sandbox.engine.kind == "Podman"


def wait_until(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_at_42_a_flood_of_output_that_nobody_reads_does_not_hold_up_the_end(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        seed(box)
        for _ in range(6):
            command = "head -c 15000000 /dev/zero > /tmp/report"
            box.channel.send(Check(command=command, timeout=60, report="/tmp/report"))
        message, _ = box.channel.receive_streaming()
        assert isinstance(message, Checked)
        time.sleep(0.5)
        start = time.monotonic()
    assert time.monotonic() - start < 5
