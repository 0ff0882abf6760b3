"""`@ay stop` on a real API: runs are cancelled, comments end, and a run that goes on finds the note."""

from datetime import timedelta

from ay_bot.host.github.stop import stop, was_stopped
from ay_bot.host.github.tracking_text import render_comment
from tests.host.github.stories import KEY, NOON, PROOF, make_story, quick_forge, seeded, tracked_on
from tests.host.github.threads import make_request
from tests.loopback_github.server import LoopbackGitHub

OTHER = "ba9876543210"


def test_what_runs_is_cancelled_and_told(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    run = loopback_github.add_run()
    working = make_story(run=f"{run}.1", state="working", verification=PROOF)
    forge.add_comment(number, render_comment(working, 5))
    forge.add_comment(number, render_comment(make_story(key=OTHER, state="done"), 5))
    request = make_request(verb="stop", number=number, made=NOON + timedelta(days=9999))
    stopped = stop(forge, request)
    assert [each.key for each in stopped.requests] == [KEY]
    assert not stopped.not_cancelled
    assert not stopped.problems
    assert loopback_github.repository().runs[run]["conclusion"] == "cancelled"
    first, second = tracked_on(loopback_github, number)
    assert (first.state, second.state) == ("cancelled", "done")
    assert "⏹️ **Cancelled** for @alice" in first.comment.body
    assert "alice said stop" in first.comment.body
    assert "| fixed |" in first.comment.body  # what was known stays
    assert "@ay stop` to end" not in first.comment.body
    assert "Stopped 1 request, @alice" in stopped.note.body


def test_delivered_again_a_stop_leaves_one_note(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    forge.add_comment(number, render_comment(make_story(state="working"), 5))
    request = make_request(verb="stop", number=number, made=NOON + timedelta(days=9999))
    notes = {stop(forge, request).note.id for _ in range(3)}
    assert len(notes) == 1
    assert len(loopback_github.repository().comments) == 2


def test_a_run_that_goes_on_finds_the_note_whatever_its_comment_says(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    comment = forge.add_comment(number, render_comment(make_story(state="working"), 5))
    assert not was_stopped(forge, number, KEY)
    note = stop(forge, make_request(verb="stop", number=number, made=NOON + timedelta(days=9999))).note
    forge.edit_comment(comment.id, render_comment(make_story(state="verifying"), 6))
    assert was_stopped(forge, number, KEY)
    assert not was_stopped(forge, number, OTHER)
    assert not was_stopped(forge, number, KEY, {note.id})  # a person ran it again after the stop


def test_a_note_that_others_wrote_stops_nothing(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    forge.add_comment(number, render_comment(make_story(state="working"), 5))
    body = stop(forge, make_request(verb="stop", number=number, made=NOON + timedelta(days=9999))).note.body
    elsewhere = loopback_github.open_issue("Another").number
    loopback_github.comment(elsewhere, body, login="mallory")
    assert not was_stopped(forge, elsewhere, KEY)
    assert body.startswith("<!-- ay-bot:v1 kind=stop")


def test_a_request_made_after_the_stop_goes_on(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    forge.add_comment(number, render_comment(make_story(state="working"), 5))
    stopped = stop(forge, make_request(verb="stop", number=number, made=NOON - timedelta(days=9999)))
    assert stopped.requests == ()
    assert "Nothing is running" in stopped.note.body
    assert tracked_on(loopback_github, number)[0].state == "working"


def test_a_run_that_may_not_be_cancelled_is_stopped_by_the_note(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    token = loopback_github.add_actions_token({"contents": "write", "issues": "write"})
    forge = quick_forge(loopback_github, token)
    run = loopback_github.add_run()
    forge.add_comment(number, render_comment(make_story(run=f"{run}.1", state="working"), 5))
    stopped = stop(forge, make_request(verb="stop", number=number, made=NOON + timedelta(days=9999)))
    assert stopped.not_cancelled == (run,)
    assert was_stopped(forge, number, KEY)
    assert tracked_on(loopback_github, number)[0].state == "cancelled"
