"""Using more than a box may have: each resource ends clearly, is named where people look, and the box goes on."""

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from ay_bot.agent.seccomp import X86_64, build_filter
from ay_bot.errors import ProtocolBroken, SandboxUnavailable
from ay_bot.host import runtime
from ay_bot.host.sandbox import Box, Sandbox, cgroup
from ay_bot.host.sandbox.bubblewrap import BubblewrapSandbox, find_bubblewrap
from ay_bot.protocol.messages import Seed
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER, MIB, make_sandbox, run, seed, spec, tar_of

GIB = 1024 * MIB
LIMITS = {"memory": 256 * MIB, "cpus": 0.5, "work": 32 * MIB, "inodes": 3000, "open_files": 200, "file_size": 8 * MIB}


@pytest.fixture(params=[DOCKER, BUBBLEWRAP], scope="module")
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return make_sandbox(request.param)


@pytest.fixture(scope="module")
def box(sandbox: Sandbox) -> Iterator[Box]:
    with sandbox.open(spec(only_for_checks=True, **LIMITS)) as opened:
        seed(opened)
        yield opened


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> BubblewrapSandbox:
    """A driver that can make no control group, as most users can't."""
    monkeypatch.setattr(cgroup, "parents", dict)
    return find_bubblewrap(os.environ)


def lacks(sandbox: Sandbox, name: str) -> bool:
    return any(weakness.lacks == name for weakness in sandbox.weaknesses())


EAT = "python3 -c 'kept = [bytearray(1 << 20) for _ in range(2000)]'"
SPREAD = """python3 - <<'END'
import os, time
for _ in range(8):
    if not os.fork():
        kept = bytearray(b"x") * (60 << 20)
        time.sleep(8)
        os._exit(0)
ends = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)]
print("killed", sum(end != 0 for end in ends))
END"""


def test_at_42_processor_time_is_capped(sandbox: Sandbox, box: Box) -> None:
    if lacks(sandbox, "cpu"):
        pytest.skip("no control group can be made here")
    busy = "import time; end = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"
    checked = run(box, f"for n in 1 2 3; do python3 -c '{busy}' & done; wait; times | tail -1")
    used = sum(float(part) for word in checked.output.split() for part in [word.split("m")[1].rstrip("s")])
    assert used < 0.75 * checked.seconds + 0.2, checked.output


def test_at_42_a_command_that_takes_too_much_memory_ends_with_the_reason(sandbox: Sandbox, box: Box) -> None:
    if lacks(sandbox, "memory"):
        pytest.skip("no control group can be made here")
    checked = run(box, EAT)
    assert checked.exit_code == 137
    assert "the box used more memory than its limit" in checked.output  # "perhaps", where nobody can tell
    assert run(box, "echo still here").output == "still here\n"


def test_at_42_open_files_are_capped(box: Box) -> None:
    program = 'kept = [open("/dev/null") for _ in range(400)]'
    checked = run(box, f"python3 -c '{program}' 2>&1 | tail -1")
    assert "Too many open files" in checked.output


def test_at_42_the_number_of_files_is_capped(sandbox: Sandbox, box: Box) -> None:
    """Docker's file systems refuse the file; bubblewrap's box ends what goes on making them."""
    many = 'import os\nfor n in range(400000): os.close(os.open(f"/work/f{n}", os.O_CREAT))'
    checked = run(box, f"python3 -c '{many}' 2>&1 | tail -1")
    said = "No space left on device" if sandbox.name == "docker" else "more files than its limit of 3000"
    assert said in checked.output
    assert run(box, "find /work -name 'f*' -delete; ls /work").output == "README\n"
    assert run(box, "touch /work/again && echo made; rm /work/again").output == "made\n"


def test_at_42_a_gigabyte_of_output_costs_the_host_nothing(box: Box) -> None:
    before = resident()
    checked = run(box, "head -c 1073741824 /dev/zero | tr '\\0' 'x'; echo end", timeout=60)
    assert checked.output.endswith("end\n")
    assert len(checked.output) < 200_000
    assert resident() - before < 20 * MIB


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ------------------------------------------------------------------------------ a first process that is hostile

FLOODS = {
    "one endless line": "b'x' * 65536",
    "endless lines": "b'{}\\n' * 16384",
}


