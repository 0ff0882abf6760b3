"""REST: reviews and the comments on lines of a pull request, which must be lines of its diff."""

import re
from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.pulls import refresh
from tests.loopback_github.rest_issues import check_body, comment_of, thread_of
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import Comment, Repository, Thread

PULL = REPO + "/pulls/{pull_number}"
STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def review_comment(call: Call, repo: Repository, comment: Comment) -> dict[str, Any]:
    url = f"{render.repository_url(call, repo)}/pulls/comments/{comment.id}"
    pull = f"{render.repository_url(call, repo)}/pulls/{comment.number}"
    page = f"{call.web}/{repo.full_name}/pull/{comment.number}#discussion_r{comment.id}"
    links = {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": pull}}
    # GitHub answers null for the line of a comment whose line is gone.
    line = comment.line if repo.threads[comment.number].head == comment.commit else None
    shown = {
        "url": url, "pull_request_review_id": comment.review, "id": comment.id, "node_id": render.node_id("PRRC", comment.id),
        "diff_hunk": comment.hunk, "path": comment.path, "commit_id": comment.commit, "original_commit_id": comment.commit,
        "user": render.user(call, comment.login), "body": comment.body, "created_at": render.moment(comment.created),
        "updated_at": render.moment(comment.updated), "html_url": page, "pull_request_url": pull, "_links": links,
        "author_association": render.association(call, repo, comment.login), "start_line": comment.start_line,
        "original_start_line": comment.start_line, "start_side": "RIGHT" if comment.start_line else None, "line": line,
        "original_line": comment.line, "side": comment.side, "subject_type": "line", "position": 1 if line else None,
        "original_position": 1, "reactions": render.rollup(url, comment.reactions),
    }  # fmt: skip
    return shown | ({"in_reply_to_id": comment.reply_to} if comment.reply_to else {})


def show_review(call: Call, repo: Repository, review: Comment) -> dict[str, Any]:
    pull = f"{render.repository_url(call, repo)}/pulls/{review.number}"
    page = f"{call.web}/{repo.full_name}/pull/{review.number}#pullrequestreview-{review.id}"
    shown = {
        "id": review.id, "node_id": render.node_id("PRR", review.id), "user": render.user(call, review.login), "body": review.body,
        "state": review.state, "html_url": page, "pull_request_url": pull, "commit_id": review.commit,
        "author_association": render.association(call, repo, review.login),
        "_links": {"html": {"href": page}, "pull_request": {"href": pull}},
    }  # fmt: skip
    return shown | ({} if review.state == "PENDING" else {"submitted_at": render.moment(review.created)})


def rows_of(repo: Repository, kind: str, number: int) -> list[Comment]:
    return sorted((c for c in repo.comments.values() if c.kind == kind and c.number == number), key=lambda c: c.id)


@route("GET", PULL + "/reviews", "pull_requests:read")
def list_reviews(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo, "pull_number")
    rows = [r for r in rows_of(repo, "review", thread.number) if r.state != "PENDING" or r.login == call.login]
    return call.page(call.listed(rows), lambda review: show_review(call, repo, review))


@route("GET", PULL + "/reviews/{review_id}", "pull_requests:read")
def get_review(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo, "pull_number")
    for review in rows_of(repo, "review", thread.number):
        if review.id == int(call.parameters["review_id"]):
            return Reply(200, show_review(call, repo, review))
    raise Refused(404, "Not Found")


@route("GET", PULL + "/comments", "pull_requests:read")
def list_review_comments(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo, "pull_number")
    refresh(call.world, repo, thread)
    rows = call.listed(rows_of(repo, "review_comment", thread.number))
    return call.page(rows, lambda comment: review_comment(call, repo, comment))


@route("GET", REPO + "/pulls/comments/{comment_id}", "pull_requests:read")
def get_review_comment(call: Call) -> Reply:
    repo = call.repo
    return Reply(200, review_comment(call, repo, comment_of(call, repo, "review_comment")))


@route("PATCH", REPO + "/pulls/comments/{comment_id}", "pull_requests:write")
def edit_review_comment(call: Call) -> Reply:
    repo = call.repo
    comment = comment_of(call, repo, "review_comment")
    comment.body = check_body(call.body["body"], "PullRequestReviewComment")
    comment.updated = comment.edited = call.world.now()
    return Reply(200, review_comment(call, repo, comment))


@route("POST", PULL + "/comments/{comment_id}/replies", "pull_requests:write")
def reply(call: Call) -> Reply:
    repo = call.repo
    thread, parent, now = (
        thread_of(call, repo, "pull_number"),
        comment_of(call, repo, "review_comment"),
        call.world.now(),
    )
    if parent.number != thread.number:
        raise Refused(404, "Not Found")
    if parent.reply_to:  # "Replies to replies are not supported."
        raise Refused(422, "Validation Failed")
    text = check_body(call.body["body"], "PullRequestReviewComment")
    review = new_review(call, repo, thread, "", "COMMENT", thread.head)
    made = Comment(call.world.new_id(), "review_comment", thread.number, call.actor.login, text, now, now)
    made.path, made.line, made.hunk, made.commit, made.review = (
        parent.path,
        parent.line,
        parent.hunk,
        parent.commit,
        review.id,
    )
    made.reply_to, made.unlisted = parent.id, call.world.lag.get("comment", 0)
    repo.comments[made.id] = made
    return Reply(201, review_comment(call, repo, made))


@route("POST", PULL + "/reviews", "pull_requests:write")
def create_review(call: Call) -> Reply:
    repo, body = call.repo, call.body or {}
    thread = thread_of(call, repo, "pull_number")
    refresh(call.world, repo, thread)
    event, text, remarks = (
        body.get("event", ""),
        check_body(body.get("body"), "PullRequestReview"),
        body.get("comments", []),
    )
    if event in ("APPROVE", "REQUEST_CHANGES") and thread.login == call.actor.login:
        raise Refused(
            422, "Unprocessable Entity", errors=[f"Can not {event.lower().replace('_', ' ')} on your own pull request"]
        )
    if event in ("COMMENT", "REQUEST_CHANGES") and not text and not remarks:
        raise Refused(422, "Unprocessable Entity", errors=["Could not create a review without a body or comments."])
    commit = body.get("commit_id") or thread.head
    if git_store.resolve(repo.git, commit) != commit:
        raise Refused(422, "The commit_id is not part of the pull request")
    hunks = [_hunk(repo, thread, commit, remark) for remark in remarks]
    review = new_review(call, repo, thread, text, event, commit)
    for remark, hunk in zip(remarks, hunks, strict=True):
        _remark(call, repo, review, remark, hunk)
    return Reply(200, show_review(call, repo, review))


def new_review(call: Call, repo: Repository, thread: Thread, text: str, event: str, commit: str) -> Comment:
    now = call.world.now()
    review = Comment(call.world.new_id(), "review", thread.number, call.actor.login, text, now, now)
    review.state, review.commit, review.unlisted = (
        STATES.get(event, "PENDING"),
        commit,
        call.world.lag.get("comment", 0),
    )
    repo.comments[review.id] = review
    thread.updated = now
    return review


def _remark(call: Call, repo: Repository, review: Comment, remark: dict[str, Any], hunk: str) -> None:
    made = Comment(
        call.world.new_id(),
        "review_comment",
        review.number,
        review.login,
        remark["body"],
        review.created,
        review.created,
    )
    made.path, made.line, made.start_line, made.hunk = (
        remark["path"],
        remark.get("line"),
        remark.get("start_line"),
        hunk,
    )
    made.side, made.commit, made.review = remark.get("side", "RIGHT"), review.commit, review.id
    repo.comments[made.id] = made


def _hunk(repo: Repository, thread: Thread, commit: str, remark: dict[str, Any]) -> str:
    """Return the hunk that a remark is about."""
    base = git_store.merge_base(repo.git, thread.base, commit) or thread.base
    patches = {row["path"]: row["patch"] for row in git_store.changed_files(repo.git, base, commit)}
    if remark["path"] not in patches:
        raise Refused(422, "Unprocessable Entity", errors=["Path could not be resolved"])
    for name in ("line", "start_line"):
        if (number := remark.get(name)) and not (
            found := hunk_at(patches[remark["path"]], number, remark.get("side", "RIGHT"))
        ):
            raise Refused(422, "Unprocessable Entity", errors=["Line could not be resolved"])
    if not remark.get("line"):
        raise invalid("PullRequestReviewComment", field="line", code="missing_field")
    return found


def hunk_at(patch: str, line: int, side: str) -> str:
    """Return a patch's hunk up to one line of its new (or old) side, nothing where that isn't shown."""
    old = new = 0
    kept: list[str] = []
    for row in patch.splitlines():
        if head := re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@", row):
            old, new, kept = int(head[1]) - 1, int(head[2]) - 1, [row]
            continue
        kept.append(row)
        old, new = old + (row[:1] in (" ", "-", "")), new + (row[:1] in (" ", "+", ""))
        there = (
            (row[:1] in (" ", "+", "") and new == line)
            if side == "RIGHT"
            else (row[:1] in (" ", "-", "") and old == line)
        )
        if there:
            return "\n".join(kept)
    return ""
