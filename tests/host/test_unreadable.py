"""What holds keys can't be read by other processes of the same user."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.bot_runs import PROGRAM

KEY = "sk-proj-of-a-process-that-nobody-reads"
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
"""Root reads everything, and nobody reads what has more rights: both sides run as users have them."""
GATEWAY = (
    "from ay_bot.host.gateway_process import Gateway\n"
    f"with Gateway.start({{'OPENAI_API_KEY': {KEY!r}}}) as gateway:\n"
    "    print(gateway.process.pid, flush=True)\n"
    "    input()\n"
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(WITHOUT_RIGHTS and not shutil.which("setpriv")), reason="needs Linux and setpriv"
)


def read(pid: int, name: str) -> subprocess.CompletedProcess[bytes]:
    """What another process of this user reads of a process."""
    reader = [*WITHOUT_RIGHTS, "head", "-c", "4096", f"/proc/{pid}/{name}"]
    return subprocess.run(reader, capture_output=True, check=False)


def follow(pid: int) -> subprocess.CompletedProcess[bytes]:
    """What another process of this user finds of a process's open file."""
    return subprocess.run([*WITHOUT_RIGHTS, "readlink", f"/proc/{pid}/fd/0"], capture_output=True, check=False)


def wait_until_unreadable(pid: int) -> bool:
    """Whether a process becomes unreadable within some seconds of its start."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if read(pid, "environ").returncode:
            return True
        time.sleep(0.02)
    return False


@contextmanager
def waiting(command: list[str | Path]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the key and waits for its input."""
    given = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": KEY}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*WITHOUT_RIGHTS, *command], env=given, **pipes) as process:
        yield process
        process.communicate(b"\n")


def test_at_21_another_process_of_the_user_reads_an_ordinary_process():
    """Else the tests below would show nothing."""
    with waiting(["cat"]) as process:
        time.sleep(0.3)
        assert KEY.encode() in read(process.pid, "environ").stdout
        assert follow(process.pid).stdout.startswith(b"pipe:")


def test_at_21_nobody_reads_the_hosts_environment_memory_and_files():
    with waiting([PROGRAM, "redact"]) as process:
        require_unreadable(process.pid)


def test_at_21_nobody_reads_the_gateways_environment_memory_and_files():
    with waiting([sys.executable, "-c", GATEWAY]) as process:
        assert process.stdout
        require_unreadable(int(process.stdout.readline()))


def require_unreadable(pid: int) -> None:
    assert wait_until_unreadable(pid)
    for name in ("environ", "mem", "maps", "auxv"):
        assert read(pid, name).returncode, name
    assert follow(pid).returncode
