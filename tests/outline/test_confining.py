"""A worker that a file has taken over can do nothing but read and answer."""

import subprocess
import sys

PROGRAM = """
import os, socket, sys
from ay_bot.outline.confining import confine
from ay_bot.outline.grammars import load_grammar
assert confine() is True
open("/proc/self/statm").read()
load_grammar("python")
def refused(name, attempt):
    try:
        attempt()
    except PermissionError:
        print(name)
refused("write", lambda: open(sys.argv[1], "w"))
refused("append", lambda: open(sys.argv[1], "a"))
refused("fork", os.fork)
refused("exec", lambda: os.execv("/bin/true", ["true"]))
refused("socket", socket.socket)
refused("kill", lambda: os.kill(os.getppid(), 0))
refused("unlink", lambda: os.unlink(sys.argv[1]))
refused("mkdir", lambda: os.mkdir(sys.argv[1]))
refused("chmod", lambda: os.chmod("/tmp", 0o777))
sys.stdout.flush()
os._exit(0)
"""


def test_a_worker_reads_and_answers_and_nothing_else(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "new"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["write", "append", "fork", "exec", "socket", "kill", "unlink", "mkdir", "chmod"]
    assert not (tmp_path / "new").exists()
