"""Webhook payloads of what is on the loopback GitHub, in the shape of GitHub's own examples."""

from typing import Any

from tests.loopback_github import pulls, render, rest_reviews
from tests.loopback_github.routing import NO_ROUTE, Call
from tests.loopback_github.world import Comment, Repository, Thread, Token, World


def _call(world: World, api: str, web: str, login: str) -> Call:
    return Call(world, NO_ROUTE, {}, {}, None, api, web, "", Token("", login))


def bare(world: World, api: str, web: str, repo: Repository, sender: str, **more: Any) -> dict[str, Any]:
    """Return what every payload has."""
    call = _call(world, api, web, sender)
    shown = render.repository(call, repo)
    shown.pop("permissions", None)
    return {**more, "repository": shown, "sender": render.user(call, sender)}


def thread(
    world: World,
    api: str,
    web: str,
    repo: Repository,
    on: Thread,
    action: str,
    sender: str,
    *,
    label: str = "",
    assignee: str = "",
    **more: Any,
) -> dict[str, Any]:
    call = _call(world, api, web, sender)
    key = "pull_request" if on.kind == "pull_request" else "issue"
    shown = pulls.pull(call, repo, on) if on.kind == "pull_request" else render.issue(call, repo, on)
    more |= {"label": render.label(call, repo, label)} if label else {}
    more |= {"assignee": render.user(call, assignee)} if assignee else {}
    numbered = {"number": on.number} if on.kind == "pull_request" else {}
    return {"action": action, **numbered, key: shown, **more, **bare(world, api, web, repo, sender)}


def comment(
    world: World, api: str, web: str, repo: Repository, made: Comment, action: str, sender: str
) -> dict[str, Any]:
    call, on = _call(world, api, web, sender), repo.threads[made.number]
    shared = bare(world, api, web, repo, sender)
    if made.kind == "comment":
        shown = {"issue": render.issue(call, repo, on), "comment": render.issue_comment(call, repo, made)}
        return {"action": action, **shown, **shared}
    pull = pulls.pull(call, repo, on, whole=False)
    if made.kind == "review":
        shown_review = rest_reviews.show_review(call, repo, made)
        # Payloads write the state small and an empty body as null.
        shown_review |= {"state": made.state.lower(), "body": made.body or None}
        return {
            "action": "submitted" if action == "created" else action,
            "review": shown_review,
            "pull_request": pull,
            **shared,
        }
    return {"action": action, "comment": rest_reviews.review_comment(call, repo, made), "pull_request": pull, **shared}
