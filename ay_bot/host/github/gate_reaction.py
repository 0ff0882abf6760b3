"""The one reaction of the Action's first step, sent with the standard library before anything is installed."""

import json
import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ay_bot.host.gate import Decision

SECONDS: Final = 10.0
"""How long GitHub may take; a reaction is not worth more."""


class _NoRedirects(HTTPRedirectHandler):
    """The token goes to the address that the runner names, and to no other."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


def react(given: Mapping[str, str], token: str, decision: Decision, reaction: Literal["eyes", "-1"]) -> bool:
    """React to the comment, or else to the thread, that an event is about; False if GitHub didn't take it."""
    address = reaction_address(given.get("GITHUB_API_URL", ""), given.get("GITHUB_REPOSITORY", ""), decision)
    if not address:
        return False
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "User-Agent": "ay-bot",
    }
    request = Request(address, json.dumps({"content": reaction}).encode(), headers, method="POST")  # noqa: S310
    try:
        with build_opener(_NoRedirects).open(request, timeout=SECONDS):
            return True
    except (URLError, OSError, ValueError):
        return False


def reaction_address(api: str, repository: str, decision: Decision) -> str:
    """Return where a reaction is sent; nothing where there is no thread. Reviews take none, but their thread does."""
    if not re.fullmatch(r"https?://[^\s/@]+(?:/[^\s@]*)?", api) or not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        return ""
    places = {"issue_comment": "issues/comments", "pull_request_review_comment": "pulls/comments"}
    if decision.comment is not None and (place := places.get(decision.event)):
        return f"{api.rstrip('/')}/repos/{repository}/{place}/{decision.comment}/reactions"
    return f"{api.rstrip('/')}/repos/{repository}/issues/{decision.number}/reactions" if decision.number else ""
