"""REST: runs of GitHub Actions, as far as a bot looks at its own and cancels others."""

from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.description import example
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, route
from tests.loopback_github.world import Repository


def show_run(call: Call, repo: Repository, row: dict[str, Any]) -> dict[str, Any]:
    shown = example("workflow-run", call.api, call.web, repo.full_name)
    url = f"{render.repository_url(call, repo)}/actions/runs/{row['id']}"
    head = row["head_sha"] or git_store.branch_head(repo.git, repo.default_branch)
    mine = {key: row[key] for key in ("id", "name", "status", "conclusion", "event", "head_branch", "display_title")}
    places = {
        "url": url,
        "html_url": f"{call.web}/{repo.full_name}/actions/runs/{row['id']}",
        "cancel_url": url + "/cancel",
    }
    whose = {"actor": render.user(call, row["login"]), "triggering_actor": render.user(call, row["login"])}
    shown |= {
        "repository": render.minimal_repository(call, repo),
        "head_repository": render.minimal_repository(call, repo),
    }
    at = render.moment(row["created"])
    return shown | mine | places | whose | {"head_sha": head, "created_at": at, "updated_at": at, "run_started_at": at}


def run_of(call: Call, repo: Repository) -> dict[str, Any]:
    found = repo.runs.get(int(call.parameters["run_id"]))
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", REPO + "/actions/runs", "actions:read")
def list_runs(call: Call) -> Reply:
    repo, query = call.repo, call.query
    rows = [row for _, row in sorted(repo.runs.items(), reverse=True)]
    for key, name in (("status", "status"), ("branch", "head_branch"), ("event", "event"), ("head_sha", "head_sha")):
        rows = [
            r
            for r in rows
            if not query.get(key) or query[key] in (r[name], r["conclusion"] if key == "status" else r[name])
        ]
    return call.page(rows, lambda row: show_run(call, repo, row), "workflow_runs")


@route("GET", REPO + "/actions/runs/{run_id}", "actions:read")
def get_run(call: Call) -> Reply:
    repo = call.repo
    return Reply(200, show_run(call, repo, run_of(call, repo)))


@route("POST", REPO + "/actions/runs/{run_id}/cancel", "actions:write", "write")
def cancel_run(call: Call) -> Reply:
    row = run_of(call, call.repo)
    if row["status"] == "completed":
        raise Refused(409, "Cannot cancel a workflow run that is completed.")
    row |= {"status": "completed", "conclusion": "cancelled"}
    return Reply(202, {})
