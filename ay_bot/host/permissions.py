"""Who may ask: permission and role of everybody who had a hand in an event. Only the standard library.

Nothing here asks GitHub; the caller hands in a function that knows the answer for a login.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ay_bot.host.events import Account, Event

ROLES: Final = ("none", "read", "triage", "write", "maintain", "admin")
"""GitHub's own roles, from the weakest to the strongest; a repository may have others."""
ANYBODY: Final = "*"
HARMLESS_OUTPUTS: Final = frozenset({"comment", "reply", "labels", "noop", "blocked", "ask"})
WRITE_OUTPUTS: Final = frozenset(
    {"create_pull_request", "update_pull_request", "push_to_own_branch", "review", "issue", "close_own_pull_request"}
)


class Refusal(StrEnum):
    """Why somebody may not ask."""

    ACTOR_UNKNOWN = "actor-unknown"
    CONFUSED_DEPUTY = "confused-deputy"
    BOT_NOT_LISTED = "bot-not-listed"
    BOT_NOT_INSTALLED = "bot-not-installed"
    PERMISSION_TOO_LOW = "permission-too-low"
    PERMISSION_UNKNOWN = "permission-unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """GitHub's answer about an account: its permission, the role that gives it, and for an App if it is installed."""

    permission: str
    role: str
    installed: bool = True


Ask = Callable[[str], Standing | None]
"""The standing of a login; None if GitHub could not say."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is admitted, by the repository's owner."""

    minimum: str = "write"
    """The weakest of GitHub's roles that may ask, or `*` for anybody."""
    bots: tuple[str, ...] = ()
    """Apps and bot accounts that may ask; with or without `[bot]`."""
    outputs: frozenset[str] = HARMLESS_OUTPUTS | WRITE_OUTPUTS
    """What a run may give."""

    def problems(self) -> Iterator[str]:
        """Yield everything that makes these settings unusable."""
        if self.minimum not in {*ROLES[1:], ANYBODY}:
            yield f"the minimum `{self.minimum}` is none of {', '.join([*ROLES[1:], ANYBODY])}"
        for name in sorted(self.outputs - HARMLESS_OUTPUTS - WRITE_OUTPUTS):
            yield f"there is no output `{name}`"
        if self.minimum == ANYBODY and (writing := sorted(self.outputs & WRITE_OUTPUTS)):
            yield f"anybody (`*`) may not be given outputs that write: {', '.join(writing)}"
        if ANYBODY in self.bots:
            yield "bots are listed by name; `*` is none"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who had a hand in an event, and which."""

    hand: str
    account: Account


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether everybody may ask; if not, why and because of whom. `asked` are the logins GitHub was asked about."""

    refusal: Refusal | None
    party: Party | None
    asked: tuple[str, ...]


def judge(event: Event, triggering_actor: Account | None, admission: Admission, ask: Ask) -> Verdict:
    """Judge all who had a hand in the event; GitHub is asked last, at most once for each login."""
    parties = _parties(event, triggering_actor)
    for party in parties:
        if refusal := _by_payload(party, admission):
            return Verdict(refusal, party, ())
    if deputy := _deputy(event):
        return Verdict(Refusal.CONFUSED_DEPUTY, deputy, ())
    asked: dict[str, Party] = {}
    for party in parties:
        login = party.account.login.lower()
        if login in asked or (admission.minimum == ANYBODY and not party.account.bot):
            continue
        asked[login] = party
        if refusal := _by_standing(party.account, admission, ask(party.account.login)):
            return Verdict(refusal, party, tuple(asked))
    return Verdict(None, None, tuple(asked))


def suffices(standing: Standing, minimum: str) -> bool:
    """Whether permission *and* role reach the minimum; a role of the repository's own counts by its permission."""
    if minimum == ANYBODY:
        return True
    least = ROLES.index(minimum)
    by_permission = _rank(standing.permission)
    by_role = _rank(standing.role) if standing.role in ROLES else by_permission
    # GitHub gives only read, write and admin as permission: triage stands under read, maintain under write.
    needed = {"triage": "read", "maintain": "write"}.get(minimum, minimum)
    return by_permission >= ROLES.index(needed) and by_role >= least


def _rank(role: str) -> int:
    return ROLES.index(role) if role in ROLES else 0


def _parties(event: Event, triggering_actor: Account | None) -> list[Party]:
    if event.actor is None:  # a schedule is nobody's act: it is in the default branch's workflow
        return []
    parties = [Party("actor", event.actor)]
    if event.texts and event.author:
        parties.append(Party("author", event.author))
    if triggering_actor:
        parties.append(Party("triggering-actor", triggering_actor))
    return parties


def _by_payload(party: Party, admission: Admission) -> Refusal | None:
    if not party.account.known:
        return Refusal.ACTOR_UNKNOWN
    if party.account.bot and _plain(party.account.login) not in {_plain(name) for name in admission.bots}:
        return Refusal.BOT_NOT_LISTED
    return None


def _deputy(event: Event) -> Party | None:
    """Return who acts on the words of somebody else, as an App does that anybody can make speak."""
    if not event.actor or not event.author or event.actor.is_same(event.author):
        return None
    return Party("actor", event.actor) if event.texts or event.actor.bot else None


def _by_standing(account: Account, admission: Admission, standing: Standing | None) -> Refusal | None:
    if standing is None:
        return Refusal.PERMISSION_UNKNOWN
    if account.bot:
        return None if standing.installed else Refusal.BOT_NOT_INSTALLED
    return None if suffices(standing, admission.minimum) else Refusal.PERMISSION_TOO_LOW


def _plain(login: str) -> str:
    return login.lower().removesuffix("[bot]")
