"""The name of the branch that a request's change goes to: the same each time, and harmless wherever it is written."""

import re
import unicodedata

from ay_bot.host.branch import check_branch_name
from ay_bot.host.github.request import Request

PREFIX = "ay/"
LONGEST_SLUG = 40
KEY_DIGITS = 8


def branch_name(request: Request) -> str:
    """Return `ay/<number>-<slug>-<key>` for a request."""
    return build_branch_name(str(request.number), request.title, request.key)


def build_branch_name(about: str, title: str, key: str) -> str:
    """Return the name for what it is about (a number, or a chore's name), words for people, and the key."""
    parts = (slug(about, 40), slug(title, LONGEST_SLUG), slug(key, KEY_DIGITS))
    name = PREFIX + "-".join(part for part in parts if part)
    check_branch_name(name)
    return name


def is_own_branch(name: str) -> bool:
    """Whether a branch has a name that only we give."""
    return name.startswith(PREFIX)


def slug(text: str, longest: int) -> str:
    """Return text as lower-case ASCII words joined by hyphens, cut between words where that is possible."""
    plain = unicodedata.normalize("NFKD", text[:1000]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) <= longest:
        return words
    cut = words[: longest + 1].rsplit("-", 1)[0]
    return cut[:longest].strip("-")
