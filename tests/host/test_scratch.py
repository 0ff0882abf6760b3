"""Temporary directories and their owners."""

import os
import subprocess
import sys
import tempfile

import pytest

from ay_bot.host.owner import is_alive, this_process
from ay_bot.host.scratch import PREFIX, open_scratch, reap_scratch


@pytest.fixture(autouse=True)
def own_temporary_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_directory_is_private_and_goes_with_the_block():
    with open_scratch() as directory:
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "file").write_text("x")
    assert not directory.exists()


def test_a_living_owners_directory_is_left_alone_and_a_dead_ones_is_reaped(tmp_path):
    program = f"""
import os, tempfile
tempfile.tempdir = {str(tmp_path)!r}
from ay_bot.host.scratch import open_scratch
with open_scratch() as directory:
    print(directory, flush=True)
    os.kill(os.getpid(), 9)
"""
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    left_behind = killed.stdout.strip()
    assert os.path.isdir(left_behind)
    (tmp_path / f"{PREFIX}somebody-elses").mkdir()
    with open_scratch() as mine:
        assert reap_scratch() == [left_behind]
        assert mine.exists()
    assert not os.path.exists(left_behind)
    assert (tmp_path / f"{PREFIX}somebody-elses").exists(), "a directory without an owner may be anybody's"


@pytest.mark.parametrize("owner", ["", "x", "boot:1", f"{'0' * 36}:PID:1", "::", "boot:-1:5"])
def test_nonsense_is_nobody(owner):
    owner = owner.replace("PID", str(os.getpid()))
    assert not is_alive(owner)


def test_a_reused_pid_is_not_the_owner():
    boot, pid, start = this_process().split(":")
    assert is_alive(this_process())
    assert not is_alive(f"{boot}:{pid}:{int(start) + 1}")


def test_at_40_finding_the_temporary_directory_writes_nothing(tmp_path, monkeypatch):
    """A run that is killed while Python tries out a directory leaves the file that it tries it with."""
    place = tmp_path / "given"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", lambda: pytest.fail("it wrote a file"))
    monkeypatch.setenv("TMPDIR", str(place))
    with open_scratch() as directory:
        assert directory.parent == place
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with open_scratch() as directory:
        assert directory.parent != place
