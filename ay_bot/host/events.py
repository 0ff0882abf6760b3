"""GitHub's events: what of a webhook payload the bot needs, as one frozen value, or why it is not for us.

Only the standard library is imported, since the gate runs before anything is installed. Payloads differ between
GitHub's versions, so that little is required and the rest is left out of sight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_Object = Mapping[str, object]


class Unheard(StrEnum):
    """Why an event is not for us; nobody is told."""

    EVENT_UNSUPPORTED = "event-unsupported"
    ACTION_UNSUPPORTED = "action-unsupported"
    EDITED = "edited"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Account:
    """Who did something on GitHub, as the payload says it."""

    login: str
    bot: bool = False
    known: bool = True
    """False for accounts that were deleted: GitHub shows all of them as `ghost`."""

    def is_same(self, other: "Account") -> bool:
        """Whether both are one account; GitHub takes upper and lower case as the same."""
        return self.login.lower() == other.login.lower()


GHOST: Final = Account("ghost", known=False)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, as of the moment when it happened. All text is as somebody wrote it."""

    name: str
    action: str
    repository: str = ""
    number: int | None = None
    on_pull_request: bool = False
    comment: int | None = None
    actor: Account | None = None
    author: Account | None = None
    """Who wrote `texts`, or the thread where nothing was written."""
    texts: tuple[str, ...] = ()
    label: str = ""
    assignee: str = ""
    verb: str = ""
    instruction: str = ""


class _Malformed(Exception):
    pass


def account(login: str) -> Account:
    """Return the account of a login that comes without a payload."""
    return Account(login, bot=login.lower().endswith("[bot]"), known=login.lower() != "ghost")


def parse_event(name: str, payload: object) -> Event | Unheard:
    """Return what the bot needs of a payload, or why the event is not for us."""
    reader = _READERS.get(name)
    if not reader:
        return Unheard.EVENT_UNSUPPORTED
    try:
        body = _object(payload)
        action = _text(body, "action") if name not in _WITHOUT_ACTION else ""
        if action == "edited":
            return Unheard.EDITED
        if action not in _ACTIONS.get(name, {action}):
            return Unheard.ACTION_UNSUPPORTED
        return reader(name, action, body)
    except _Malformed:
        return Unheard.MALFORMED


def _comment(name: str, action: str, body: _Object) -> Event:
    issue, comment = _object(body.get("issue")), _object(body.get("comment"))
    return Event(
        name,
        action,
        repository=_repository(body),
        number=_number(issue, "number"),
        on_pull_request=bool(issue.get("pull_request")),
        comment=_number(comment, "id"),
        actor=_sender(body),
        author=_account(comment.get("user")),
        texts=(_text(comment, "body"),),
    )


def _review(name: str, action: str, body: _Object) -> Event:
    written = _object(body.get("review" if name == "pull_request_review" else "comment"))
    return Event(
        name,
        action,
        repository=_repository(body),
        number=_number(_object(body.get("pull_request")), "number"),
        on_pull_request=True,
        comment=_number(written, "id"),
        actor=_sender(body),
        author=_account(written.get("user")),
        texts=(_optional(written, "body"),),
    )


def _thread(name: str, action: str, body: _Object) -> Event:
    on_pull_request = name != "issues"
    thread = _object(body.get("pull_request" if on_pull_request else "issue"))
    return Event(
        name,
        action,
        repository=_repository(body),
        number=_number(thread, "number"),
        on_pull_request=on_pull_request,
        actor=_sender(body),
        author=_account(thread.get("user")),
        texts=(_optional(thread, "body"), _text(thread, "title")) if action == "opened" else (),
        label=_text(_object(body.get("label")), "name") if action == "labeled" else "",
        assignee=_text(_object(body.get("assignee")), "login") if action == "assigned" else "",
    )


def _schedule(name: str, action: str, body: _Object) -> Event:
    if "schedule" not in body:
        raise _Malformed
    return Event(name, action, instruction=_optional(body, "schedule"))


def _dispatch(name: str, action: str, body: _Object) -> Event:
    given = body.get("client_payload" if name == "repository_dispatch" else "inputs")
    fields = {} if given is None else _object(given)
    if name == "workflow_dispatch" and "inputs" not in body:
        raise _Malformed
    number = fields.get("number")
    return Event(
        name,
        action,
        repository=_repository(body),
        number=int(number) if isinstance(number, int | str) and str(number).isascii() and _digits(number) else None,
        actor=_sender(body),
        verb=_optional(fields, "verb"),
        instruction=_optional(fields, "instruction"),
    )


_Reader = Callable[[str, str, _Object], Event]

_READERS: Final[Mapping[str, _Reader]] = {
    "issue_comment": _comment,
    "pull_request_review_comment": _review,
    "pull_request_review": _review,
    "issues": _thread,
    "pull_request": _thread,
    "pull_request_target": _thread,
    "schedule": _schedule,
    "workflow_dispatch": _dispatch,
    "repository_dispatch": _dispatch,
}
_ACTIONS: Final[Mapping[str, frozenset[str]]] = {
    "issue_comment": frozenset({"created"}),
    "pull_request_review_comment": frozenset({"created"}),
    "pull_request_review": frozenset({"submitted"}),
    "issues": frozenset({"opened", "labeled", "assigned"}),
    "pull_request": frozenset({"labeled"}),
    "pull_request_target": frozenset({"labeled"}),
}
_WITHOUT_ACTION: Final = frozenset({"schedule", "workflow_dispatch"})
EVENTS: Final = tuple(_READERS)
"""The names of the events that are looked at."""


def _object(value: object) -> _Object:
    if not isinstance(value, Mapping):
        raise _Malformed
    return value


def _text(body: _Object, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise _Malformed
    return value


def _optional(body: _Object, key: str) -> str:
    return "" if body.get(key) is None else _text(body, key)


def _number(body: _Object, key: str) -> int:
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Malformed
    return value


def _digits(number: int | str) -> bool:
    return not isinstance(number, bool) and str(number).isdigit() and 0 < len(str(number)) <= 15


def _repository(body: _Object) -> str:
    return _text(_object(body.get("repository")), "full_name")


def _sender(body: _Object) -> Account:
    return _account(_object(body.get("sender")))


def _account(value: object) -> Account:
    if value is None:
        return GHOST
    user = _object(value)
    login = _text(user, "login")
    named = account(login)
    kind = _optional(user, "type") or "User"
    return Account(login, bot=named.bot or kind == "Bot", known=named.known and bool(login) and kind != "Mannequin")
