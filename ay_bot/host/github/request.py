"""One request of a person on GitHub: what the gate let through, as of the moment when it was made."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, cast, get_args

from ay_bot.errors import UsageError
from ay_bot.host.gate import Decision
from ay_bot.host.github.forge import CommentKind, Issue, ThreadKind
from ay_bot.host.github.payload import Payload, ThreadPart, WordsPart, clean_surrogates, parse_payload
from ay_bot.protocol.conversation import Value

RequestVerb = Literal[
    "fix", "implement", "test", "review", "explain", "plan", "approve", "retry", "rebase", "stop", "help", "maintain"
]


class Anchor(Value):
    """The line of a pull request that a comment is about."""

    path: str
    line: int | None = None
    hunk: str = ""


class Request(Value):
    """Who asks for what, where. All text is as written, not sanitised.

    `verb` is None for free text. `made` is the trigger's moment; `title`, `body`, `head` and `base` are the thread's
    of that moment, from the payload: `head` and `base` are empty where the payload has none (comments on a pull
    request carry no commit).
    """

    repository: str
    event: str
    verb: RequestVerb | None
    instruction: str
    thread: ThreadKind
    number: int
    comment: int | None = None
    comment_kind: CommentKind | None = None
    requester: str
    author: str
    """Of the thread."""
    author_association: str = "NONE"
    title: str
    body: str
    made: datetime
    anchor: Anchor | None = None
    head: str = ""
    base: str = ""
    head_branch: str = ""
    base_branch: str = ""
    head_repository: str = ""
    words: str = ""
    """The whole text that asks, with what stands before the mention; empty where it is no text that asks."""
    url: str = ""
    """Of what asks."""
    label: str = ""
    occasion: str = ""
    """What makes two events without a comment two requests: the label or assignee and its moment."""

    @property
    def key(self) -> str:
        """Return what this request is known by, however often its event is delivered: 12 hexadecimal digits."""
        parts = (
            self.repository.lower(), str(self.number), str(self.comment or ""), self.comment_kind or "",
            self.verb or "", self.instruction, self.occasion,
        )  # fmt: skip
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def writes_code(self) -> bool:
        """Whether this asks for a change of the code."""
        return self.verb not in ("review", "explain", "plan", "stop", "help")


class Dispatch(Value):
    """A request without a thread in its event: a schedule, or a workflow that somebody started.

    `number` is the thread that a person named, None for maintenance; `on_thread` makes a Request of it.
    """

    repository: str
    event: str
    verb: RequestVerb | None
    instruction: str
    number: int | None = None
    requester: str = ""

    def on_thread(self, issue: Issue, made: datetime, occasion: str) -> Request:
        """Return the request on the thread as it is now; `occasion` tells one start of the workflow from another."""
        return Request(
            repository=self.repository,
            event=self.event,
            verb=self.verb,
            instruction=self.instruction,
            thread=issue.kind,
            number=issue.number,
            requester=self.requester,
            author=issue.author.login,
            author_association=issue.author.association,
            title=issue.title,
            body=issue.body,
            made=made,
            url=issue.url,
            occasion=occasion,
        )


_KINDS: Final[Mapping[str, CommentKind]] = {
    "issue_comment": "comment",
    "pull_request_review_comment": "review_comment",
    "pull_request_review": "review",
}
_VERBS: Final = frozenset(get_args(RequestVerb))


def read_request(decision: Decision, payload: object) -> Request | Dispatch:
    """Return the request that the gate let through. Raises UsageError where the payload lacks what it needs."""
    parts = parse_payload(payload)
    if decision.event == "schedule" or decision.event.endswith("_dispatch"):
        return Dispatch(
            repository=decision.repository,
            event=decision.event,
            verb=_verb(decision),
            instruction=_clean(decision.instruction),
            number=decision.number,
            requester=decision.actor,
        )
    thread = parts.pull_request or parts.issue
    if thread is None or decision.number is None:
        raise _lacking("the thread")
    return _on_thread(decision, parts, thread)


def _on_thread(decision: Decision, parts: Payload, thread: ThreadPart) -> Request:
    kind = _KINDS.get(decision.event)
    words = (parts.review if kind == "review" else parts.comment) if kind else None
    if kind and words is None:
        raise _lacking("the comment")
    made = words.made if words else thread.made if decision.action == "opened" else thread.changed
    if made is None:
        raise _lacking("when it was asked")
    head, base = thread.head, thread.base
    return Request(
        repository=decision.repository,
        event=decision.event,
        verb=_verb(decision),
        instruction=_clean(decision.instruction),
        thread="pull_request" if decision.thread == "pull_request" else "issue",
        number=decision.number or 0,
        comment=decision.comment,
        comment_kind=kind,
        requester=decision.actor,
        author=thread.user.login if thread.user else "ghost",
        author_association=thread.author_association or "NONE",
        title=thread.title,
        body=thread.body,
        made=made,
        anchor=_anchor(words) if words and kind == "review_comment" else None,
        head=head.sha,
        base=base.sha,
        head_branch=head.ref,
        base_branch=base.ref,
        head_repository=head.repo.full_name if head.repo else "",
        words=words.body if words else thread.body if decision.action == "opened" else "",
        url=words.html_url if words else thread.html_url,
        label=parts.label.name if parts.label and decision.action == "labeled" else "",
        occasion=_occasion(decision, parts, made),
    )


def _anchor(words: WordsPart) -> Anchor:
    return Anchor(path=words.path, line=words.line or words.original_line, hunk=words.diff_hunk)


def _occasion(decision: Decision, parts: Payload, made: datetime) -> str:
    if decision.action == "labeled":
        return f"label {parts.label.name if parts.label else ''} {made.isoformat()}"
    if decision.action == "assigned":
        return f"assignee {parts.assignee.login if parts.assignee else ''} {made.isoformat()}"
    return ""


def _verb(decision: Decision) -> RequestVerb | None:
    if decision.verb is None:
        return None
    if decision.verb not in _VERBS:
        raise _lacking("a known verb")
    return cast("RequestVerb", decision.verb)


def _clean(text: str) -> str:
    return str(clean_surrogates(text))


def _lacking(what: str) -> UsageError:
    return UsageError(f"the event's payload lacks {what}", hint="give the file that GITHUB_EVENT_PATH names, unchanged")
