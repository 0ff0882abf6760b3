"""What accounts, repositories, issues and comments look like in GitHub's JSON; gaps are filled from its own examples."""

import hashlib
from datetime import datetime
from typing import Any

from tests.loopback_github.description import example
from tests.loopback_github.routing import Call
from tests.loopback_github.world import Account, Comment, Reaction, Repository, Thread, World

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
LINKS = {
    "followers": "followers", "following": "following{/other_user}", "gists": "gists{/gist_id}", "repos": "repos",
    "starred": "starred{/owner}{/repo}", "subscriptions": "subscriptions", "organizations": "orgs",
    "events": "events{/privacy}", "received_events": "received_events",
}  # fmt: skip


def moment(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def node_id(kind: str, number: int) -> str:
    return f"{kind}_loopback{number}"


def user(call: Call, login: str) -> dict[str, Any] | None:
    """Return a simple user, nothing for an account without a login: one that is gone."""
    if not login:
        return None
    account = call.world.account(login)
    url = f"{call.api}/users/{login.replace('[', '%5B').replace(']', '%5D')}"
    page = f"{call.web}/apps/{login[:-5]}" if account.kind == "Bot" else f"{call.web}/{login}"
    links = {f"{name}_url": f"{url}/{link}" for name, link in LINKS.items()}
    return {
        "login": account.login, "id": account.id, "node_id": node_id("U", account.id),
        "avatar_url": f"{call.web}/avatars/{account.id}", "gravatar_id": "", "url": url, "html_url": page,
        **links, "type": account.kind, "site_admin": False, "user_view_type": "public",
    }  # fmt: skip


def public_user(call: Call, account: Account) -> dict[str, Any]:
    full = example("public-user-default-response", call.api, call.web)
    return {**full, **user(call, account.login), "name": account.name, "email": account.email}


def repository_url(call: Call, repository: Repository) -> str:
    return f"{call.api}/repos/{repository.full_name}"


def rights(world: World, repo: Repository, login: str | None) -> dict[str, bool]:
    needed = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    return {right: world.reaches(repo, login, role) for right, role in needed.items()}


def repository(call: Call, repo: Repository) -> dict[str, Any]:
    """Return a full repository."""
    allowed = rights(call.world, repo, call.login)
    if call.token and call.token.app:
        allowed |= {"push": call.may(repo, "contents:write", "write"), "pull": True}
    shown = example("full-repository", call.api, call.web, repo.full_name)
    for key in ("template_repository", "organization", "parent", "source"):
        shown.pop(key, None)
    page = f"{call.web}/{repo.full_name}"
    shown |= {
        "id": repo.id, "node_id": node_id("R", repo.id), "name": repo.name, "full_name": repo.full_name,
        "owner": user(call, repo.owner), "private": repo.private, "visibility": "private" if repo.private else "public",
        "fork": repo.fork_of is not None, "default_branch": repo.default_branch, "permissions": allowed,
        "html_url": page, "clone_url": page + ".git", "svn_url": page, "url": repository_url(call, repo),
        "archived": False, "disabled": False, "has_issues": repo.has_issues, "has_discussions": False,
    }  # fmt: skip
    if parent := call.world.repository(repo.fork_of or ""):
        shown["parent"] = shown["source"] = repository(call, parent)
    return shown


def minimal_repository(call: Call, repo: Repository) -> dict[str, Any]:
    full = repository(call, repo)
    return {
        key: value
        for key, value in full.items()
        if key not in ("parent", "source", "organization", "template_repository")
    }


def label(call: Call, repo: Repository, name: str) -> dict[str, Any]:
    known = repo.labels.setdefault(name, {"id": call.world.new_id(), "color": "ededed", "description": None})
    url = f"{repository_url(call, repo)}/labels/{name}"
    return {"node_id": node_id("LA", known["id"]), "url": url, "name": name, "default": False, **known}


def association(call: Call, repo: Repository, login: str) -> str:
    if given := repo.associations.get(login.lower()):
        return given
    if login.lower() == repo.owner.lower():
        return "OWNER"
    return "COLLABORATOR" if repo.roles.get(login.lower(), "none") != "none" else "NONE"


def rollup(url: str, reactions: list[Reaction]) -> dict[str, Any]:
    counts = {content: sum(r.content == content for r in reactions) for content in REACTIONS}
    return {"url": url + "/reactions", "total_count": len(reactions), **counts}


def reaction(call: Call, made: Reaction) -> dict[str, Any]:
    return {
        "id": made.id, "node_id": node_id("REA", made.id), "user": user(call, made.login), "content": made.content,
        "created_at": moment(made.created),
    }  # fmt: skip


def issue(call: Call, repo: Repository, thread: Thread) -> dict[str, Any]:
    """Return an issue, or a pull request as the issues' endpoints show it."""
    url = f"{repository_url(call, repo)}/issues/{thread.number}"
    page = f"{call.web}/{repo.full_name}/{'pull' if thread.kind == 'pull_request' else 'issues'}/{thread.number}"
    comments = sum(c.kind == "comment" and c.number == thread.number for c in repo.comments.values())
    shown = {
        "url": url, "repository_url": repository_url(call, repo), "labels_url": url + "/labels{/name}",
        "comments_url": url + "/comments", "events_url": url + "/events", "timeline_url": url + "/timeline",
        "html_url": page, "id": thread.id, "node_id": node_id("I", thread.id), "number": thread.number,
        "title": thread.title, "user": user(call, thread.login), "labels": [label(call, repo, n) for n in thread.labels],
        "state": thread.state, "state_reason": thread.state_reason, "locked": thread.locked,
        "assignee": user(call, thread.assignees[0]) if thread.assignees else None,
        "assignees": [user(call, login) for login in thread.assignees], "milestone": None, "comments": comments,
        "created_at": moment(thread.created), "updated_at": moment(thread.updated), "closed_at": moment(thread.closed),
        "closed_by": user(call, thread.closed_by) if thread.closed_by else None, "body": thread.body,
        "author_association": association(call, repo, thread.login), "active_lock_reason": None,
        "reactions": rollup(url, thread.reactions), "performed_via_github_app": None,
    }  # fmt: skip
    if thread.kind == "pull_request":
        api = f"{repository_url(call, repo)}/pulls/{thread.number}"
        links = {"url": api, "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch"}
        shown |= {"draft": thread.draft, "pull_request": {**links, "merged_at": moment(thread.merged)}}
    return shown


def issue_comment(call: Call, repo: Repository, comment: Comment) -> dict[str, Any]:
    url = f"{repository_url(call, repo)}/issues/comments/{comment.id}"
    kind = "pull" if repo.threads[comment.number].kind == "pull_request" else "issues"
    return {
        "url": url, "html_url": f"{call.web}/{repo.full_name}/{kind}/{comment.number}#issuecomment-{comment.id}",
        "issue_url": f"{repository_url(call, repo)}/issues/{comment.number}", "id": comment.id,
        "node_id": node_id("IC", comment.id), "user": user(call, comment.login), "created_at": moment(comment.created),
        "updated_at": moment(comment.updated), "author_association": association(call, repo, comment.login),
        "body": comment.body, "reactions": rollup(url, comment.reactions), "performed_via_github_app": None,
    }  # fmt: skip


def etag(data: bytes) -> str:
    return f'W/"{hashlib.sha256(data).hexdigest()}"'
