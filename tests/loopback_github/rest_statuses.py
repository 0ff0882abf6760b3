"""REST: the statuses and check runs of commits."""

from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.description import example
from tests.loopback_github.rest_commits import commit_of
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import Repository


@route("GET", REPO + "/commits/{ref}/statuses", "statuses:read")
def list_statuses(call: Call) -> Reply:
    repo = call.repo
    sha = commit_of(call, repo, call.parameters["ref"])
    rows = [row for row in reversed(repo.statuses) if row["sha"] == sha]
    return call.page(rows, lambda row: show_status(call, repo, row))


@route("GET", REPO + "/commits/{ref}/status", "statuses:read")
def combined_status(call: Call) -> Reply:
    repo = call.repo
    sha = commit_of(call, repo, call.parameters["ref"])
    newest = {row["context"]: row for row in repo.statuses if row["sha"] == sha}
    states = {row["state"] for row in newest.values()}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    url = f"{render.repository_url(call, repo)}/commits/{sha}"
    page = call.page(newest.values(), lambda row: show_status(call, repo, row))
    rows = [{k: v for k, v in row.items() if k != "creator"} for row in page.body]
    shown = {
        "state": state,
        "statuses": rows,
        "sha": sha,
        "total_count": len(newest),
        "commit_url": url,
        "url": url + "/status",
    }
    return Reply(200, {**shown, "repository": render.minimal_repository(call, repo)}, page.headers)


@route("GET", REPO + "/commits/{ref}/check-runs", "checks:read")
def list_check_runs(call: Call) -> Reply:
    repo = call.repo
    sha = commit_of(call, repo, call.parameters["ref"])
    rows = [row for row in repo.check_runs if row["sha"] == sha]
    return call.page(rows, lambda row: show_check_run(call, repo, row), "check_runs")


def show_status(call: Call, repo: Repository, row: dict[str, Any]) -> dict[str, Any]:
    who = render.user(call, row["login"])
    return {
        "url": f"{render.repository_url(call, repo)}/statuses/{row['sha']}", "avatar_url": who["avatar_url"], "id": row["id"],
        "node_id": render.node_id("SC", row["id"]), "state": row["state"], "description": row["description"],
        "target_url": row["target_url"], "context": row["context"], "created_at": render.moment(row["created"]),
        "updated_at": render.moment(row["created"]), "creator": who,
    }  # fmt: skip


@route("POST", REPO + "/statuses/{sha}", "statuses:write", "write")
def create_status(call: Call) -> Reply:
    repo, body, sha = call.repo, call.body, call.parameters["sha"]
    if git_store.resolve(repo.git, sha) != sha:
        raise Refused(422, f"No commit found for SHA: {sha}")
    if len(body.get("description") or "") > 140:
        raise invalid("Status", field="description", message="description is too long (maximum is 140 characters)")
    row = {key: body.get(key) for key in ("state", "description", "target_url")}
    row |= {
        "id": call.world.new_id(),
        "sha": sha,
        "context": body.get("context") or "default",
        "login": call.actor.login,
    }
    repo.statuses.append({**row, "created": call.world.now()})
    return Reply(201, show_status(call, repo, repo.statuses[-1]))


def show_check_run(call: Call, repo: Repository, row: dict[str, Any]) -> dict[str, Any]:
    url = f"{render.repository_url(call, repo)}/check-runs/{row['id']}"
    page = f"{call.web}/{repo.full_name}/runs/{row['id']}"
    shown = example("check-run", call.api, call.web, repo.full_name)
    at = render.moment(row["created"])
    return shown | {
        "id": row["id"], "head_sha": row["sha"], "name": row["name"], "status": row["status"], "url": url, "html_url": page,
        "conclusion": row["conclusion"], "started_at": at, "completed_at": at if row["conclusion"] else None,
        "pull_requests": [], "details_url": row.get("url") or page,
    }  # fmt: skip
