"""Comments of dead runs get an end: by the Action's last step, or by the next run on the thread."""

from datetime import timedelta

import pytest

from ay_bot.host.github.finalize import Finalizing, finalize, repair_stale
from ay_bot.host.github.stop import stop
from ay_bot.host.github.tracking_text import render_comment
from tests.host.github.stories import KEY, NOON, PROOF, make_story, quick_forge, seeded, tracked_on
from tests.host.github.threads import make_request
from tests.loopback_github.server import LoopbackGitHub

THIS = Finalizing(run="4711.1", run_url="https://github.com/o/r/actions/runs/4711")
NEXT = Finalizing(run="5000.1", run_url="https://github.com/o/r/actions/runs/5000")


@pytest.mark.parametrize(("job", "state"), [("failure", "failed"), ("", "failed"), ("cancelled", "cancelled")])
def test_a_comment_without_an_end_gets_one(loopback_github: LoopbackGitHub, job: str, state: str) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    forge.add_comment(number, render_comment(make_story(state="verifying", verification=PROOF), 5))
    this = THIS.model_copy(update={"job_status": job})
    assert [each.key for each in finalize(forge, number, this)] == [KEY]
    (tracked,) = tracked_on(loopback_github, number)
    assert (tracked.state, tracked.run, tracked.requester) == (state, "4711.1", "alice")
    assert f"**What happened:** {state} while verifying." in tracked.comment.body
    assert "(https://github.com/o/r/actions/runs/4711)" in tracked.comment.body
    assert "**What to do:**" in tracked.comment.body
    assert "| fixed |" in tracked.comment.body
    assert finalize(forge, number, this) == ()  # and once is enough
    assert "retry" in tracked.comment.body or state == "cancelled"


def test_what_has_an_end_and_what_is_not_ours_stays(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    forge.add_comment(number, render_comment(make_story(state="done"), 5))
    forge.add_comment(number, render_comment(make_story(key="ba9876543210", run="99.1", state="working"), 5))
    loopback_github.comment(number, render_comment(make_story(state="working"), 5), login="mallory")
    assert finalize(forge, number, THIS) == ()
    assert not loopback_github.asked("PATCH")


def test_a_request_that_a_dead_run_had_taken_over_is_ended_by_its_key(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    forge.add_comment(number, render_comment(make_story(run="99.1", state="queued"), 5))
    assert finalize(forge, number, THIS.model_copy(update={"key": KEY}))
    assert tracked_on(loopback_github, number)[0].state == "failed"


def test_a_run_that_was_stopped_is_cancelled_not_failed(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    comment = forge.add_comment(number, render_comment(make_story(state="working"), 5))
    stop(forge, make_request(verb="stop", number=number, made=NOON + timedelta(days=9999)))
    forge.edit_comment(comment.id, render_comment(make_story(state="working"), 6))  # the run's last breath
    finalize(forge, number, THIS)
    assert tracked_on(loopback_github, number)[0].state == "cancelled"


def test_the_next_run_ends_what_dead_runs_left_and_nothing_else(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    for key, name in (
        ("a" * 12, "1.1"),
        ("b" * 12, "2.1"),
        ("c" * 12, "3.1"),
        ("d" * 12, "5000.1"),
        ("e" * 12, "local"),
    ):
        forge.add_comment(number, render_comment(make_story(key=key, run=name, state="working"), 5))
    ended = {1: True, 2: False, 3: None}
    comments = forge.comments(number)
    now = comments[0].created
    stale = repair_stale(forge, comments, NEXT, has_ended=lambda run: ended[run], now=now)
    assert [each.run for each in stale] == ["1.1"]
    states = [each.state for each in tracked_on(loopback_github, number)]
    assert states == ["failed", "working", "working", "working", "working"]
    assert "actions/runs/1)" in tracked_on(loopback_github, number)[0].comment.body
    later = now + timedelta(hours=8)
    stale = repair_stale(forge, forge.comments(number), NEXT, has_ended=lambda run: ended[run], now=later)
    assert [each.run for each in stale] == ["2.1", "3.1", "local"]  # silent for longer than any job lasts
