"""`@ay stop`: what runs on a thread is cancelled, and a note is left that a run can't overlook before it publishes.

The note is a comment of its own. A run that goes on for a moment could write over what its tracking comment says, but
not over the note.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from ay_bot.errors import GithubFailed
from ay_bot.host.github.exactly_once import Marker, comment_once
from ay_bot.host.github.forge import Comment, Forge
from ay_bot.host.github.repair import repair
from ay_bot.host.github.request import Request
from ay_bot.host.github.tracking_marker import Tracked, find_tracked, first_marker
from ay_bot.protocol.conversation import Value

KIND = "stop"
MOST_STOPPED = 20
_SEPARATOR = ":"


class Stopped(Value):
    """What a stop did: the requests that ran, and those of them whose run could not be cancelled."""

    requests: tuple[Tracked, ...] = ()
    not_cancelled: tuple[int, ...] = ()
    note: Comment
    problems: tuple[str, ...] = ()


def stop(forge: Forge, request: Request) -> Stopped:
    """Cancel every request of the thread that has not ended, but for the ones made after this; say so once."""
    own = forge.own_login()
    running = find_running(forge.comments(request.number), own, request.made)
    note = _leave_note(forge, request, running)
    problems: list[str] = []
    left = tuple(tracked.run_id for tracked in running if tracked.run_id and not _cancel(forge, tracked, problems))
    for tracked in running:
        try:
            repair(forge, tracked, "cancelled", f"{request.requester} said stop", "nothing, or ask again.")
        except GithubFailed as error:
            problems.append(f"a comment still says {tracked.state}: {error.message}")
    return Stopped(requests=running, not_cancelled=left, note=note, problems=tuple(problems))


def find_running(comments: Iterable[Comment], own: str, made: datetime) -> tuple[Tracked, ...]:
    """Return the requests that have not ended and were there at a moment."""
    found = find_tracked(comments, own)
    return tuple(each for each in found if not each.is_final and each.comment.created <= made)[:MOST_STOPPED]


def stop_notes(comments: Iterable[Comment], own: str, key: str) -> frozenset[int]:
    """Return the comments that say that a request was stopped."""
    return frozenset(
        comment.id
        for comment in comments
        if (marker := first_marker(comment, own))
        and marker.kind == KIND
        and key in marker.facts.get("stops", "").split(_SEPARATOR)
    )


def was_stopped(forge: Forge, number: int, key: str, known: Collection[int] = ()) -> bool:
    """Whether somebody stopped the request since its run began; `known` are the notes that were there before.

    To be asked right before anything is published.
    """
    return bool(stop_notes(forge.comments(number), forge.own_login(), key) - frozenset(known))


def _leave_note(forge: Forge, request: Request, running: Sequence[Tracked]) -> Comment:
    facts = {"stops": _SEPARATOR.join(tracked.key for tracked in running)} if running else {}
    count = len(running)
    told = (
        f"Stopped {count} {'request' if count == 1 else 'requests'}" if count else "Nothing is running on this thread"
    )
    body = f"⏹️ {told}, @{request.requester}. What was published before stays as it is.\n"
    return comment_once(forge, request.number, Marker(kind=KIND, key=request.key, facts=facts), body)[0]


def _cancel(forge: Forge, tracked: Tracked, problems: list[str]) -> bool:
    try:
        return tracked.run_id is not None and forge.cancel_workflow_run(tracked.run_id)
    except GithubFailed as error:
        problems.append(f"run {tracked.run_id} could not be cancelled: {error.message}")
        return False
