"""Pull requests as they are now: heads from git, and what GitHub's JSON says of them."""

from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.routing import Call
from tests.loopback_github.world import Repository, Thread, World


def refresh(world: World, repo: Repository, thread: Thread) -> None:
    """Read head and base of an open pull request from git, and keep `refs/pull/N/head`."""
    here, name = git_store.refs(repo.git, "refs/"), f"refs/pull/{thread.number}/head"
    if thread.state == "open":
        source = world.repository(thread.head_repository or "")
        branches = here if source is repo else git_store.refs(source.git, "refs/heads/") if source else {}
        head = branches.get(f"refs/heads/{thread.head_branch}")
        if source and head and source is not repo and head != thread.head:
            git_store.fetch_into(repo.git, source.git, head)
        thread.head = head or thread.head
        thread.base = here.get(f"refs/heads/{thread.base_branch}") or thread.base
    if thread.head and here.get(name) != thread.head:
        git_store.set_ref(repo.git, name, thread.head)


def close_pulls_of(world: World, repo: Repository, branch: str, login: str) -> None:
    """Close the pull requests whose branch is about to go."""
    for thread in repo.threads.values():
        same = (thread.head_repository, thread.head_branch) == (repo.full_name, branch)
        if thread.kind == "pull_request" and thread.state == "open" and same:
            refresh(world, repo, thread)
            thread.state, thread.closed, thread.closed_by = "closed", world.now(), login
            world.record(repo, thread.number, "closed", login)


def _end(call: Call, repo: Repository | None, branch: str, sha: str, owner: str) -> dict[str, Any]:
    shown = render.repository(call, repo) if repo else None
    if shown:
        shown = {key: value for key, value in shown.items() if key not in ("parent", "source")}
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": render.user(call, owner or "ghost"),
        "repo": shown,
    }


def pull(call: Call, repo: Repository, thread: Thread, *, whole: bool = True) -> dict[str, Any]:
    """Return a pull request; lists leave out what has to be computed."""
    refresh(call.world, repo, thread)
    url, page = (
        f"{render.repository_url(call, repo)}/pulls/{thread.number}",
        f"{call.web}/{repo.full_name}/pull/{thread.number}",
    )
    issue_url = url.replace("/pulls/", "/issues/")
    shared = render.issue(call, repo, thread)
    source = call.world.repository(thread.head_repository or "")
    statuses = f"{render.repository_url(call, repo)}/statuses/{thread.head}"
    addresses = {
        "self": url, "html": page, "issue": issue_url, "comments": issue_url + "/comments", "statuses": statuses,
        "review_comments": url + "/comments", "review_comment": f"{render.repository_url(call, repo)}/pulls/comments{{/number}}",
        "commits": url + "/commits",
    }  # fmt: skip
    taken = ("id", "number", "state", "locked", "title", "user", "body", "labels", "milestone", "active_lock_reason", "created_at",
             "updated_at", "closed_at", "assignee", "assignees", "author_association")  # fmt: skip
    shown = {key: shared[key] for key in taken} | {
        "user": shared["user"] or render.user(call, "ghost"), "url": url, "node_id": render.node_id("PR", thread.id), "html_url": page, "diff_url": page + ".diff",
        "patch_url": page + ".patch", "issue_url": issue_url, "commits_url": addresses["commits"],
        "review_comments_url": addresses["review_comments"], "review_comment_url": addresses["review_comment"],
        "comments_url": addresses["comments"], "statuses_url": statuses, "merged_at": render.moment(thread.merged),
        "merge_commit_sha": None, "requested_reviewers": [render.user(call, login) for login in thread.reviewers],
        "requested_teams": [team(call, repo, slug) for slug in thread.teams], "draft": thread.draft, "auto_merge": None,
        "head": _end(call, source, thread.head_branch, thread.head, source.owner if source else thread.login),
        "base": _end(call, repo, thread.base_branch, thread.base, repo.owner),
        "_links": {key: {"href": address} for key, address in addresses.items()},
    }  # fmt: skip
    return shown | _computed(call, repo, thread) if whole else shown


def _computed(call: Call, repo: Repository, thread: Thread) -> dict[str, Any]:
    middle = git_store.merge_base(repo.git, thread.base, thread.head) or thread.base
    files = git_store.changed_files(repo.git, middle, thread.head)
    mergeable = git_store.can_merge(repo.git, thread.base, thread.head) if thread.state == "open" else None
    mine = [c for c in repo.comments.values() if c.number == thread.number]
    return {
        "merged": thread.merged is not None, "mergeable": mergeable, "rebaseable": mergeable,
        "mergeable_state": "unknown" if mergeable is None else "clean" if mergeable else "dirty", "merged_by": None,
        "comments": sum(c.kind == "comment" for c in mine), "review_comments": sum(c.kind == "review_comment" for c in mine),
        "maintainer_can_modify": thread.maintainer_can_modify, "commits": len(git_store.commits(repo.git, f"{middle}..{thread.head}")),
        "additions": sum(f["additions"] for f in files), "deletions": sum(f["deletions"] for f in files),
        "changed_files": len(files),
    }  # fmt: skip


def team(call: Call, repo: Repository, slug: str) -> dict[str, Any]:
    api = f"{call.api}/organizations/1/team/{sorted(repo.teams).index(slug) + 1}"
    return {
        "id": sorted(repo.teams).index(slug) + 1, "node_id": render.node_id("T", 1), "url": api, "name": slug, "slug": slug,
        "html_url": f"{call.web}/orgs/{repo.owner}/teams/{slug}", "description": "", "privacy": "closed", "permission": "push",
        "notification_setting": "notifications_enabled", "members_url": api + "/members{/member}", "type": "organization",
        "repositories_url": api + "/repos", "parent": None, "organization_id": 1,
    }  # fmt: skip