@pytest.mark.parametrize("what", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("driver", [DOCKER, BUBBLEWRAP])
def test_at_42_a_flood_on_the_pipe_itself_ends_the_box(driver: str, what: str, monkeypatch) -> None:
    """The box's program is another: after its hello, it writes without end."""
    flood = (
        "import ay_bot.agent.chores as w\n"
        f"w.serve_checks = lambda root, channel, **_: [channel._stream.write({what}) for _ in iter(int, 1)]\n"
    )
    first, separator, last = runtime.START.partition("from ay_bot")
    monkeypatch.setattr(runtime, "START", f"{first}\n{flood}{separator}{last}")
    sandbox = make_sandbox(driver)
    before = resident()
    with sandbox.open(spec(only_for_checks=True)) as box:
        started = time.monotonic()
        with pytest.raises(ProtocolBroken, match=r"more than 33554432 bytes|does not know"):
            box.channel.receive()
        assert resident() - before < 120 * MIB
    assert time.monotonic() - started < 15


# ------------------------------------------------------------------------------ without control groups


@pytest.mark.bwrap
def test_at_42_without_control_groups_the_box_looks_after_its_memory(alone: BubblewrapSandbox) -> None:
    with alone.open(spec(only_for_checks=True, **LIMITS)) as box:
        seed(box)
        checked = run(box, SPREAD)
        assert "[ay-bot: the box used more memory than its limit of 256 MiB" in checked.output
        assert run(box, "echo still here").output == "still here\n"
        shared = 'import os, time\nkept = bytearray(b"x") * (120 << 20)\nfor _ in range(3): os.fork()\ntime.sleep(1)'
        assert run(box, f"python3 -c '{shared}'").exit_code == 0, "pages that processes share count once"


@pytest.mark.bwrap
def test_at_42_without_control_groups_processes_are_counted(alone: BubblewrapSandbox) -> None:
    fork = "import os, time\nfor _ in range(400):\n    if not os.fork(): time.sleep(9); os._exit(0)\ntime.sleep(9)"
    thread = "import threading, time\nfor _ in range(400): threading.Thread(target=time.sleep, args=(9,)).start()"
    with alone.open(spec(only_for_checks=True, pids=100)) as box:
        seed(box)
        for many in (fork, thread):
            checked = run(box, f"python3 -c '{many}'")
            assert checked.exit_code in (1, 137)
            if not os.getuid():  # the kernel counts for all others, and refuses
                assert "more processes and threads than its limit of 100" in checked.output
        assert run(box, "echo still here").output == "still here\n"


@pytest.mark.bwrap
def test_at_42_without_control_groups_a_box_too_full_ends_with_the_reason(alone: BubblewrapSandbox) -> None:
    with alone.open(spec(only_for_checks=True, memory=64 * MIB)) as box:
        body = tar_of({"big": bytes(100 * MIB)})
        box.channel.send(Seed(body_size=len(body)), body)
        with pytest.raises(SandboxUnavailable, match=r"more memory than its limit of 64 MiB"):
            receive_all(box)


def receive_all(box: Box) -> None:
    """Receive until there is no more: a box may yet say that it is filled, between two looks of its watchdog."""
    while True:
        box.channel.receive()


@pytest.mark.bwrap
def test_at_42_without_control_groups_a_box_gets_whole_processors(alone: BubblewrapSandbox) -> None:
    widen = "import os; os.sched_setaffinity(0, range(os.cpu_count()))"
    with alone.open(spec(only_for_checks=True, cpus=1)) as box:
        seed(box)
        checked = run(box, f"nproc; python3 -c '{widen}' 2>&1 | tail -1; nproc")
    assert checked.output.startswith("1\n")
    assert checked.output.endswith("\n1\n")
    assert "Error" not in checked.output  # OpenMP gives up on a thread that it can't bind


@pytest.mark.bwrap
def test_at_42_the_kernel_counts_processes_by_box_for_a_user_without_rights() -> None:
    """What the driver relies on where no control group counts: two boxes of one user don't share one limit."""
    if os.getuid() or not os.access("/usr/bin/python3", os.X_OK) or os.uname().release < "5.14":
        pytest.skip("another user's boxes can't be made here")
    program = (
        "import os, resource, time\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (30, 30))\n"
        "made = 0\n"
        "try:\n"
        "    while made < 100:\n"
        "        if not os.fork(): time.sleep(1.5); os._exit(0)\n"
        "        made += 1\n"
        "except OSError: pass\n"
        "print(made)\n"
    )
    walls = ["--unshare-all", "--disable-userns", "--unshare-user", "--uid", "30000", "--as-pid-1", "--cap-drop", "ALL"]
    box = ["bwrap", *walls, "--ro-bind", "/usr", "/usr", "--ro-bind", "/lib", "/lib", "--ro-bind", "/lib64", "/lib64"]
    command = ["setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", *box, "/usr/bin/python3", "-c", program]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") for _ in range(2)]
    assert [process.communicate(timeout=30)[0] for process in both] == ["29\n", "29\n"]


def test_the_filter_for_a_watched_box_hides_no_memory() -> None:
    usual, watched = build_filter(X86_64), build_filter(X86_64, hidden_memory=False, affinity=False)
    for number in (X86_64.memfd_create, X86_64.sched_setaffinity):
        packed = number.to_bytes(4, "little")
        assert packed in watched
        assert packed not in usual
