"""What a tracking comment says of itself to the bot: its request, its run, its state; found again by marker and author.

The marker counts only as the first line of a comment of our own account. No text of a model or of a person can put
one there: what they wrote loses its HTML comments, and never stands first.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from ay_bot.host.github.exactly_once import Marker, is_own, read_markers
from ay_bot.host.github.forge import Comment
from ay_bot.protocol.conversation import Value

State = Literal["queued", "planning", "working", "verifying", "publishing", "done", "blocked", "failed", "cancelled"]
STATES: tuple[State, ...] = (
    "queued", "planning", "working", "verifying", "publishing", "done", "blocked", "failed", "cancelled",
)  # fmt: skip
FINAL: frozenset[State] = frozenset({"done", "blocked", "failed", "cancelled"})
KIND = "tracking"


class Tracked(Value):
    """A tracking comment as it is now. `run` is `id.attempt`; `plan` is the hash of a plan that it proposes."""

    comment: Comment
    key: str
    run: str
    state: State
    requester: str = ""
    plan: str = ""

    @property
    def run_id(self) -> int | None:
        """Return the run of GitHub Actions, None where it was made elsewhere."""
        number = self.run.partition(".")[0]
        return int(number) if number.isascii() and number.isdigit() and len(number) <= 15 else None

    @property
    def attempt(self) -> int:
        """Return which attempt of its run wrote this."""
        number = self.run.partition(".")[2]
        return int(number) if number.isascii() and number.isdigit() and len(number) <= 9 else 1

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come."""
        return self.state in FINAL


def advance(current: State, new: State) -> State:
    """Return the state after `new` was reported: what is final stays, and nothing is queued again."""
    return current if current in FINAL or new == "queued" else new


def may_resume(previous: Tracked, run: str) -> bool:
    """Whether a run may take over a request: not one that is done, nor, unless a person runs it again, one refused.

    An event that is delivered again makes a new run; a person who runs it again makes a new attempt of the old one.
    """
    if previous.state == "done":
        return False
    if previous.state not in ("blocked", "cancelled"):
        return True
    again = previous.model_copy(update={"run": run})
    return previous.run_id is not None and again.run_id == previous.run_id and again.attempt > previous.attempt


def tracking_marker(key: str, run: str, state: State, requester: str = "", plan: str = "") -> Marker:
    """Return the marker of a tracking comment in a state."""
    facts = {"run": run, "state": state, "by": requester.replace("[bot]", ":bot"), "plan": plan}
    return Marker(kind=KIND, key=key, facts={name: value for name, value in facts.items() if value})


def first_marker(comment: Comment, own: str) -> Marker | None:
    """Return the marker that a comment of our own begins with."""
    if comment.kind != "comment" or not is_own(comment.author.login, own):
        return None
    line = comment.body.partition("\n")[0].rstrip("\r")
    markers = read_markers(line)
    return markers[0] if len(markers) == 1 and markers[0].text == line else None


def read_tracking(comment: Comment, own: str) -> Tracked | None:
    """Return what a comment tells if it is a tracking comment of ours."""
    marker = first_marker(comment, own)
    if not marker or marker.kind != KIND:
        return None
    state = next((state for state in STATES if state == marker.facts.get("state")), None)
    if not state:
        return None
    return Tracked(
        comment=comment,
        key=marker.key,
        run=marker.facts.get("run", ""),
        state=state,
        requester=marker.facts.get("by", "").replace(":bot", "[bot]"),
        plan=marker.facts.get("plan", ""),
    )


def find_tracked(comments: Iterable[Comment], own: str) -> tuple[Tracked, ...]:
    """Return all tracking comments of ours, oldest first."""
    found = (read_tracking(comment, own) for comment in comments)
    return tuple(sorted((each for each in found if each), key=lambda each: each.comment.id))


def moment_of(tracked: Tracked) -> datetime:
    """Return when a tracking comment last said something."""
    return tracked.comment.edited or tracked.comment.created
