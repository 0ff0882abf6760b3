"""How often one person may ask on a thread: counted in the bot's own comments there, told once, then silent."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from ay_bot.host.github.exactly_once import Marker, comment_once
from ay_bot.host.github.forge import Comment, Forge
from ay_bot.host.github.request import Request
from ay_bot.host.github.tracking_marker import Tracked, find_tracked, first_marker
from ay_bot.protocol.conversation import Value

KIND = "rate"
RateDecision = Literal["run", "reply", "silent"]


class RateLimit(Value):
    """At most `most` requests of one person within a window."""

    most: Annotated[int, Field(ge=1, le=1000)] = 10
    window: timedelta = timedelta(hours=1)


def judge_rate(
    comments: Sequence[Comment], own: str, request: Request, now: datetime, limit: RateLimit
) -> RateDecision:
    """Decide whether a request runs, is refused with a reply, or is refused in silence since a reply is there."""
    recent = [each for each in _asked_by(find_tracked(comments, own), request) if now - each < limit.window]
    if len(recent) < limit.most:
        return "run"
    told = (now - note.created < limit.window for note in _notes(comments, own, request.requester))
    return "silent" if any(told) else "reply"


def refuse_rate(forge: Forge, request: Request, now: datetime, limit: RateLimit) -> Comment:
    """Say once in a window that somebody asked too often."""
    bucket = int(now.timestamp() // limit.window.total_seconds())
    marker = Marker(kind=KIND, key=f"{_plain(request.requester)}.{bucket}", facts={"by": _plain(request.requester)})
    minutes = int(limit.window.total_seconds() // 60)
    body = (
        f"@{request.requester}, you asked {limit.most} times within {minutes} minutes on this thread, which is as "
        "often as this repository allows. Ask again later; until then I answer no more.\n"
    )
    return comment_once(forge, request.number, marker, body)[0]


def _asked_by(tracked: Iterable[Tracked], request: Request) -> Iterable[datetime]:
    return (
        each.comment.created
        for each in tracked
        if _plain(each.requester) == _plain(request.requester) and each.key != request.key
    )


def _notes(comments: Iterable[Comment], own: str, requester: str) -> Iterable[Comment]:
    for comment in comments:
        marker = first_marker(comment, own)
        if marker and marker.kind == KIND and marker.facts.get("by") == _plain(requester):
            yield comment


def _plain(login: str) -> str:
    return login.lower().replace("[bot]", ":bot")
