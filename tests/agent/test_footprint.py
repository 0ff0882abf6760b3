"""What the agent loads and how much memory that takes: it lives in the box, beside the tests that it runs."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

ALLOWED = {
    "ay_bot",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "pathspec",
}
WORK = """
from ay_bot.agent.working import build_reader
from ay_bot.agent.ignoring import IgnoreFiles
build_reader()
IgnoreFiles({"": ["*.pyc"]}, ()).ignores(b"a.pyc", is_directory=False)
"""
CHECKS = """
import io, pathlib, tarfile, tempfile
from ay_bot.agent.chores import Chores, build_reader
from ay_bot.protocol.plain_messages import Check, Seed
build_reader()
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as archive:
    archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
tar.seek(0)
with tempfile.TemporaryDirectory() as place:
    chores = Chores(pathlib.Path(place), print)
    chores.set_up(Seed(body_size=0, setup="true"), chores.unpack(tar))
    chores.check(Check(command="ls", timeout=10.0, report=place + "/none"))
"""
PROGRAM = """
import json, sys
sys.path[:0] = {path!r}
sys.modules["re2"] = None  # the host's: a box doesn't have it, and pathspec takes it where it is
import ay_bot.agent.__main__
{program}
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([sorted(name for name, module in sys.modules.items() if module), int(status["VmHWM"].split()[0])]))
"""


def load(program: str) -> tuple[set[str], int]:
    """Return which modules a program of the box has loaded at its end, and the most memory that it took."""
    path = [str(Path(__file__).parents[2]), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    code = PROGRAM.format(path=path, program=program)
    output = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code], check=True, capture_output=True, text=True
    ).stdout
    modules, kibibytes = json.loads(output.splitlines()[-1])
    return set(modules), kibibytes


def foreign(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"__main__"}


def test_only_small_things_are_loaded():
    modules, kibibytes = load(WORK)
    assert not {name for name in foreign(modules) - ALLOWED if not name.startswith("_")}
    assert kibibytes < 50 * 1024


def test_a_box_that_only_runs_tests_loads_nothing_but_ours():
    modules, kibibytes = load(CHECKS)
    assert {name for name in foreign(modules) if not name.startswith("_")} == {"ay_bot"}
    assert not modules & {"_hashlib", "_ssl", "ay_bot.agent.loop", "ay_bot.protocol.messages"}
    assert kibibytes < 20 * 1024
