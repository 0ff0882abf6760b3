"""What GitHub's refusals mean: each as the error that our callers know, with what to do about it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from ay_bot.errors import AnswerLost, GithubFailed, HeadMoved, NotAllowed
from ay_bot.host.github.api_request import Asked, Reply
from ay_bot.host.plain_text import clean_line, shorten

_PERMISSIONS: Final = (
    (r"/pulls", "pull-requests: write"),
    (r"/git/|/contents|CreateCommitOnBranch", "contents: write"),
    (r"/statuses/", "statuses: write"),
    (r"/check-", "checks: read"),
    (r"/actions/", "actions: write"),
    (r"/issues", "issues: write` and, on pull requests, `pull-requests: write"),
)
_START_AGAIN: Final = "the branch changed meanwhile; start again from where it is now"
_STALE: Final = re.compile(
    r"expectedHeadOid|expected branch to point to|not a fast.?forward|is at \w+ but expected", re.IGNORECASE
)


class Missing(GithubFailed):
    """GitHub knows no such thing, or doesn't show it to this token."""


class AlreadyThere(GithubFailed):
    """What should be made is there: a branch of that name, or a pull request from that branch."""


def failure_of(asked: Asked, reply: Reply) -> GithubFailed:
    """Return what a reply with an error means."""
    said = said_by(reply)
    failure = GithubFailed(f"GitHub refused {asked.name}: {said} ({reply.status})")
    match reply.status:
        case 401:
            hint = "give a token that is valid now: GITHUB_TOKEN in a workflow, or an App's id and private key"
            failure = GithubFailed(f"GitHub doesn't accept the token: {said}", hint=hint)
        case 403:
            failure = NotAllowed(failure.message, hint=_permission_hint(asked, reply, said))
        case 404:
            hint = "if it is there, the token may not see it: see docs/github-api.md, section Permissions"
            failure = Missing(f"GitHub has nothing for {asked.name}: {said}", hint=hint)
        case 422 if "already exists" in said:
            failure = AlreadyThere(failure.message)
        case 409 | 422 if not asked.again and (reply.status == 409 or _STALE.search(said)):
            failure = HeadMoved(failure.message, hint=_START_AGAIN)
        case status if status >= 500:
            failure = broken(asked, f"its answer was {status}: {said}")
        case status if status < 400:
            hint = "a renamed or moved repository answers so: use its present name"
            failure = GithubFailed(f"GitHub sends {asked.name} elsewhere ({status})", hint=hint)
        case _:
            pass
    return failure


def failure_in_graphql(asked: Asked, errors: object) -> GithubFailed:
    """Return what the errors of a GraphQL answer mean."""
    found = [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    kinds = {str(error.get("type", "")) for error in found}
    said = _tidy("; ".join(str(error.get("message", "")) for error in found))
    what = f"GitHub refused {asked.name}: {said}"
    if "STALE_DATA" in kinds or _STALE.search(said):
        return HeadMoved(what, hint=_START_AGAIN)
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"} or "not accessible by" in said:
        return NotAllowed(what, hint=_permission_hint(asked, Reply(403, {}, ""), said))
    if "NOT_FOUND" in kinds:
        return Missing(what)
    if said.lower().startswith("something went wrong"):
        return broken(asked, said)
    return GithubFailed(what)


def broken(asked: Asked, how: str) -> GithubFailed:
    """Return the error for an answer that tells nothing: the write may have been carried out, or not."""
    if asked.again:
        hint = "GitHub or the way there has a problem; try again, and see githubstatus.com"
        return GithubFailed(f"GitHub gave no usable answer to {asked.name}: {how}", hint=hint)
    hint = "look whether it took effect before trying again"
    return AnswerLost(f"{asked.name} was sent to GitHub, but the answer got lost: {how}", hint=hint)


def unreachable(asked: Asked, why: str) -> GithubFailed:
    """Return the error for a request that did not get out."""
    hint = "check the network, the proxy settings and GITHUB_API_URL"
    return GithubFailed(f"GitHub can't be reached for {asked.name}: {_tidy(why)}", hint=hint)


def limited(asked: Asked, seconds: float, said: str) -> GithubFailed:
    """Return the error for a rate limit that lasts too long to wait for."""
    hint = "run again later; a GitHub App's token has a limit of its own, which the others of the repository don't use"
    wait = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} s"
    return GithubFailed(f"GitHub's rate limit stops {asked.name} for another {wait}: {said}", hint=hint)


def said_by(reply: Reply) -> str:
    """Return GitHub's words in one short, plain line."""
    try:
        body: object = json.loads(reply.text)
    except ValueError:
        return _tidy(reply.text) or f"status {reply.status}"
    return _tidy("; ".join(_words(body))) or f"status {reply.status}"


def _words(body: object) -> Iterator[str]:
    if not isinstance(body, dict):
        return
    if isinstance(message := body.get("message"), str):
        yield message
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, str):
            yield error
        elif isinstance(error, dict):
            yield str(error.get("message") or " ".join(str(error[key]) for key in ("field", "code") if key in error))


def _tidy(text: str) -> str:
    return shorten(clean_line(" ".join(text.split())), 400)


def _permission_hint(asked: Asked, reply: Reply, said: str) -> str:
    if "not permitted to create or approve pull requests" in said:
        return (
            "allow it in the repository's settings, Actions, General, Workflow permissions: `Allow GitHub Actions to "
            "create and approve pull requests`; or give the bot an App's credentials"
        )
    if "workflow" in said and "without" in said:
        return "no GITHUB_TOKEN may change workflow files; a person has to"
    if "not accessible by" not in said and "admin rights" not in said and "push access" not in said:
        return "GitHub's words say why; see docs/github-api.md, section Permissions"
    wanted = _accepted(reply) or next((what for where, what in _PERMISSIONS if re.search(where, asked.path)), "")
    return f"give the job in the workflow (or the App) `permissions: {wanted or 'contents: read'}`"


def _accepted(reply: Reply) -> str:
    header = reply.headers.get("x-accepted-github-permissions", "")
    first = header.split(";")[0]
    if not re.fullmatch(r"[a-z_]+=[a-z]+(, ?[a-z_]+=[a-z]+)*", first):
        return ""
    return ", ".join(pair.strip().replace("=", ": ").replace("_", "-") for pair in first.split(","))
