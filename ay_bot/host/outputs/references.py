"""Stage 5 for one text: it refers to this repository alone, and there to the thread of the request alone."""

import re

from ay_bot.host.outputs.allowance import Allowance

_THREAD = re.compile(r"/(?:issues|pull|pulls|discussions)/(?P<number>\d+)", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<before>\w?)#(?P<number>\d+)")
_SHORT = re.compile(r"(?<![A-Za-z0-9])GH-(?=\d)", re.IGNORECASE)
_KEYWORD = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\Z", re.IGNORECASE)
_BETWEEN = " \t\n:*_~[(<"


def foreign_references(text: str, allowance: Allowance) -> int:
    """Return how often a text refers to what it may not."""
    numbers = sum(not _is_own_number(found, allowance) for found in _NUMBERED.finditer(text))
    addresses = sum(not _is_own_address(found, allowance) for found in _addresses(allowance).finditer(text))
    return numbers + addresses + len(_SHORT.findall(text))


def contain(text: str, allowance: Allowance) -> str:
    """Return text that refers to nothing but this repository and the request's thread."""
    text = _addresses(allowance).sub(lambda found: _keep_or_blunt(found, allowance), text)
    text = _SHORT.sub("no. ", text)
    return _NUMBERED.sub(
        lambda found: found[0] if _is_own_number(found, allowance) else _spell(found["before"], found["number"]), text
    )


def _addresses(allowance: Allowance) -> re.Pattern[str]:
    return re.compile(rf"https?://{re.escape(allowance.server)}(?P<path>[^\s<>()\[\]\"`]*)", re.IGNORECASE)


def _keep_or_blunt(found: re.Match[str], allowance: Allowance) -> str:
    if _is_own_address(found, allowance):
        return found[0]
    before = found.string[: found.start()][-1:]
    gap = " " if before and not before.isspace() else ""
    return f"{gap}{allowance.server}{found['path']}"


def _is_own_address(found: re.Match[str], allowance: Allowance) -> bool:
    path = found["path"].rstrip(".,:;!?*_~'")
    own = re.fullmatch(rf"/{re.escape(allowance.repository)}(?P<rest>(?:[/?#][^\\]*)?)", path, re.IGNORECASE)
    if not own or re.search(r"/(?:\.|%2e){1,2}(?:[/?#]|$)|%2f|%5c", own["rest"], re.IGNORECASE):
        return False
    thread = _THREAD.search(own["rest"])
    if not thread:
        return True
    return int(thread["number"]) == allowance.thread and _may_stand(found, allowance)


def _is_own_number(found: re.Match[str], allowance: Allowance) -> bool:
    if found["before"] or len(found["number"]) > 16 or int(found["number"]) != allowance.thread:
        return False
    return _may_stand(found, allowance)


def _may_stand(found: re.Match[str], allowance: Allowance) -> bool:
    """Whether a reference to the thread may stand where it does: a keyword before it would close the thread."""
    return allowance.closes or not _KEYWORD.search(found.string[: found.start()].rstrip(_BETWEEN)[-20:])


def _spell(before: str, number: str) -> str:
    return f"{before} no. {number}" if before else f"no. {number}"
