"""Edits: at least so far apart, only on change, and the newest wins, whatever happens when."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.github.pacing import Edits, Pace
from ay_bot.protocol.conversation import Usage
from tests.host.github.stories import make_story

STEP = st.tuples(
    st.integers(0, 25), st.sampled_from(["nothing", "spend", "work", "verify", "notice"]), st.booleans()
)  # seconds pass, something happens, and the edit gets lost or not


@given(st.lists(STEP, max_size=40))
def test_edits_are_apart_and_only_on_change_and_the_newest_wins(steps: list[tuple[int, str, bool]]) -> None:
    story, now = make_story(), 100.0
    shown = story
    edits = Edits(Pace(10, 60), story, now)
    sent: list[float] = []
    for seconds, what, lost in steps:
        now += seconds
        change = {
            "nothing": {},
            "spend": {"usage": Usage(prompt_tokens=story.usage.prompt_tokens + 1)},
            "work": {"state": "working"},
            "verify": {"state": "verifying"},
            "notice": {"notices": (*story.notices, "n")},
        }[what]
        story = story.model_copy(update=change)
        wait = edits.seconds_until(story, now)
        assert wait is None or wait >= 0
        if wait is None:
            assert story == shown
        if wait == 0:
            sent.append(now)
            if lost:
                edits.lost(now)
                shown = None
            else:
                edits.showed(story, now)
                shown = story
    story = story.model_copy(update={"state": "done"})
    wait = edits.seconds_until_last(story, now)
    assert wait is not None
    assert wait <= 10
    sent.append(now + wait)
    edits.showed(story, now + wait)
    assert edits.seconds_until_last(story, now + wait) is None
    assert all(later - earlier >= 10 for earlier, later in pairwise(sent))


def test_numbers_alone_wait_for_the_heartbeat_but_come_along_with_anything_else() -> None:
    edits = Edits(Pace(10, 60), make_story(), 0)
    spent = make_story(usage=Usage(prompt_tokens=9), step=3)
    assert edits.seconds_until(spent, 15) == 45
    assert edits.seconds_until(spent.model_copy(update={"state": "working"}), 15) == 0


def test_the_end_of_a_short_run_waits_for_nothing() -> None:
    edits = Edits(Pace(10, 60), make_story(), 0)
    assert edits.seconds_until_last(make_story(state="done"), 0.5) == 0
