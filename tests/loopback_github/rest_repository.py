"""REST: repositories, accounts, permissions, branches, refs and files."""

import base64
from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import LEGACY, Repository

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO)
def get_repository(call: Call) -> Reply:
    return Reply(200, render.repository(call, call.repo))


@route("GET", "/user")
def own_account(call: Call) -> Reply:
    if call.token and call.token.app:
        raise Refused(403, "Resource not accessible by integration")
    return Reply(200, render.public_user(call, call.actor))


@route("GET", "/users/{username}")
def get_account(call: Call) -> Reply:
    known = call.world.accounts.get(call.parameters["username"].lower())
    if known is None:
        raise Refused(404, "Not Found")
    return Reply(200, render.public_user(call, known))


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Reply:
    limit = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(call.world.now().timestamp()) + 3600}
    names = ("core", "search", "graphql")
    return Reply(200, {"resources": dict.fromkeys(names, limit), "rate": limit})


@route("GET", REPO + "/collaborators/{username}/permission")
def permission(call: Call) -> Reply:
    repo, login = call.repo, call.parameters["username"]
    if call.token is None:
        raise Refused(401, "Requires authentication")
    if call.token.permissions is None and call.world.role(repo, call.login) in ("none", "read", "triage"):
        raise Refused(403, "Must have push access to view collaborator permission.")
    known = call.world.accounts.get(login.lower())
    if known is None or known.kind == "Bot":
        raise Refused(404, f"{login} is not a user" if known or login.endswith("[bot]") else "Not Found")
    role = call.world.role(repo, login)
    legacy = LEGACY.get(role, "write")
    rights = {
        "admin": legacy == "admin",
        "maintain": role in ("maintain", "admin"),
        "push": legacy in ("admin", "write"),
    }
    rights |= {"triage": role not in ("none", "read"), "pull": role != "none"}
    who = {**render.user(call, known.login), "permissions": rights, "role_name": role}
    return Reply(200, {"permission": legacy, "role_name": role, "user": who})


# ---------------------------------------------------------------------- branches and refs


def seen(call: Call, repo: Repository, ref: str) -> str | None:
    """Return what a ref points at, None where it isn't seen yet."""
    if repo.unlisted_refs.get(ref, 0) > 0:
        repo.unlisted_refs[ref] -= 1
        return None
    return git_store.refs(repo.git, ref).get(ref)


def show_ref(call: Call, repo: Repository, ref: str, sha: str) -> dict[str, Any]:
    api = render.repository_url(call, repo)
    target = {"type": "commit", "sha": sha, "url": f"{api}/git/commits/{sha}"}
    return {"ref": ref, "node_id": render.node_id("REF", repo.id), "url": f"{api}/git/{ref}", "object": target}


@route("GET", REPO + "/branches", "contents:read")
def list_branches(call: Call) -> Reply:
    repo = call.repo
    heads = git_store.refs(repo.git, "refs/heads/")
    return call.page(heads.items(), lambda row: _short_branch(call, repo, row[0].removeprefix("refs/heads/"), row[1]))


def _short_branch(call: Call, repo: Repository, name: str, sha: str) -> dict[str, Any]:
    where = {"sha": sha, "url": f"{render.repository_url(call, repo)}/commits/{sha}"}
    return {"name": name, "commit": where, "protected": name in repo.protected}


@route("GET", REPO + "/branches/{branch}", "contents:read")
def get_branch(call: Call) -> Reply:
    from tests.loopback_github.rest_commits import show_commit

    repo, name = call.repo, call.parameters["branch"]
    sha = seen(call, repo, f"refs/heads/{name}")
    if sha is None:
        raise Refused(404, "Branch not found")
    url = f"{render.repository_url(call, repo)}/branches/{name}"
    links = {"self": url, "html": f"{call.web}/{repo.full_name}/tree/{name}"}
    protected = name in repo.protected
    checks: dict[str, Any] = {"enforcement_level": "off", "contexts": [], "checks": []}
    shown = {"name": name, "commit": show_commit(call, repo, sha), "_links": links, "protected": protected}
    shown |= {
        "protection": {"enabled": protected, "required_status_checks": checks},
        "protection_url": url + "/protection",
    }
    return Reply(200, shown)


@route("GET", REPO + "/git/ref/{ref}", "contents:read")
def get_ref(call: Call) -> Reply:
    repo, ref = call.repo, "refs/" + call.parameters["ref"]
    if (sha := seen(call, repo, ref)) is None:
        raise Refused(404, "Not Found")
    return Reply(200, show_ref(call, repo, ref, sha))


@route("GET", REPO + "/git/matching-refs/{ref}", "contents:read")
def matching_refs(call: Call) -> Reply:
    repo, prefix = call.repo, "refs/" + call.parameters["ref"]
    found = git_store.refs(repo.git, prefix)
    return call.page(found.items(), lambda row: show_ref(call, repo, *row))


@route("POST", REPO + "/git/refs", "contents:write", "write")
def create_ref(call: Call) -> Reply:
    repo, ref, sha = call.repo, call.body["ref"], call.body["sha"]
    if (
        not ref.startswith("refs/")
        or ref.count("/") < 2
        or git_store.git(repo.git, "check-ref-format", ref, ok=False) is None
    ):
        raise Refused(422, "Reference name is not valid. It must start with 'refs/' and have at least two slashes.")
    if git_store.resolve(repo.git, sha) != sha:
        raise Refused(422, "Object does not exist")
    if ref in git_store.refs(repo.git, ref):
        raise Refused(422, "Reference already exists")
    git_store.set_ref(repo.git, ref, sha)
    repo.unlisted_refs[ref] = call.world.lag.get("branch", 0)
    return Reply(201, show_ref(call, repo, ref, sha), {"Location": f"{render.repository_url(call, repo)}/git/{ref}"})


@route("PATCH", REPO + "/git/refs/{ref}", "contents:write", "write")
def update_ref(call: Call) -> Reply:
    repo, ref, sha = call.repo, "refs/" + call.parameters["ref"], call.body["sha"]
    old = git_store.refs(repo.git, ref).get(ref)
    if old is None:
        raise Refused(422, "Reference does not exist")
    if git_store.resolve(repo.git, sha) != sha:
        raise Refused(422, "Object does not exist")
    if not call.body.get("force") and git_store.merge_base(repo.git, old, sha) != old:
        raise Refused(422, "Update is not a fast forward")
    if ref.removeprefix("refs/heads/") in repo.protected:
        raise Refused(422, "Cannot update this protected ref.")
    git_store.set_ref(repo.git, ref, sha)
    return Reply(200, show_ref(call, repo, ref, sha))


@route("DELETE", REPO + "/git/refs/{ref}", "contents:write", "write")
def delete_ref(call: Call) -> Reply:
    repo, ref = call.repo, "refs/" + call.parameters["ref"]
    if ref not in git_store.refs(repo.git, ref):
        raise Refused(422, "Reference does not exist")
    if ref.removeprefix("refs/heads/") in (*repo.protected, repo.default_branch):
        raise Refused(422, "Cannot delete a protected branch")
    from tests.loopback_github.rest_pulls import close_pulls_of

    close_pulls_of(call.world, repo, ref.removeprefix("refs/heads/"), call.actor.login)
    git_store.delete_ref(repo.git, ref)
    return Reply(204)


# ---------------------------------------------------------------------- files


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


def validate_title(title: str, resource: str) -> None:
    if not title.strip():
        raise invalid(resource, field="title", code="missing_field")
    if len(title) > 256:
        raise invalid(resource, message="title is too long (maximum is 256 characters)")
