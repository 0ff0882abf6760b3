"""What every driver, and the fake that stands in for them, gives: one set of tests for all three."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox import Box, Sandbox
from ay_bot.protocol.channel import Closed
from ay_bot.protocol.messages import Feedback, Work
from ay_bot.protocol.plain_messages import BoxFailed, Check, Checked, Exit, Seed, Seeded
from tests.host.sandbox.conftest import (
    BUBBLEWRAP,
    DOCKER,
    ENGINES,
    LOCAL,
    MIB,
    open_sandbox,
    run,
    run_with_report,
    seed,
    spec,
    tar_of,
)


@pytest.fixture(params=[LOCAL, DOCKER, BUBBLEWRAP, *ENGINES], scope="module")
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with open_sandbox(request.param, tmp_path_factory.mktemp("engine")) as opened:
        yield opened


@pytest.fixture(scope="module")
def box(sandbox: Sandbox) -> Iterator[Box]:
    """A box for the tests that leave it as it was; such as tests run in, without an agent."""
    with sandbox.open(spec(only_for_checks=True)) as opened:
        seed(opened, {"dir/file": b"content\n", "README": b"hello\n"})
        yield opened


def temporary(box: Box) -> str:
    return run(box, "printf %s $TMPDIR").output if box.name.startswith("local") else "/tmp"


def workspace(box: Box) -> str:
    return run(box, "pwd").output.strip()


def test_a_box_says_hello(box: Box) -> None:
    assert box.hello.protocol == 1
    assert "sh" in box.hello.programs
    assert box.name
    assert box.image


def test_the_seed_is_unpacked_and_counted(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        assert seed(box, {"a/b/c.txt": b"one\n", "d.txt": b"two\n"}).files == 2
        assert run(box, "cat a/b/c.txt d.txt").output == "one\ntwo\n"


def test_a_set_up_runs_after_the_seed(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        assert seed(box, setup="echo made > made.txt") == Seeded(files=1)
        assert run(box, "cat made.txt").output == "made\n"


def test_a_failed_set_up_tells_its_output(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        seeded = seed(box, setup="echo no such thing; exit 9")
    assert (seeded.setup_exit_code, seeded.setup_output) == (9, "no such thing\n")


def test_a_check_tells_exit_code_output_and_time(box: Box) -> None:
    checked = run(box, "echo out; echo err >&2; exit 3")
    assert (checked.exit_code, checked.timed_out, checked.output) == (3, False, "out\nerr\n")
    assert 0 < checked.seconds < 10


def test_a_check_runs_with_its_environment_and_nothing_of_the_callers(sandbox: Sandbox, monkeypatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_CALLER", "hunter2")
    with sandbox.open(spec()) as box:
        seed(box)
        output = run(box, "env", PYTEST_ADDOPTS="--quiet").output
    assert "PYTEST_ADDOPTS=--quiet\n" in output
    assert "hunter2" not in output
    assert "LD_" not in output


def test_the_report_comes_back(box: Box) -> None:
    report = f"{temporary(box)}/report.xml"
    checked, body = run_with_report(box, f"printf '<testsuites/>' > {report}; false", report=report)
    assert (checked.exit_code, body) == (1, b"<testsuites/>")


@pytest.mark.parametrize(
    "plant",
    ["ln -sf /etc/passwd {0}", "mkfifo {0}", "mkdir {0}", "head -c 17000000 /dev/zero > {0}", "true"],
    ids=["link", "fifo", "directory", "too-large", "missing"],
)
def test_at_37_a_report_that_is_no_plain_file_is_no_report(box: Box, plant: str) -> None:
    report = f"{temporary(box)}/{abs(hash(plant))}.xml"
    checked, body = run_with_report(box, plant.format(report), report=report)
    assert (checked.exit_code, body) == (0, b"")


def test_a_command_that_takes_too_long_is_ended(box: Box) -> None:
    start = time.monotonic()
    checked = run(box, "echo before; sleep 60; echo after", timeout=0.5)
    assert (checked.timed_out, checked.exit_code, checked.output) == (True, 124, "before\n")
    assert time.monotonic() - start < 5


def test_at_42_much_output_is_cut_in_the_middle(box: Box) -> None:
    checked = run(box, "echo first; head -c 50000000 /dev/zero | tr '\\0' 'x'; echo; echo last")
    assert checked.output.startswith("first\nxxx")
    assert checked.output.endswith("xxx\nlast\n")
    assert "bytes left out" in checked.output
    assert len(checked.output) < 200_000


def test_output_that_is_not_text_is_replaced(box: Box) -> None:
    assert run(box, r"printf 'a\377\000b'").output == "a\ufffd[1 unseen]b"


def test_at_40_nothing_runs_on_after_a_command(box: Box) -> None:
    run(box, "echo here > alive; (sleep 0.3; rm -f alive) & sleep 300 & exit 0")
    time.sleep(0.6)
    assert run(box, "cat alive").output == "here\n"


def test_a_background_process_does_not_hold_up_its_command(box: Box) -> None:
    start = time.monotonic()
    assert run(box, "sleep 30 & echo started").output == "started\n"
    assert time.monotonic() - start < 5


def test_much_traffic_both_ways_at_once(sandbox: Sandbox) -> None:
    """The host queues a seed of 48 MiB while the box sends reports of 12 MiB that the host has not read yet."""
    with sandbox.open(spec()) as box:
        seed(box)
        report = f"{temporary(box)}/report"
        big = tar_of({"big": os.urandom(MIB) * 48})
        for _ in range(4):
            box.channel.send(Check(command=f"head -c 12000000 /dev/zero > {report}", timeout=60, report=report))
        box.channel.send(Check(command="rm README", timeout=60, report=""))
        box.channel.send(Seed(body_size=len(big)), big)
        for _ in range(4):
            message, body = box.channel.receive()
            assert isinstance(message, Checked)
            assert len(body) == 12_000_000
        assert isinstance(box.channel.receive()[0], Checked)
        assert box.channel.receive()[0] == Seeded(files=1)
        assert run(box, "wc -c < big").output.strip() == str(48 * MIB)


def test_kill_from_another_thread_ends_a_blocked_receive(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        seed(box)
        box.channel.send(Check(command="sleep 60", timeout=60, report=""))
        threading.Timer(0.3, box.kill).start()
        start = time.monotonic()
        with pytest.raises(Closed):
            box.channel.receive()
        assert time.monotonic() - start < 5


def test_exit_ends_the_box(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        seed(box)
        box.channel.send(Exit())
        with pytest.raises(Closed):
            box.channel.receive()


def test_what_breaks_the_order_of_messages_is_told(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        box.channel.send(Feedback(text="", max_steps=1))
        message, _ = box.channel.receive()
    assert isinstance(message, BoxFailed)
    assert "feedback before any task" in message.message


@pytest.mark.parametrize("message", [Work(task="t"), Feedback(text="", max_steps=1)], ids=lambda one: one.kind)
def test_a_box_for_checks_takes_no_work(sandbox: Sandbox, message: Work | Feedback) -> None:
    with sandbox.open(spec(only_for_checks=True)) as box:
        seed(box, setup="echo made > made.txt")
        box.channel.send(message)
        said, _ = box.channel.receive()
    assert isinstance(said, BoxFailed)
    assert "a message that the protocol does not know" in said.message


def test_a_box_for_work_runs_checks_too(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        seed(box)
        checked, report = run_with_report(box, "printf x > r; cat README; exit 3", report=f"{workspace(box)}/r")
    assert (checked.exit_code, checked.output, report) == (3, "hello\n", b"x")


def test_a_seed_that_is_no_tar_is_told(sandbox: Sandbox) -> None:
    with sandbox.open(spec()) as box:
        box.channel.send(Seed(body_size=2000), b"x" * 2000)
        message, _ = box.channel.receive()
    assert isinstance(message, BoxFailed)
    assert "tar" in message.message


def test_at_42_the_deadline_ends_the_box_and_is_named(sandbox: Sandbox) -> None:
    def wait(box: Box) -> None:
        seed(box)  # a machine that is busy takes longer than the limit for it
        run(box, "sleep 60")

    with sandbox.open(spec(wall=2)) as box, pytest.raises(SandboxUnavailable, match=r"time limit of 2 seconds"):
        wait(box)


def test_many_boxes_at_once(sandbox: Sandbox) -> None:
    outputs = []

    def work(number: int) -> None:
        with sandbox.open(spec()) as box:
            seed(box)
            outputs.append(run(box, f"sleep 0.2; echo {number}").output)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outputs) == ["0\n", "1\n", "2\n"]


def test_an_error_in_the_with_block_ends_the_box_and_comes_through(sandbox: Sandbox) -> None:
    kept = []

    def fail() -> None:
        with sandbox.open(spec()) as box:
            kept.append(box)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(Closed):
        kept[0].channel.receive()


def test_no_descriptor_is_left_open(sandbox: Sandbox) -> None:
    def use(times: int) -> int:
        for _ in range(times):
            with sandbox.open(spec(only_for_checks=True)) as box:
                seed(box)
        return len(list(Path("/proc/self/fd").iterdir()))

    before = use(10)  # an engine's client keeps up to ten connections
    assert use(4) <= before + 2
