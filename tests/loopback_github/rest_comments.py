"""REST: the comments of issues and pull requests."""

from tests.loopback_github import render
from tests.loopback_github.rest_issues import check_body, comment_of, thread_of
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import Comment


@route("GET", REPO + "/issues/{issue_number}/comments", "issues:read")
def list_comments(call: Call) -> Reply:
    repo = call.repo
    thread, since = thread_of(call, repo), call.query.get("since", "")
    rows = [c for c in repo.comments.values() if c.kind == "comment" and c.number == thread.number]
    rows = [c for c in rows if not since or (render.moment(c.updated) or "") >= since]
    return call.page(
        call.listed(sorted(rows, key=lambda c: c.id)), lambda comment: render.issue_comment(call, repo, comment)
    )


@route("POST", REPO + "/issues/{issue_number}/comments", "issues:write")
def create_comment(call: Call) -> Reply:
    repo = call.repo
    thread, now = thread_of(call, repo), call.world.now()
    text = check_body(call.body["body"], "IssueComment")
    if not text.strip():
        raise invalid("IssueComment", field="body", code="missing_field", message="body can't be blank")
    if thread.locked and not call.may(repo, "issues:write", "write"):
        raise Refused(403, "Unable to create comment because issue is locked.")
    comment = Comment(call.world.new_id(), "comment", thread.number, call.actor.login, text, now, now)
    comment.unlisted = call.world.lag.get("comment", 0)
    repo.comments[comment.id] = comment
    thread.updated = now
    return Reply(201, render.issue_comment(call, repo, comment))


@route("GET", REPO + "/issues/comments/{comment_id}", "issues:read")
def get_comment(call: Call) -> Reply:
    repo = call.repo
    return Reply(200, render.issue_comment(call, repo, comment_of(call, repo, "comment")))


@route("PATCH", REPO + "/issues/comments/{comment_id}", "issues:write")
def edit_comment(call: Call) -> Reply:
    repo = call.repo
    comment = comment_of(call, repo, "comment")
    if comment.login != call.actor.login:
        call.demand(repo, "issues:write", "write")
    comment.body = check_body(call.body["body"], "IssueComment")
    comment.updated = comment.edited = call.world.now()
    return Reply(200, render.issue_comment(call, repo, comment))


@route("DELETE", REPO + "/issues/comments/{comment_id}", "issues:write")
def delete_comment(call: Call) -> Reply:
    repo = call.repo
    comment = comment_of(call, repo, "comment")
    if comment.login != call.actor.login:
        call.demand(repo, "issues:write", "write")
    del repo.comments[comment.id]
    return Reply(204)
