"""REST: issues, and what pull requests share with them."""

from tests.loopback_github import render
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import Comment, Repository, Thread

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
    if not repo.has_issues:
        raise Refused(410, "Issues are disabled for this repo")
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


def put_labels(call: Call, repo: Repository, thread: Thread, names: list[str]) -> None:
    for name in names:
        if not name.strip() or len(name) > 50:
            raise invalid("Label", field="name", code="invalid", message="name is too long (maximum is 50 characters)")
        known = next((label for label in repo.labels if label.lower() == name.lower()), name)
        if known not in thread.labels:
            render.label(call, repo, known)
            thread.labels.append(known)
            call.world.record(repo, thread.number, "labeled", call.actor.login, label=known)


def validate_title(title: str, resource: str) -> None:
    if not title.strip():
        raise invalid(resource, field="title", code="missing_field")
    if len(title) > 256:
        raise invalid(resource, message="title is too long (maximum is 256 characters)")
