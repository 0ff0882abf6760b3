"""REST: issues, their comments, labels, assignees and events."""

from typing import Any

from tests.loopback_github import render
from tests.loopback_github.rest_repository import REPO, validate_title
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import Comment, IssueEvent, Repository, Thread

LONGEST = 65536


def thread_of(call: Call, repo: Repository, name: str = "issue_number") -> Thread:
    found = repo.threads.get(int(call.parameters[name]))
    if found is None or (name == "pull_number" and found.kind != "pull_request"):
        raise Refused(404, "Not Found")
    return found


def comment_of(call: Call, repo: Repository, kind: str) -> Comment:
    found = repo.comments.get(int(call.parameters["comment_id"]))
    if found is None or found.kind != kind:
        raise Refused(404, "Not Found")
    return found


def check_body(body: str | None, resource: str) -> str:
    if body and len(body) > LONGEST:
        raise invalid(resource, field="body", message=f"body is too long (maximum is {LONGEST} characters)")
    return body or ""


@route("GET", REPO + "/issues", "issues:read")
def list_issues(call: Call) -> Reply:
    repo, query = call.repo, call.query
    wanted = [name for name in query.get("labels", "").split(",") if name]
    state, creator, since = query.get("state", "open"), query.get("creator", ""), query.get("since", "")
    assignee = query.get("assignee", "")
    rows = [
        thread
        for thread in call.listed(sorted(repo.threads.values(), key=lambda t: -t.number))
        if state in ("all", thread.state)
        and (not creator or thread.login.lower() == creator.lower())
        and all(any(name.lower() == label.lower() for label in thread.labels) for name in wanted)
        and (not since or (render.moment(thread.updated) or "") >= since)
        and (not assignee or assignee in thread.assignees)
    ]
    rows.sort(
        key=lambda t: {"updated": t.updated, "comments": t.number}.get(query.get("sort", ""), t.created), reverse=True
    )
    if query.get("direction") == "asc":
        rows.reverse()
    return call.page(rows, lambda thread: render.issue(call, repo, thread))


@route("POST", REPO + "/issues", "issues:write")
def create_issue(call: Call) -> Reply:
    repo, body = call.repo, call.body
    validate_title(str(body["title"]), "Issue")
    thread = new_thread(call, repo, "issue", str(body["title"]), check_body(body.get("body"), "Issue"))
    if call.may(repo, "issues:write", "triage"):
        put_labels(call, repo, thread, [n if isinstance(n, str) else n["name"] for n in body.get("labels", [])])
        thread.assignees = list(body.get("assignees", []))
    return Reply(201, render.issue(call, repo, thread))


def new_thread(call: Call, repo: Repository, kind: str, title: str, body: str | None) -> Thread:
    number, now = max(repo.threads, default=0) + 1, call.world.now()
    lag = call.world.lag.get("pull" if kind == "pull_request" else "issue", 0)
    thread = Thread(call.world.new_id(), number, kind, title, body, call.actor.login, now, now, unlisted=lag)
    repo.threads[number] = thread
    return thread


@route("GET", REPO + "/issues/{issue_number}", "issues:read")
def get_issue(call: Call) -> Reply:
    repo = call.repo
    return Reply(200, render.issue(call, repo, thread_of(call, repo)))


@route("PATCH", REPO + "/issues/{issue_number}", "issues:write")
def edit_issue(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo)
    if thread.login != call.actor.login:
        call.demand(repo, "issues:write", "triage")
    change_thread(call, repo, thread)
    return Reply(200, render.issue(call, repo, thread))


def change_thread(call: Call, repo: Repository, thread: Thread) -> None:
    """Change what a PATCH of an issue or a pull request has in common."""
    body, now = call.body, call.world.now()
    if "title" in body:
        validate_title(str(body["title"]), "Issue")
        thread.title = str(body["title"])
    if "body" in body:
        thread.body, thread.edited = check_body(body["body"], "Issue"), now
    if "labels" in body:
        thread.labels = []
        put_labels(call, repo, thread, [n if isinstance(n, str) else n["name"] for n in body["labels"]])
    if "assignees" in body:
        thread.assignees = list(body["assignees"])
    if body.get("state", thread.state) != thread.state:
        set_state(call, repo, thread, body["state"], body.get("state_reason"))
    thread.updated = now


