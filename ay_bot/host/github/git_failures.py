"""What git's complaints about a server mean: each as the error that our callers know."""

import re
from collections.abc import Sequence
from typing import Final

from ay_bot.errors import AnswerLost, GithubFailed, HeadMoved, NotAllowed
from ay_bot.host.github.api_failures import Missing
from ay_bot.host.plain_text import clean_line, shorten

_MOVED: Final = re.compile(r"stale info|fetch first|non-fast-forward|cannot lock ref|reference already exists")
_FORBIDDEN: Final = re.compile(
    r"error: 403|Permission to .* denied|denied to|[Pp]rotected branch|GH0\d\d|without `workflows?`|hook declined"
)
_UNKNOWN_TOKEN: Final = re.compile(r"could not read (Username|Password)|Authentication failed|error: 401|Invalid user")
_MISSING: Final = re.compile(r"[Rr]epository .*not found|error: 404")
_NOT_THERE: Final = re.compile(r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref")
_UNREACHABLE: Final = re.compile(r"Could not resolve|Failed to connect|Couldn't connect|certificate", re.IGNORECASE)


class BrokeOff(GithubFailed):
    """A fetch did not come to its end, for no reason that another try would meet again."""


def fetch_failure(url: str, commits: Sequence[str], complaint: str) -> GithubFailed:
    """Return what a failed fetch means."""
    said = _tidy(complaint)
    if _NOT_THERE.search(complaint):
        names = ", ".join(commit[:12] for commit in commits)
        hint = "its branch was probably rewritten meanwhile; ask again"
        return HeadMoved(f"{url} has no commit {names} any more: {said}", hint=hint)
    if "fsck error" in complaint:
        return GithubFailed(f"{url} holds a commit that git thinks is an attack: {said}", hint="look at it by hand")
    return _common(url, complaint, said) or BrokeOff(
        f"git could not fetch from {url}: {said}", hint="try again; if it stays so, try `git clone` by hand"
    )


def push_failure(url: str, branch: str, complaint: str) -> GithubFailed:
    """Return what a failed push means. Whatever is not surely a refusal may have been carried out."""
    said = _tidy(complaint)
    if _FORBIDDEN.search(complaint):
        return NotAllowed(f"{url} refused the push to {branch}: {said}", hint=_push_hint(complaint))
    if _MOVED.search(complaint):
        hint = "somebody pushed meanwhile; start again from where the branch is now"
        return HeadMoved(f"the branch {branch} of {url} is not where it was: {said}", hint=hint)
    refusal = _common(url, complaint, said)
    if refusal is not None:
        return refusal
    if "[remote rejected]" in complaint:
        return GithubFailed(f"{url} refused the push to {branch}: {said}", hint="the server's words say why")
    hint = "look where the branch is before trying again"
    return AnswerLost(f"the push to {branch} of {url} broke off: {said}", hint=hint)


def _common(url: str, complaint: str, said: str) -> GithubFailed | None:
    if _UNKNOWN_TOKEN.search(complaint):
        hint = "give a token that is valid now and may read this repository"
        return GithubFailed(f"{url} does not accept the token: {said}", hint=hint)
    if _FORBIDDEN.search(complaint):
        return NotAllowed(f"{url} refuses: {said}", hint="give the job in the workflow `permissions: contents: read`")
    if _MISSING.search(complaint):
        hint = "if it is there, the token may not see it; a renamed repository must be called by its present name"
        return Missing(f"{url} is no repository for this token: {said}", hint=hint)
    if _UNREACHABLE.search(complaint):
        return GithubFailed(f"{url} can't be reached: {said}", hint="check the network and the proxy settings")
    return None


def _push_hint(complaint: str) -> str:
    if "workflow" in complaint:
        return "no GITHUB_TOKEN may push workflow files; a person has to"
    if "rotected branch" in complaint or "GH0" in complaint:
        return "the repository's rules protect this branch; the bot pushes to branches of its own only"
    return "give the job in the workflow (or the App) `permissions: contents: write`"


def _tidy(complaint: str) -> str:
    return shorten(clean_line(" ".join(complaint.split())), 600) or "git gave no reason"
