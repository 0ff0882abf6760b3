"""Every parser of what a box, a model or another job wrote, fed with ten thousand broken inputs; see fuzz/README.md."""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import targets
from fuzz.target import NAMES, Target

ROOT = Path(__file__).parent.parent
SHARED = {"streams"}


def test_every_target_is_listed_and_is_one():
    assert {module.name for module in pkgutil.iter_modules(targets.__path__)} - SHARED == set(NAMES)
    for name in NAMES:
        target = importlib.import_module(f"fuzz.targets.{name}").TARGET
        assert isinstance(target, Target)
        assert any(len(seed) <= target.longest for seed in target.seeds)


@pytest.mark.timeout(900)
def test_at_31_at_44_at_45_ten_thousand_broken_inputs_break_no_parser():
    command = [sys.executable, "-m", "fuzz", "--inputs", "10000", "--jobs", "2"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{len(NAMES)} of {len(NAMES)} targets held" in ended.stdout


@pytest.mark.parametrize("blind", [[], ["--blind"]], ids=["guided", "blind"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise KeyError(data[:1])", "KeyError"),
        ("sum(range(40_000_000))", "of processor time"),
        ("held.append(bytes(10**6) * 300)", "MB; at most"),
        ("os.kill(os.getpid(), 9)", ""),
    ],
    ids=["raises", "is slow", "is fat", "dies"],
)
def test_a_parser_that_breaks_a_promise_is_told(tmp_path, fault, said, blind):
    """A target that was broken on purpose ends with an error: the fuzzer can fail."""
    program = (
        "import os, sys, fuzz.one as one\n"
        "from fuzz.target import Target\n"
        "from pathlib import Path\n"
        f"one.FOUND = Path({str(tmp_path)!r})\n"
        "held = []\n"
        "def parse(data):\n"
        f"    if data[-2:-1] == b'!' and not held: {fault}\n"
        "one.load = lambda name: Target(parse=parse, seeds=[b'a!b', b'bcd', b'x'], shape='lines', seconds=0.2, megabytes=200)\n"
        f"one.main(['made_up', '200', '3', *{blind}])\n"
    )
    place = tmp_path / "temporary"
    place.mkdir()
    ended = run_python(place, "-c", program)
    assert ended.returncode != 0
    assert said in ended.stderr
    assert not list(place.iterdir())


def run_python(place, *arguments):
    """Run Python with a place of its own for temporary files."""
    environment = {**os.environ, "TMPDIR": str(place), "PYDANTIC_DISABLE_PLUGINS": "__all__"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "blind"), [("bundle_files", ["--blind"]), ("bundle_words", [])])
def test_a_target_alone_leaves_no_file_behind(tmp_path, name, blind):
    ended = run_python(tmp_path, "-m", "fuzz.one", name, "200", "1", *blind)
    assert (ended.returncode, "FUZZED" in ended.stdout) == (0, True), ended.stderr
    assert not list(tmp_path.iterdir())


def test_one_input_that_is_looked_at_again_leaves_no_file_behind(tmp_path):
    again = (
        "import contextlib; from fuzz.one import load; t = load('bundle_words')\n"
        "with contextlib.suppress(*t.documented): t.parse(t.seeds[0])\n"
        "from fuzz.places import directory; print(directory('words'))"
    )
    ended = run_python(tmp_path, "-c", again)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(str(tmp_path)), "there was one"
    assert not list(tmp_path.iterdir())
