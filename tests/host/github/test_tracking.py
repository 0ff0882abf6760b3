"""The tracking comment on a real API: one for each request, kept up to date beside the run, ended whatever happens."""

import time
from collections.abc import Callable

import pytest

from ay_bot.errors import GithubFailed, ModelFailed
from ay_bot.host.github.pacing import Pace
from ay_bot.host.github.plan import hash_plan, read_plan
from ay_bot.host.github.tracking import Tracker
from ay_bot.host.github.tracking_comment import react
from ay_bot.host.github.tracking_text import render_comment
from ay_bot.protocol.events import PhaseStarted
from tests.host.github.stories import KEY, OWN, make_result, make_story, quick_forge, seeded, told, tracked_on
from tests.loopback_github.server import LoopbackGitHub

QUICK = Pace(spacing=0.02, heartbeat=0.05)
COMMENT = r"/issues/comments/\d+$"


def never(_: float) -> None:
    """Wait for nothing."""


def eventually(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def track(server: LoopbackGitHub, number: int, **changed: object) -> Tracker:
    return Tracker(quick_forge(server), number, make_story(**changed), pace=QUICK, pause=never)


def test_a_run_is_followed_in_one_comment(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number) as tracker:
        assert tracked_on(loopback_github, number)[0].state == "queued"
        for phase in ("repository", "session", "checks", "publish"):
            tracker(told({"type": "phase_started", "phase": phase}))
            state = tracker.story.state
            eventually(lambda state=state: tracked_on(loopback_github, number)[0].state == state)
        assert tracker.finish(make_result())
    (tracked,) = tracked_on(loopback_github, number)
    assert (tracked.state, tracked.key, tracked.requester) == ("done", KEY, "alice")
    assert "pull/12" in tracked.comment.body
    assert not tracker.problems
    assert len(loopback_github.asked("PATCH", COMMENT)) == 5


def test_delivered_five_times_there_is_one_comment_and_no_edit(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number) as first:
        first.finish(make_result())
    edits = len(loopback_github.asked("PATCH"))
    for run in range(4):
        with track(loopback_github, number, run=f"{run}.1") as tracker:
            assert tracker.settled
            tracker(told(PhaseStarted(phase="session")))
            assert tracker.finish(make_result(status="error"))
    assert [each.state for each in tracked_on(loopback_github, number)] == ["done"]
    assert len(loopback_github.asked("PATCH")) == edits


def test_a_killed_run_is_taken_over(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    killed = track(loopback_github, number)
    with track(loopback_github, number, run="4712.1") as again:
        assert not again.settled
        assert again.comment.id == killed.comment.id
        again.finish(make_result())
    (tracked,) = tracked_on(loopback_github, number)
    assert (tracked.state, tracked.run) == ("done", "4712.1")


@pytest.mark.parametrize("how", ["bad-gateway-after", "drop-after", "bad-gateway-before"])
def test_an_answer_that_gets_lost_makes_no_second_comment(loopback_github: LoopbackGitHub, how: str) -> None:
    number = seeded(loopback_github)
    loopback_github.fail("POST", r"/comments$", how)  # type: ignore[arg-type]
    with track(loopback_github, number) as tracker:
        tracker.finish(make_result())
    assert [each.state for each in tracked_on(loopback_github, number)] == ["done"]


def test_a_comment_that_others_forged_is_not_ours(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forged = loopback_github.comment(number, render_comment(make_story(state="done"), 1), login="mallory")
    with track(loopback_github, number) as tracker:
        assert not tracker.settled
        assert tracker.comment.id != forged.id
        tracker.finish(make_result(status="no_change", exit_code=5))
    assert [each.state for each in tracked_on(loopback_github, number)] == ["blocked"]
    assert forged.body == render_comment(make_story(state="done"), 1)


def test_progress_that_cannot_be_shown_fails_nothing_and_the_end_is_tried_again(
    loopback_github: LoopbackGitHub,
) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number) as tracker:
        broken = loopback_github.fail("PATCH", COMMENT, "bad-gateway-before", times=10_000)
        tracker(told(PhaseStarted(phase="session")))
        eventually(lambda: bool(tracker.problems))
        broken.times = 2
        assert tracker.finish(make_result())
    assert tracked_on(loopback_github, number)[0].state == "done"
    assert all("could not be shown" in problem for problem in tracker.problems)


def test_a_comment_that_was_deleted_is_made_again_for_the_end(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number) as tracker:
        del loopback_github.repository().comments[tracker.comment.id]
        assert tracker.finish(make_result())
    assert [each.state for each in tracked_on(loopback_github, number)] == ["done"]


def test_a_token_that_may_not_edit_ends_quietly(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number) as tracker:
        loopback_github.fail("PATCH", COMMENT, "forbidden", times=10)
        assert not tracker.finish(make_result())
    assert tracker.problems


def test_an_error_is_told_with_what_to_do(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with pytest.raises(ModelFailed), track(loopback_github, number):
        raise ModelFailed("no key", hint="set one")
    (tracked,) = tracked_on(loopback_github, number)
    assert tracked.state == "failed"
    assert "(https://github.com/o/r/actions/runs/4711)" in tracked.comment.body
    assert "> no key" in tracked.comment.body
    assert "set one" in tracked.comment.body


def test_a_run_without_a_result_failed_and_an_interrupted_one_was_cancelled(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number):
        pass
    with pytest.raises(KeyboardInterrupt), track(loopback_github, number, key="ba9876543210"):
        raise KeyboardInterrupt
    assert [each.state for each in tracked_on(loopback_github, number)] == ["failed", "cancelled"]


def test_the_last_edit_keeps_its_distance(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    waits: list[float] = []
    pace = Pace(spacing=0.3, heartbeat=9)
    with Tracker(quick_forge(loopback_github), number, make_story(), pace=pace, pause=waits.append) as tracker:
        tracker.step("working")
        eventually(lambda: len(loopback_github.asked("PATCH")) == 1)
        tracker.finish(make_result())
    assert len(waits) == 1
    assert 0 < waits[0] <= 0.3


def test_a_plan_is_shown_with_the_hash_that_approves_it(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number, verb="plan") as tracker:
        digest = tracker.propose("1. read it\n2. mend it, @bob")
        tracker.finish(make_result(status="answered", verification=None, url="", branch=""))
    (tracked,) = tracked_on(loopback_github, number)
    assert tracked.plan == digest
    text = read_plan(tracked.comment.body)
    assert text == "1. read it\n2. mend it, @ bob"
    assert hash_plan(text) == digest
    assert f"`@ay approve {digest}`" in tracked.comment.body


def test_reactions_stand_on_comment_or_thread_and_never_fail(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    asked = loopback_github.comment(number, "@ay fix this", login="alice")
    forge = quick_forge(loopback_github)
    assert not react(forge, "issue", number, "eyes", ("comment", asked.id))
    assert not react(forge, "issue", number, "eyes", ("comment", asked.id))
    assert not react(forge, "issue", number, "-1", ("review", 5))
    assert [(r.content, r.login) for r in asked.reactions] == [("eyes", OWN)]
    assert [r.content for r in loopback_github.repository().threads[number].reactions] == ["-1"]
    assert "no reaction" in react(forge, "issue", number, "eyes", ("comment", 999_999))


def test_a_thread_that_cannot_be_read_is_an_error_at_once(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with pytest.raises(GithubFailed):
        track(loopback_github, number + 1)


def test_opening_costs_few_requests(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    tracker = track(loopback_github, number)
    print([str(request) for request in loopback_github.requests])
    assert len(loopback_github.requests) <= 4
    assert not tracker.settled


def test_what_an_earlier_run_published_is_linked(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    with track(loopback_github, number) as tracker:
        assert tracker.end("done", "an earlier run has published it", url="https://github.com/o/r/pull/12")
    (tracked,) = tracked_on(loopback_github, number)
    assert "[pull request](https://github.com/o/r/pull/12)" in tracked.comment.body
