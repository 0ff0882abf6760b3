"""Exactly once: each thing is looked for before it is made, and again where it isn't known whether it was made.

A hidden marker tells what a comment is and for which request. It counts only as the first line of a comment of our own
account: anybody can write one, and other workflows that use the same account may repeat what people wrote. Texts of a
model lose their HTML comments before they leave, and so can't hold one.
"""

import re
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from ay_bot.errors import AnswerLost, GithubFailed, NotAllowed
from ay_bot.host.github.forge import Comment, Forge, Issue
from ay_bot.protocol.conversation import Value

WAITS = (0.5, 1.5, 4.0)
"""Seconds between the looks for something that may be there already: GitHub's lists lag behind its writes."""
MOST_TRIES = 3

Pause = Callable[[float], None]
_Found = TypeVar("_Found")
_FIELD = re.compile(r"([a-z]+)=([\w.:/-]+)", re.ASCII)
_MARKER = re.compile(r"<!-- ay-bot:v1 ([^<>\n]{1,400}) -->")


class Marker(Value):
    """What a text of ours is (`kind`), and for which request or chore (`key`); `facts` are further words of ours."""

    kind: str
    key: str
    facts: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The marker as it stands in a text, invisible to readers."""
        fields = {"kind": self.kind, "key": self.key, **self.facts}
        return f"<!-- ay-bot:v1 {' '.join(f'{name}={value}' for name, value in fields.items())} -->"

    def begins(self, text: str) -> bool:
        """Whether a text's first line is a marker of this kind and key, and nothing else."""
        line = text.partition("\n")[0].rstrip("\r")
        return any((found.kind, found.key, found.text) == (self.kind, self.key, line) for found in read_markers(line))


def read_markers(text: str) -> tuple[Marker, ...]:
    """Return the markers of a text."""
    markers = []
    for found in _MARKER.finditer(text):
        fields = dict(_FIELD.findall(found[1]))
        kind, key = fields.pop("kind", ""), fields.pop("key", "")
        if kind and key:
            markers.append(Marker(kind=kind, key=key, facts=fields))
    return tuple(markers)


def is_own(login: str, own: str) -> bool:
    """Whether a login is that of our own account; GitHub's logins know no case."""
    return login.lower() == own.lower()


def find_comment(comments: Iterable[Comment], marker: Marker, own: str) -> Comment | None:
    """Return our own comment that begins with the marker."""
    return next((each for each in comments if is_own(each.author.login, own) and marker.begins(each.body)), None)


def find_or_create(
    find: Callable[[], _Found | None],
    create: Callable[[], _Found],
    *,
    look_first: bool = True,
    pause: Pause = time.sleep,
) -> tuple[_Found, bool]:
    """Return what `find` finds, else what `create` makes, and whether it was made now.

    Where the answer to `create` is lost, or GitHub refuses because it is there already, it is looked for again
    before anything else; a refusal with nothing to be found is passed on. Without `look_first` the caller has just
    looked.
    """
    if look_first and (found := find()) is not None:
        return found, False
    for left in range(MOST_TRIES - 1, -1, -1):
        try:
            return create(), True
        except NotAllowed:
            raise
        except AnswerLost:
            if (found := look_again(find, pause)) is not None:
                return found, True
            if not left:
                raise
        except GithubFailed:
            if (found := look_again(find, pause)) is not None:
                return found, False
            raise
    raise AssertionError  # the last try returns or raises


def look_again(find: Callable[[], _Found | None], pause: Pause) -> _Found | None:
    """Look for something that may not be visible yet, a few times."""
    for seconds in WAITS:
        if (found := find()) is not None:
            return found
        pause(seconds)
    return find()


def repeat_lost(write: Callable[[], None], *, pause: Pause = time.sleep) -> None:
    """Carry out a write that changes nothing when it is repeated, again if its answer gets lost."""
    for seconds in WAITS[: MOST_TRIES - 1]:
        try:
            return write()
        except AnswerLost:
            pause(seconds)
    return write()


def comment_once(
    forge: Forge, number: int, marker: Marker, body: str, *, pause: Pause = time.sleep
) -> tuple[Comment, bool]:
    """Write a comment on a thread unless ours with this marker is there."""
    own = forge.own_login()

    def find() -> Comment | None:
        return find_comment(forge.comments(number), marker, own)

    return find_or_create(find, lambda: forge.add_comment(number, f"{marker.text}\n{body}"), pause=pause)


def issue_once(
    forge: Forge, marker: Marker, title: str, body: str, labels: tuple[str, ...] = (), *, pause: Pause = time.sleep
) -> tuple[Issue, bool]:
    """Open an issue unless ours with this marker is there, open or closed."""
    own = forge.own_login()

    def find() -> Issue | None:
        mine = forge.issues(creator=own, state="all")
        return next((each for each in mine if is_own(each.author.login, own) and marker.begins(each.body)), None)

    def create() -> Issue:
        return forge.create_issue(title=title, body=f"{marker.text}\n{body}", labels=labels)

    return find_or_create(find, create, pause=pause)
