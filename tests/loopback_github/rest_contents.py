"""REST: files and blobs."""

import base64
from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, route
from tests.loopback_github.world import Repository


@route("GET", REPO + "/contents/{path}", "contents:read")
def get_contents(call: Call) -> Reply:
    repo, path = call.repo, call.parameters["path"].strip("/")
    ref = call.query.get("ref") or repo.default_branch
    commit = git_store.resolve(repo.git, ref)
    if commit is None:
        raise Refused(404, f"No commit found for the ref {ref}")
    found = git_store.entries(repo.git, commit, path)
    if not found:
        raise Refused(404, "Not Found")
    if found[0]["kind"] == "tree":
        inside = git_store.entries(repo.git, commit, path + "/")
        return Reply(200, [_entry(call, repo, row, ref) for row in inside])
    data = git_store.blob(repo.git, commit, path) or b""
    shown = _entry(call, repo, found[0], ref)
    if len(data) > 1_000_000:
        return Reply(200, {**shown, "encoding": "none", "content": ""})
    return Reply(200, {**shown, "encoding": "base64", "content": base64.encodebytes(data).decode()})


def _entry(call: Call, repo: Repository, row: dict[str, str], ref: str) -> dict[str, Any]:
    api, page = render.repository_url(call, repo), f"{call.web}/{repo.full_name}"
    url, html = f"{api}/contents/{row['path']}?ref={ref}", f"{page}/blob/{ref}/{row['path']}"
    git_url = f"{api}/git/{'trees' if row['kind'] == 'tree' else 'blobs'}/{row['sha']}"
    size = int(row["size"]) if row["size"].isdigit() else 0
    kind = {"tree": "dir", "commit": "submodule"}.get(row["kind"], "symlink" if row["mode"] == "120000" else "file")
    return {
        "type": kind, "size": size, "name": row["path"].rsplit("/", 1)[-1], "path": row["path"], "sha": row["sha"],
        "url": url, "git_url": git_url, "html_url": html, "download_url": f"{page}/raw/{ref}/{row['path']}",
        "_links": {"self": url, "git": git_url, "html": html},
    }  # fmt: skip


@route("GET", REPO + "/git/blobs/{file_sha}", "contents:read")
def get_blob(call: Call) -> Reply:
    repo, sha = call.repo, call.parameters["file_sha"]
    data = git_store.git(repo.git, "cat-file", "blob", sha, ok=False)
    if data is None:
        raise Refused(404, "Not Found")
    url = f"{render.repository_url(call, repo)}/git/blobs/{sha}"
    content = base64.encodebytes(data).decode()
    return Reply(
        200,
        {
            "sha": sha,
            "node_id": render.node_id("B", 0),
            "size": len(data),
            "url": url,
            "content": content,
            "encoding": "base64",
        },
    )
