"""What the settings say of a box's size: bounds, what has to fit together, and what a large repository gets."""

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides
from ay_bot.host.limits import Limits, limits_for
from ay_bot.host.sandbox import MIB, BoxLimits
from ay_bot.host.settings_file import load_settings

MODEL = Overrides(model="openai/scripted")


def test_the_defaults_are_those_of_a_box():
    assert limits_for(Limits(), wall=3600, archive_size=1000, files=10) == BoxLimits()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"limits: {memory: 100}\n", "`limits.memory` in .github/ay-bot.yml: input should be greater"),
        (b"limits: {memory: 1024}\n", "has to hold `work` (2048), `temporary` (512) and 256 MiB"),
        (b"limits: {cpus: 0}\n", "`limits.cpus`"),
        (b"limits: {processes: 1000000}\n", "`limits.processes`"),
        (b"limits: {memery: 8192}\n", "did you mean `memory`?"),
        (b"limits: {open_files: '1; reboot'}\n", "`limits.open_files`"),
    ],
)
def test_what_is_out_of_bounds_is_said(file: bytes, said: str):
    with pytest.raises(UsageError) as caught:
        load_settings(file, MODEL)
    assert said in str(caught.value)


def test_every_limit_reaches_the_box():
    file = (
        b"limits: {memory: 8192, cpus: 4, processes: 1000, work: 4096, temporary: 1024, files: 9000, file_size: 5,"
        b" open_files: 999}\n"
    )
    settings = load_settings(file, MODEL)
    assert limits_for(settings.limits, wall=60, archive_size=1, files=100_000) == BoxLimits(
        memory=8192 * MIB, cpus=4, pids=1000, work=4096 * MIB, temporary=1024 * MIB, inodes=9000, file_size=5 * MIB,
        open_files=999, wall=60,
    )  # fmt: skip


def test_a_large_repository_gets_a_larger_box():
    limits = limits_for(Limits(), wall=60, archive_size=2000 * MIB, files=200_000)
    assert limits.work >= 2 * 2000 * MIB
    assert limits.memory - limits.work == BoxLimits().memory - BoxLimits().work
    assert limits.inodes == 800_000


def test_a_repository_that_does_not_fit_is_told_with_a_way_out():
    small = Limits(work=64, memory=1024)
    with pytest.raises(UsageError, match=r"has 65 MiB, and the workspace of a box only 64 MiB") as caught:
        limits_for(small, wall=60, archive_size=64 * MIB + 1, files=1)
    assert "`limits.work` to 195" in caught.value.hint
