"""Whose words they are: the label of trust, from what GitHub says of the account and never from what a commit says."""

from typing import Final

from ay_bot.host.github.forge import Person
from ay_bot.host.permissions import Standing, suffices
from ay_bot.host.sanitize_blocks import Trust

_MAINTAINERS: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
GHOST: Final = "ghost"


def label_person(
    person: Person, *, requester: str, author: str, own: str = "", standing: Standing | None = None
) -> Trust:
    """Return the label of an account's words on a thread of `author`, when `requester` asks.

    An association says that somebody belongs to the project, not what they may do there: a standing, where it is
    known, overrules it. Other bots repeat what anybody made them say, so that they are outsiders.
    """
    login = person.login.lower()
    if login == GHOST or person.association == "MANNEQUIN":
        return Trust.OUTSIDER
    if own and login == own.lower():
        return Trust.TOOL_OUTPUT
    if login == requester.lower():
        return Trust.REQUESTER
    if not person.bot and _maintains(person, standing):
        return Trust.MAINTAINER
    return Trust.AUTHOR if login == author.lower() else Trust.OUTSIDER


def _maintains(person: Person, standing: Standing | None) -> bool:
    return suffices(standing, "write") if standing else person.association in _MAINTAINERS
