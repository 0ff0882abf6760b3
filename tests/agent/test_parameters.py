"""The numbers that were asked for, in one place: whoever changes one of them should know that it was."""

from ay_bot.agent import calling, condensing, context, delegating, jobs, loop, stuck
from ay_bot.agent.edits import nearest
from ay_bot.agent.tools import failed_edits, staged, workbench
from ay_bot.gateway import service
from ay_bot.protocol.messages import Configure

TOKEN = 4  # bytes


def test_condensation():
    assert (condensing.MASK_AT, condensing.CONDENSE_AT) == (0.6, 0.8)  # of what may be used
    assert condensing.LATE_STEPS == 20  # whose results are never masked for room alone
    assert condensing.MOST_MESSAGES == 2 * 160  # a call and its result are one event
    assert (condensing.LEAST_FREED, condensing.SHRINK, condensing.TRIES) == (0.1, 0.8, 5)
    assert condensing.MOST_WORDS == 20_000 * TOKEN
    assert context.KEEP_FIRST == 4


def test_tools():
    assert workbench.READ_LIMIT == 10_000 * TOKEN
    assert (failed_edits.SHOW_AT, failed_edits.FAIL_AT, staged.WHOLE_FILE_LINES) == (2, 4, 400)
    assert (nearest.REGIONS, nearest.LEAST, nearest.AROUND) == (3, 0.6, 5)
    assert jobs.MOST_JOBS == 4
    assert calling.MAX_CALLS == 64


def test_circles():
    assert (stuck.STATES, stuck.IDLE, stuck.SIMILAR) == (3, 10, 0.9)
    assert loop.STEERING == (0.80, 0.90, 0.95, 0.99)
    assert loop.UNPROVEN_ROUNDS == 2


def test_delegation():
    assert (delegating.MOST_AT_ONCE, delegating.SHARE) == (3, 0.25)


def test_models():
    asked = Configure(roles={})
    assert (asked.max_retries, asked.first_retry_wait, asked.max_retry_wait) == (4, 2.0, 120.0)
    assert (asked.idle_timeout, asked.total_timeout) == (300.0, 600.0)
    assert service.IMPATIENT[:2] == (1, 10.0)
