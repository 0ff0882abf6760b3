"""What dead runs left behind: tracking comments without an end get one, by the next step or by the next run."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from ay_bot.host.github.forge import Comment, Forge
from ay_bot.host.github.repair import repair
from ay_bot.host.github.stop import stop_notes
from ay_bot.host.github.tracking_marker import Tracked, find_tracked, moment_of
from ay_bot.protocol.conversation import Value

PATIENCE = timedelta(hours=7)
"""A job of GitHub's runners ends after six hours; a comment that was silent for longer has no run."""
HINT = "open the run to see where it ended, then say `@{name} retry`."
HasEnded = Callable[[int], bool | None]
"""Whether a run of GitHub Actions has ended, None where that can't be known."""


class Finalizing(Value):
    """The run whose leftovers are looked for. `key` is its request, where that is known."""

    run: str
    run_url: str = ""
    key: str = ""
    job_status: str = ""
    """As the runner tells it to a later step: success, failure or cancelled."""
    mention: str = "ay"


def finalize(
    forge: Forge, number: int, this: Finalizing, comments: Sequence[Comment] | None = None
) -> tuple[Tracked, ...]:
    """End what this run left without an end, and return that; the Action's last step, which always runs, calls it."""
    own = forge.own_login()
    comments = forge.comments(number) if comments is None else comments
    left = tuple(each for each in find_tracked(comments, own) if not each.is_final and _is_ours(each, this))
    for tracked in left:
        _end(forge, tracked, comments, own, this)
    return left


def repair_stale(
    forge: Forge,
    comments: Sequence[Comment],
    this: Finalizing,
    *,
    has_ended: HasEnded,
    now: datetime,
    patience: timedelta = PATIENCE,
) -> tuple[Tracked, ...]:
    """End what other runs, dead by now, left on the same thread, and return that."""
    own = forge.own_login()
    stale = tuple(each for each in _others(comments, own, this) if _is_dead(each, has_ended, now, patience))
    for tracked in stale:
        before = this.model_copy(update={"job_status": "", "run_url": _url_of(tracked, this)})
        _end(forge, tracked, comments, own, before)
    return stale


def _others(comments: Iterable[Comment], own: str, this: Finalizing) -> tuple[Tracked, ...]:
    return tuple(each for each in find_tracked(comments, own) if not each.is_final and not _is_ours(each, this))


def _is_ours(tracked: Tracked, this: Finalizing) -> bool:
    """A run that died early may have left the number of an earlier run in its comment, but never another request."""
    same_run = tracked.run.partition(".")[0] == this.run.partition(".")[0]
    return same_run or (this.key != "" and tracked.key == this.key)


def _is_dead(tracked: Tracked, has_ended: HasEnded, now: datetime, patience: timedelta) -> bool:
    if moment_of(tracked) + patience < now:
        return True
    return tracked.run_id is not None and has_ended(tracked.run_id) is True


def _end(forge: Forge, tracked: Tracked, comments: Sequence[Comment], own: str, this: Finalizing) -> None:
    if stop_notes(comments, own, tracked.key) or this.job_status == "cancelled":
        repair(forge, tracked, "cancelled", "the run was cancelled", "nothing, or ask again.", this.run_url)
        return
    reason = "the run died before it could tell how it ended; nothing more will come of it"
    repair(forge, tracked, "failed", reason, HINT.format(name=this.mention), this.run_url)


def _url_of(tracked: Tracked, this: Finalizing) -> str:
    begin, _, _ = this.run_url.rpartition("/")
    return f"{begin}/{tracked.run_id}" if begin and tracked.run_id else ""
