"""Which words of a thread a run is told: those of the request's moment, each with its label of trust."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, cast, get_args

from ay_bot.host.gate import OWN_MARKER
from ay_bot.host.github.exactly_once import is_own, read_markers
from ay_bot.host.github.forge import Association, Comment, CommentKind, Person
from ay_bot.host.github.plan import read_plan
from ay_bot.host.github.request import Request
from ay_bot.host.github.thread import Passage
from ay_bot.host.github.trust import label_person
from ay_bot.host.sanitize_blocks import Trust

NOTICES: Final = frozenset({"tracking", "proof", "patch", "pull"})
"""Our own comments that only show how a run goes, by the kind in their marker; a plan in one is kept."""
_MARKED = re.compile(re.escape(OWN_MARKER) + r"[^\n]*?-->")


def opening_passages(request: Request) -> Iterator[Passage]:
    """Yield title and body, from the payload; not the body where it is itself what asks."""
    person = Person(login=request.author, association=_association(request.author_association))
    trust = label_person(person, requester=request.requester, author=request.author)
    what = f"{'pull request' if request.thread == 'pull_request' else 'issue'} #{request.number}"
    texts = {"title": request.title, "body": "" if request.words == request.body else request.body}
    for part, text in texts.items():
        if text.strip():
            where, place = f"{part} of {what}", f"issues/{request.number}" if part == "body" else ""
            yield Passage(trust=trust, author=request.author, where=where, text=text, opens=True, place=place)


def _association(name: str) -> Association:
    return cast("Association", name) if name in get_args(Association) else "NONE"


def comment_passages(request: Request, comments: Sequence[Comment], own_login: str) -> tuple[tuple[Passage, ...], int]:
    """Return what was said before the request, oldest first, and how many comments are left out as too new."""
    said = [comment for comment in _in_our_words(comments, own_login) if comment.body.strip()]
    told = [comment for comment in said if not _asks(comment, request)]
    early = [comment for comment in told if was_there(comment, request)]
    passages = tuple(_passage(comment, request, own_login) for comment in sorted(early, key=_age))
    return passages, len(told) - len(early)


def _in_our_words(comments: Sequence[Comment], own_login: str) -> Iterator[Comment]:
    """Yield comments, our own with nothing but what they say; a marker in the words of others says nothing."""
    for comment in comments:
        own = is_own(comment.author.login, own_login)
        yield comment.model_copy(update={"body": own_words(comment.body)}) if own else comment


def own_words(body: str) -> str:
    """Return what a text of ours says to people, empty where it only shows how a run goes."""
    if OWN_MARKER not in body:
        return body
    if plan := read_plan(body):
        return f"A plan that was proposed:\n\n{plan}"
    kinds = {marker.kind for marker in read_markers(body)}
    return _MARKED.sub("", body).strip() if kinds and kinds.isdisjoint(NOTICES) else ""


def was_there(comment: Comment, request: Request) -> bool:
    """Whether a comment stood on the thread, just so, before the request: the same second is not before.

    The remarks of a review carry the second in which the review was handed in: those that the requester made
    count up to and with that moment.
    """
    last = max(comment.created, comment.edited or comment.created)
    if request.event == "pull_request_review" and comment.kind == "review_comment":
        own = comment.author.login.lower() == request.requester.lower()
        return last <= request.made if own else last < request.made
    return last < request.made


def _asks(comment: Comment, request: Request) -> bool:
    return comment.id == request.comment and comment.kind == request.comment_kind


def _passage(comment: Comment, request: Request, own_login: str) -> Passage:
    trust = label_person(comment.author, requester=request.requester, author=request.author, own=own_login)
    return Passage(
        trust=trust,
        author=comment.author.login,
        where=_where(comment),
        text=comment.body,
        url=comment.url,
        hunk=comment.hunk,
        place=place_of(request.number, comment.kind, comment.id),
    )


def place_of(number: int, kind: CommentKind | None, comment: int | None) -> str:
    """Return where the API has a comment, or what a thread began with, below the repository."""
    places = {
        "comment": f"issues/comments/{comment}",
        "review_comment": f"pulls/comments/{comment}",
        "review": f"pulls/{number}/reviews/{comment}",
    }
    return places[kind] if kind and comment else f"issues/{number}"


def _where(comment: Comment) -> str:
    if comment.kind == "review_comment":
        return f"remark {comment.id} on {comment.path}" + (f":{comment.line}" if comment.line else "")
    if comment.kind == "review":
        return f"review {comment.id}" + (f" ({comment.state.lower().replace('_', ' ')})" if comment.state else "")
    return f"comment {comment.id}"


def _age(comment: Comment) -> tuple[float, int]:
    return comment.created.timestamp(), comment.id


def request_passage(request: Request) -> Passage:
    """Return the words that ask: the whole comment, or what came with the event."""
    asked = request.words
    if request.instruction.strip() not in asked:
        asked = f"{request.instruction.strip()}\n\n{asked}".strip()
    return Passage(
        trust=Trust.REQUESTER,
        author=request.requester,
        where="the request",
        text=asked,
        url=request.url,
        place=place_of(request.number, request.comment_kind, request.comment),
    )
