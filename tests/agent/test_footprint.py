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
PROGRAM = """
import json, sys
sys.path[:0] = {path!r}
import ay_bot.agent.loop, ay_bot.agent.commands
from ay_bot.agent.ignoring import IgnoreFiles
IgnoreFiles({{"": ["*.pyc"]}}, ()).ignores(b"a.pyc", is_directory=False)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([sorted(sys.modules), int(status["VmHWM"].split()[0])]))
"""


def test_only_small_things_are_loaded():
    path = [str(Path(__file__).parents[2]), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    output = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PROGRAM.format(path=path)], check=True, capture_output=True, text=True
    ).stdout
    modules, kibibytes = json.loads(output)
    foreign = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - ALLOWED - {"__main__"}
    assert not {name for name in foreign if not name.startswith("_")}
    assert kibibytes < 50 * 1024
