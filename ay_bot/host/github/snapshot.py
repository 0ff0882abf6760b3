"""A thread as of a request's moment: title and body from the payload, comments from before it, the commit pinned."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ay_bot.errors import GithubFailed, HeadMoved
from ay_bot.host.github.forge import Comment, Forge, Pull, RepositoryFacts
from ay_bot.host.github.hidden import clean_passage
from ay_bot.host.github.passages import comment_passages, opening_passages, request_passage
from ay_bot.host.github.request import Request
from ay_bot.host.github.task_text import render_thread
from ay_bot.host.github.thread import Snapshot
from ay_bot.host.sanitize import sanitize
from ay_bot.host.sanitize_blocks import new_nonce

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_AGAIN: Final = "ask again, after a look at what is new"


class Pins(NamedTuple):
    """Where the work starts and where it goes."""

    head: str
    head_branch: str
    head_repository: str
    base: str
    base_branch: str


def take_snapshot(
    request: Request, forge: Forge, facts: RepositoryFacts, comments: Sequence[Comment] | None = None
) -> Snapshot:
    """Return the thread as of the request; `comments` are the thread's, where they were read since.

    Raises HeadMoved or GithubFailed where the commit can't be pinned.
    """
    pins = pin(request, forge, facts)
    request = _at_its_moment(request, forge)
    said = forge.comments(request.number) if comments is None else comments
    passages, left_out = comment_passages(request, said, forge.own_login())
    nonce = new_nonce()
    thread = render_thread((*opening_passages(request), *passages), nonce, left_out)
    return Snapshot(
        title=" ".join(sanitize(request.title).text.split())[:200],
        text=thread.text,
        nonce=nonce,
        head=pins.head,
        head_branch=pins.head_branch,
        base_branch=pins.base_branch,
        hidden=(*clean_passage(request_passage(request)).hidden, *thread.hidden),
        left_out=left_out,
        thread=request.thread,
        number=request.number,
        base=pins.base,
        head_repository=pins.head_repository,
        pictures=thread.pictures,
    )


def pin(request: Request, forge: Forge, facts: RepositoryFacts) -> Pins:
    """Return the commits of the request's moment."""
    if request.thread == "issue":
        return _pin_default(forge, facts)
    if _COMMIT.fullmatch(request.head) and request.base_branch:
        return Pins(request.head, request.head_branch, request.head_repository, request.base, request.base_branch)
    pull = forge.pull(request.number)
    head = _head_then(request, forge, pull)
    return Pins(head, pull.head_branch, pull.head_repository or "", pull.base, pull.base_branch)


def check_unmoved(forge: Forge, snapshot: Snapshot) -> None:
    """Raise HeadMoved unless a pull request is still where it was when the work on it began; asks once.

    An issue pins nothing but the default branch, which goes on all the time: the new branch begins where it was.
    """
    if snapshot.thread == "issue":
        return
    pull = forge.pull(snapshot.number)
    if not pull.is_open:
        raise HeadMoved(f"pull request #{snapshot.number} was closed in the meantime", hint="open it and ask again")
    if pull.head != snapshot.head:
        what = f"pull request #{snapshot.number} was at {snapshot.head[:12]} and is now at {pull.head[:12]}"
        raise HeadMoved(what, hint=_AGAIN)
    if pull.base_branch != snapshot.base_branch:
        raise HeadMoved(f"pull request #{snapshot.number} now goes to another branch", hint=_AGAIN)


def _pin_default(forge: Forge, facts: RepositoryFacts) -> Pins:
    name = facts.default_branch
    head = forge.branch(name)
    if not head:
        raise GithubFailed(f"the default branch `{name}` has no commit", hint="push a first commit, then ask again")
    return Pins(head, name, facts.full_name, head, name)


def _head_then(request: Request, forge: Forge, pull: Pull) -> str:
    """Return the head as of the request: the payload of a comment has none, and a commit's own dates are anybody's."""
    head = forge.head_at(pull, request.made)
    if head is None and forge.issue(request.number).updated <= request.made:
        return pull.head  # whatever changes a pull request, a push too, changes this time
    if head is None:
        raise GithubFailed(
            f"it is not known which commit pull request #{request.number} was at when it was asked for",
            hint="ask in a review or in a remark on a line, or by the label: those name their commit",
        )
    if head != pull.head and request.writes_code:
        what = f"pull request #{request.number} got new commits after the request: {head[:12]} became {pull.head[:12]}"
        raise HeadMoved(what, hint=_AGAIN)
    return head


def _at_its_moment(request: Request, forge: Forge) -> Request:
    """Return a labelled request as of the label: its payload may have been written later."""
    labelled = forge.labelled_at(request.number, request.label) if request.label else None
    return request.model_copy(update={"made": labelled}) if labelled and labelled < request.made else request
