"""REST: branches and refs."""

from typing import Any

from tests.loopback_github import git_store, pushes, render
from tests.loopback_github.pulls import close_pulls_of
from tests.loopback_github.rest_commits import show_commit
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, route
from tests.loopback_github.world import Repository


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
    if git_store.git(repo.git, "update-ref", ref, sha, ok=False) is None:
        # Such as `a/b` where there is an `a`.
        raise Refused(422, "Reference update failed")
    pushes.note(call.world, repo, call.actor.login)
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
    pushes.note(call.world, repo, call.actor.login)
    return Reply(200, show_ref(call, repo, ref, sha))


@route("DELETE", REPO + "/git/refs/{ref}", "contents:write", "write")
def delete_ref(call: Call) -> Reply:
    repo, ref = call.repo, "refs/" + call.parameters["ref"]
    if ref not in git_store.refs(repo.git, ref):
        raise Refused(422, "Reference does not exist")
    if ref.removeprefix("refs/heads/") in (*repo.protected, repo.default_branch):
        raise Refused(422, "Cannot delete a protected branch")
    close_pulls_of(call.world, repo, ref.removeprefix("refs/heads/"), call.actor.login)
    git_store.delete_ref(repo.git, ref)
    pushes.note(call.world, repo, call.actor.login)
    return Reply(204)
