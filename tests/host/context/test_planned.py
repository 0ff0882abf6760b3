"""Who is given a plan of the context, and for whom nothing is read."""

from dataclasses import replace

import pytest

from ay_bot.host.checkout import open_checkout
from ay_bot.host.config import Overrides, Settings
from ay_bot.host.context import Plan, Wish, planned
from ay_bot.host.context import process as processes
from ay_bot.host.event_log import EventLog
from ay_bot.host.findings import NOTHING, Findings, Order
from ay_bot.host.publisher import DryRun
from ay_bot.host.repository import open_repository
from ay_bot.host.task import parse_task
from tests.host.git_repositories import make_repository


@pytest.mark.parametrize("elsewhere", [True, False])
def test_nothing_is_read_for_work_that_was_done_elsewhere(tmp_path, monkeypatch, elsewhere):
    started = []

    def start(*given):
        started.append(given)
        raise InterruptedError

    monkeypatch.setattr(processes, "planning", start)
    repository = open_repository(make_repository(tmp_path / "repository", {"a.py": "a = 1\n"}))
    order = Order(repository.path, parse_task("look"), Overrides(), publisher=DryRun())
    findings = Findings(replace(order, given=NOTHING) if elsewhere else order, EventLog("run1", ()))
    with open_checkout(repository, tmp_path) as checkout:
        opened = planned.planned(Settings(repository_map="on"), checkout, findings, None, {})
        if elsewhere:
            with opened as make_plan:
                assert make_plan(Wish(task="look", map_tokens=100)) == Plan()
        else:
            with pytest.raises(InterruptedError), opened:
                pass
    assert bool(started) is not elsewhere
