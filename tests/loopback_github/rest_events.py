"""REST: what happened on a thread, and to branches."""

from typing import Any

from tests.loopback_github import render
from tests.loopback_github.rest_issues import thread_of
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Reply, route
from tests.loopback_github.world import IssueEvent, Repository


def show_event(call: Call, repo: Repository, event: IssueEvent) -> dict[str, Any]:
    url = f"{render.repository_url(call, repo)}/issues/events/{event.id}"
    shown: dict[str, Any] = {
        "id": event.id, "node_id": render.node_id("E", event.id), "url": url, "actor": render.user(call, event.login),
        "event": event.event, "commit_id": None, "commit_url": None, "created_at": render.moment(event.created),
        "performed_via_github_app": None,
    }  # fmt: skip
    if name := event.details.get("label"):
        shown["label"] = {"name": name, "color": render.label(call, repo, name)["color"]}
    if login := event.details.get("assignee"):
        shown |= {"assignee": render.user(call, login), "assigner": render.user(call, event.login)}
    if login := event.details.get("reviewer"):
        shown |= {"requested_reviewer": render.user(call, login), "review_requester": render.user(call, event.login)}
    return shown


@route("GET", REPO + "/issues/{issue_number}/events", "issues:read")
def list_events(call: Call) -> Reply:
    repo = call.repo
    number = thread_of(call, repo).number
    return call.page([e for e in repo.events if e.number == number], lambda event: show_event(call, repo, event))


@route("GET", REPO + "/issues/{issue_number}/timeline", "issues:read")
def timeline(call: Call) -> Reply:
    repo = call.repo
    number = thread_of(call, repo).number
    rows = [(e.created, e.id, show_event(call, repo, e)) for e in repo.events if e.number == number]
    for comment in repo.comments.values():
        if comment.kind == "comment" and comment.number == number:
            shown = {**render.issue_comment(call, repo, comment), "event": "commented"}
            rows.append((comment.created, comment.id, {**shown, "actor": shown["user"]}))
    return call.page(sorted(rows, key=lambda row: row[:2]), lambda row: row[2])


@route("GET", REPO + "/activity", "contents:read")
def list_activities(call: Call) -> Reply:
    repo, ref, kind = call.repo, call.query.get("ref"), call.query.get("activity_type")
    rows = [
        row for row in reversed(repo.activities) if ref in (None, row["ref"], row["ref"].removeprefix("refs/heads/"))
    ]
    rows = [row for row in rows if kind in (None, row["activity_type"])]
    return call.page(rows, lambda row: show_activity(call, row))


def show_activity(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    shown = {key: row[key] for key in ("id", "before", "after", "ref", "activity_type")}
    actor = render.user(call, row["login"])
    return shown | {
        "node_id": render.node_id("PSH", row["id"]),
        "timestamp": render.moment(row["created"]),
        "actor": actor,
    }
