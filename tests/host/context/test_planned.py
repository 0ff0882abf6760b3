"""Who is given a plan of the context, and for whom nothing is read."""

from contextlib import suppress
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


@pytest.mark.parametrize(("model", "counted"), [("openai/gpt-4o", ("o200k_base",)), ("openai/other", None)])
def test_a_small_repository_is_not_read_but_what_a_run_begins_with_is_counted(tmp_path, monkeypatch, model, counted):
    started = []

    def start(place, *_):
        started.append(place)
        raise InterruptedError

    monkeypatch.setattr(processes, "planning", start)
    repository = open_repository(make_repository(tmp_path / "repository", {"a.py": "a = 1\n"}))
    order = Order(repository.path, parse_task("look"), Overrides(), publisher=DryRun())
    settings = Settings(model=model)
    findings = Findings(order, EventLog("run1", ()))
    with (
        open_checkout(repository, tmp_path) as checkout,
        suppress(InterruptedError),
        planned.planned(settings, checkout, findings, None, {}) as make_plan,
    ):
        assert make_plan(Wish(task="look", map_tokens=100)) == Plan()
    assert [(place.outlined, place.encodings) for place in started] == ([(False, counted)] if counted else [])


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
