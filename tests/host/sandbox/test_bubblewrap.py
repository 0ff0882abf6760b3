"""What is particular to the bubblewrap driver: control groups, the caller's surroundings, and what it refuses."""

import os
from pathlib import Path

import pytest

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.owner import this_process
from ay_bot.host.sandbox import BoxLimits, BoxSpec, cgroup
from ay_bot.host.sandbox.bubblewrap import BubblewrapSandbox, find_bubblewrap
from ay_bot.host.sandbox.cgroup import BoxGroup
from tests.host.sandbox.conftest import MIB, run, seed, spec


@pytest.fixture(scope="module")
def sandbox() -> BubblewrapSandbox:
    return find_bubblewrap(os.environ)


def groups() -> list[Path]:
    """This process's own: other tests may run beside it."""
    pattern = f"ay-bot.{this_process()}.*"
    return [directory for parent in set(cgroup.parents().values()) for directory in parent.glob(pattern)]


@pytest.mark.bwrap
def test_an_image_is_refused_with_the_way_out(sandbox: BubblewrapSandbox) -> None:
    with pytest.raises(UsageError, match="can't use the image python:3") as caught:
        sandbox.resolve_image("python:3")
    assert "Docker" in caught.value.hint
    with pytest.raises(UsageError), sandbox.open(BoxSpec(run="r", purpose="p", image="python:3")):
        pass


@pytest.mark.bwrap
def test_the_repositorys_tests_can_be_run(sandbox: BubblewrapSandbox) -> None:
    with sandbox.open(spec()) as box:
        seed(box, {"test_it.py": b"def test_it():\n    assert 1 + 1 == 2\n"})
        checked = run(box, "python -m pytest -q -p no:cacheprovider")
    assert checked.exit_code == 0, checked.output
    assert "1 passed" in checked.output


@pytest.mark.bwrap
def test_home_and_environment_of_the_caller_stay_outside(sandbox: BubblewrapSandbox, tmp_path: Path) -> None:
    with sandbox.open(spec()) as box:
        seed(box)
        assert (
            run(box, f"ls {tmp_path} {Path.home()} 2>/dev/null; whoami; echo ~; hostname").output == "ay\n/tmp\nbox\n"
        )


@pytest.mark.bwrap
def test_a_control_group_is_made_and_removed(sandbox: BubblewrapSandbox) -> None:
    if not cgroup.parents():
        pytest.skip("this user can make no control group")
    before = len(groups())
    with sandbox.open(spec()) as box:
        seed(box)
        assert len(groups()) > before
    assert len(groups()) == before


@pytest.mark.bwrap
def test_without_control_groups_the_driver_says_what_is_not_capped(sandbox: BubblewrapSandbox, monkeypatch) -> None:
    monkeypatch.setattr(cgroup, "parents", dict)
    lacking = {weakness.lacks: weakness.why for weakness in sandbox.weaknesses()}
    assert "softly" in lacking["memory"]
    assert "whole processors" in lacking["cpu"]
    assert "how many files" in lacking["inodes"]
    with sandbox.open(spec(memory=512 * MIB)) as box:
        seed(box)
        assert run(box, "python3 -c 'bytearray(600 << 20)'").exit_code == 1  # a limit per process is left
        assert run(box, "ulimit -u").output.strip() == "4096"


@pytest.mark.bwrap
def test_groups_of_the_dead_are_removed() -> None:
    if not cgroup.parents():
        pytest.skip("this user can make no control group")
    living = BoxGroup.create(BoxLimits())
    parent = next(iter(cgroup.parents().values()))
    dead = parent / "ay-bot.gone:1:1.1"
    dead.mkdir(exist_ok=True)
    try:
        assert dead.name in cgroup.reap()
        assert not dead.exists()
        assert all(Path(entrance).exists() for entrance in living.entrances())
    finally:
        living.remove()


def test_a_machine_without_bubblewrap_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="not installed") as caught:
        find_bubblewrap({"PATH": str(tmp_path)})
    assert caught.value.hint == "install it: apt-get install -y bubblewrap"


def test_a_machine_that_gives_no_namespaces_is_told(tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(SandboxUnavailable, match="No permissions to create new namespace"):
        find_bubblewrap({"PATH": str(tmp_path)})
