"""How a request is acknowledged: a reaction at once, and one comment, found again or made."""

import time
from dataclasses import dataclass

from ay_bot.errors import GithubFailed
from ay_bot.host.github.exactly_once import Pause, find_or_create
from ay_bot.host.github.forge import Comment, CommentKind, Forge, Reaction, ThreadKind
from ay_bot.host.github.stop import stop_notes
from ay_bot.host.github.tracking_marker import Tracked, find_tracked
from ay_bot.host.github.tracking_text import Story, render_comment


@dataclass(frozen=True)
class Opened:
    """The comment of a request. `previous` is what it said before, None where it was made now."""

    comment: Comment
    previous: Tracked | None = None
    stops: frozenset[int] = frozenset()
    """Notes that stopped an earlier run of this request."""


def react(
    forge: Forge, thread: ThreadKind, number: int, reaction: Reaction, on: tuple[CommentKind, int] | None = None
) -> str:
    """React to a comment, or to the thread; return what went wrong, since no reaction is worth a failed run.

    Nobody can react to a review: its thread gets the reaction.
    """
    try:
        if on and on[0] != "review":
            forge.react(on[0], on[1], reaction)
        else:
            forge.react(thread, number, reaction)
    except GithubFailed as error:
        return f"no reaction could be left: {error.message}"
    return ""


def open_comment(forge: Forge, number: int, story: Story, *, pause: Pause = time.sleep) -> Opened:
    """Find the request's comment, or make it in the state `queued`; never two of them."""
    own = forge.own_login()

    stops: list[frozenset[int]] = []

    def find() -> Tracked | None:
        comments = forge.comments(number)
        stops.append(stop_notes(comments, own, story.key))
        return next((each for each in find_tracked(comments, own) if each.key == story.key), None)

    def create() -> Tracked:
        comment = forge.add_comment(number, render_comment(story, 0))
        return Tracked(comment=comment, key=story.key, run=story.run, state=story.state)

    found, made_now = find_or_create(find, create, pause=pause)
    return Opened(found.comment, None if made_now else found, stops[0])
