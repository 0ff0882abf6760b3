"""REST: labels and assignees."""

from tests.loopback_github import render
from tests.loopback_github.rest_issues import put_labels, thread_of
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import Repository, Thread


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
