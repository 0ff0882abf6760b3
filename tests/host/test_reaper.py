"""Reaping happens beside a run: once, whoever starts it, and never to the run's harm."""

from types import SimpleNamespace

import pytest

from ay_bot.errors import Interrupted, SandboxUnavailable
from ay_bot.host.reaper import Reaper


def boxes_that(reap):
    return SimpleNamespace(reap=reap)


def test_what_was_removed_is_told_once():
    told = []
    with Reaper(boxes_that(lambda: ["a-box"]), told.append) as reaper:
        reaper.start()
        reaper.start()
    assert [text for text in told if "a-box" in text] == ["removed `a-box`, which a dead run had left behind"]


def test_a_run_that_never_came_so_far_reaps_at_its_end():
    told = []
    with pytest.raises(ValueError, match="early"), Reaper(boxes_that(lambda: ["a-box"]), told.append):
        raise ValueError("early")
    assert any("a-box" in text for text in told)


def test_whoever_interrupts_does_not_wait_for_it():
    told = []
    with pytest.raises(Interrupted), Reaper(boxes_that(lambda: ["a-box"]), told.append):
        raise Interrupted("now")
    assert told == []


def test_an_engine_that_fails_to_reap_does_not_fail_the_run():
    def fail():
        raise SandboxUnavailable("the engine is gone")

    told = []
    with Reaper(boxes_that(fail), told.append) as reaper:
        reaper.start()
    assert told == ["what dead runs left behind could not be removed: the engine is gone"]
