"""Who asks too often is told once, and then not answered."""

from datetime import datetime, timedelta

from ay_bot.host.github.forge import Comment
from ay_bot.host.github.request_rate import RateLimit, judge_rate, refuse_rate
from ay_bot.host.github.tracking_text import render_comment
from tests.host.github.stories import NOON, OWN, make_story, quick_forge, said, seeded
from tests.host.github.threads import make_request
from tests.loopback_github.server import LoopbackGitHub

LIMIT = RateLimit(most=3, window=timedelta(hours=1))


def asked(count: int, requester: str = "alice", at: datetime = NOON, author: str = OWN) -> list[Comment]:
    bodies = [render_comment(make_story(key=f"{n:012x}", requester=requester), 0) for n in range(count)]
    return [said(body, author, n + 1, created=at) for n, body in enumerate(bodies)]


def judge(comments: list[Comment], at: datetime = NOON) -> str:
    return judge_rate(comments, OWN, make_request(), at, LIMIT)


def test_at_56_after_so_many_requests_comes_one_reply_and_then_silence(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    forge = quick_forge(loopback_github)
    decisions = []
    for n in range(12):
        request = make_request(number=number, comment=n)
        comments = forge.comments(number)
        now = comments[-1].created if comments else NOON
        decisions.append(judge_rate(comments, OWN, request, now, LIMIT))
        if decisions[-1] == "run":
            forge.add_comment(number, render_comment(make_story(key=request.key), 0))
        elif decisions[-1] == "reply":
            refuse_rate(forge, request, now, LIMIT)
            refuse_rate(forge, request, now, LIMIT)  # delivered twice
    assert decisions == ["run"] * 3 + ["reply"] + ["silent"] * 8
    assert len(loopback_github.repository().comments) == 4


def test_at_56_only_this_persons_requests_within_the_window_count() -> None:
    assert judge(asked(3)) == "reply"
    assert judge(asked(3, requester="ALICE")) == "reply"
    assert judge(asked(2)) == "run"
    assert judge(asked(3, requester="bob")) == "run"
    assert judge(asked(3, author="mallory")) == "run"  # forged, to keep somebody out
    assert judge(asked(3), NOON + timedelta(hours=1)) == "run"


def test_a_request_that_is_delivered_again_does_not_count_against_itself() -> None:
    body = render_comment(make_story(key=make_request().key), 0)
    assert judge([*asked(2), said(body, number=9)]) == "run"