def set_state(call: Call, repo: Repository, thread: Thread, state: str, reason: str | None) -> None:
    thread.state, is_open = state, state == "open"
    thread.closed = None if is_open else call.world.now()
    thread.closed_by = None if is_open else call.actor.login
    if thread.kind == "issue":
        thread.state_reason = "reopened" if is_open else reason or "completed"
    call.world.record(repo, thread.number, "reopened" if is_open else "closed", call.actor.login)


# ---------------------------------------------------------------------- comments


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


# ---------------------------------------------------------------------- labels and assignees


def put_labels(call: Call, repo: Repository, thread: Thread, names: list[str]) -> None:
    for name in names:
        known = next((label for label in repo.labels if label.lower() == name.lower()), name)
        if known not in thread.labels:
            render.label(call, repo, known)
            thread.labels.append(known)
            call.world.record(repo, thread.number, "labeled", call.actor.login, label=known)


def labels_of(call: Call, repo: Repository, thread: Thread) -> Reply:
    return call.page(thread.labels, lambda name: render.label(call, repo, name))


@route("GET", REPO + "/issues/{issue_number}/labels", "issues:read")
def list_labels(call: Call) -> Reply:
    repo = call.repo
    return labels_of(call, repo, thread_of(call, repo))


@route("POST", REPO + "/issues/{issue_number}/labels", "issues:write", "triage")
def add_labels(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo)
    names = call.body if isinstance(call.body, list) else call.body["labels"]
    put_labels(call, repo, thread, [n if isinstance(n, str) else n["name"] for n in names])
    return labels_of(call, repo, thread)


@route("DELETE", REPO + "/issues/{issue_number}/labels/{name}", "issues:write", "triage")
def remove_label(call: Call) -> Reply:
    repo = call.repo
    thread, name = thread_of(call, repo), call.parameters["name"]
    found = next((label for label in thread.labels if label.lower() == name.lower()), None)
    if found is None:
        raise Refused(404, "Label does not exist")
    thread.labels.remove(found)
    call.world.record(repo, thread.number, "unlabeled", call.actor.login, label=found)
    return labels_of(call, repo, thread)


@route("GET", REPO + "/labels/{name}", "issues:read")
def get_label(call: Call) -> Reply:
    repo, name = call.repo, call.parameters["name"]
    if name not in repo.labels:
        raise Refused(404, "Not Found")
    return Reply(200, render.label(call, repo, name))


@route("GET", REPO + "/labels", "issues:read")
def all_labels(call: Call) -> Reply:
    repo = call.repo
    return call.page(list(repo.labels), lambda name: render.label(call, repo, name))


@route("POST", REPO + "/labels", "issues:write", "triage")
def create_label(call: Call) -> Reply:
    repo, body = call.repo, call.body
    if body["name"] in repo.labels:
        raise invalid("Label", field="name", code="already_exists")
    shown = render.label(call, repo, body["name"])
    repo.labels[body["name"]] |= {key: body[key] for key in ("color", "description") if key in body}
    return Reply(201, {**shown, **repo.labels[body["name"]]})


@route("POST", REPO + "/issues/{issue_number}/assignees", "issues:write", "triage")
def add_assignees(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo)
    for login in call.body.get("assignees", []):
        # GitHub silently leaves out who can't be assigned.
        if call.world.role(repo, login) not in ("none", "read") and login not in thread.assignees:
            thread.assignees.append(login)
            call.world.record(repo, thread.number, "assigned", call.actor.login, assignee=login)
    return Reply(201, render.issue(call, repo, thread))


# ---------------------------------------------------------------------- events


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
