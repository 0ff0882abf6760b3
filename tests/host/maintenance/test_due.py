"""When a chore is due, over all times and schedules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.maintenance.due import identify, is_due, next_time

START = datetime(2024, 1, 1, tzinfo=UTC)
moments = st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
fields = st.tuples(
    st.sampled_from(["H", "0", "17", "*/15", "H/20", "5,35"]),
    st.sampled_from(["H", "*", "6", "0-4", "*/6"]),
    st.sampled_from(["*", "1", "15", "31", "H"]),
    st.sampled_from(["*", "2", "JAN", "*/3"]),
    st.sampled_from(["*", "1", "MON-FRI", "0"]),
)
schedules = fields.map(" ".join)
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)
identities = names.map(lambda name: identify("maria/bank", name))


@given(schedules, moments, identities)
def test_the_next_time_lies_ahead_and_is_always_the_same(schedule, moment, identity):
    coming = next_time(schedule, moment, identity)
    if coming is not None:
        assert coming > moment
        assert coming.second == 0
        assert coming == next_time(schedule, moment, identity)
        assert next_time(schedule, coming - timedelta(minutes=1), identity) == coming, "it is one of its times"


@given(schedules, moments, st.timedeltas(timedelta(0), timedelta(days=900)), identities)
def test_after_a_chore_was_done_it_is_not_due_before_its_next_time(schedule, last, passed, identity):
    now = last + passed
    coming = next_time(schedule, last, identity)
    assert is_due(schedule, last, now, identity) == (coming is not None and coming <= now)
    assert not is_due(schedule, now, now, identity), "however many times have passed, it is due once"


@given(schedules, moments, identities)
def test_a_chore_that_was_never_done_is_due(schedule, now, identity):
    assert is_due(schedule, None, now, identity)


@given(moments, moments, identities)
def test_a_chore_without_a_schedule_is_never_due(last, now, identity):
    assert not is_due(None, last, now, identity)
    assert not is_due(None, None, now, identity)


@given(names, names)
def test_the_minute_is_the_chores_own(one, other):
    first = next_time("H 6 * * *", START, identify("maria/bank", one))
    second = next_time("H 6 * * *", START, identify("Maria/Bank", one))
    assert first == second
    assert first.hour == 6
    assert identify("maria/bank", one) != identify("maria/bank", other) or one == other


def test_the_minutes_of_many_repositories_are_spread():
    found = {next_time("H 6 * * *", START, identify(f"maria/bank{number}", "lint")).minute for number in range(300)}
    assert len(found) > 50


@pytest.mark.parametrize("last", [datetime(9999, 1, 1, tzinfo=UTC), START + timedelta(minutes=1)])
def test_a_time_to_come_is_not_believed(last):
    assert is_due("0 6 * * *", last, START, b"x")


def test_a_day_that_no_calendar_has_never_comes():
    assert next_time("0 0 30 2 *", START, b"x") is None
    assert not is_due("0 0 30 2 *", START, START + timedelta(days=4000), b"x")
