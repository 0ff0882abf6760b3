"""REST: commits and comparisons."""

from datetime import UTC, datetime
from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, route
from tests.loopback_github.world import Repository, World


def utc(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def account_of(world: World, email: str) -> str | None:
    """Return the login that GitHub shows for an e-mail address of a commit."""
    if email == git_store.WEB_FLOW[1]:
        return world.account("web-flow").login
    name = email.removesuffix("@users.noreply.github.com").rpartition("+")[2]
    known = world.accounts.get(name.lower()) if email.endswith("@users.noreply.github.com") else None
    known = known or next((a for a in world.accounts.values() if a.email and a.email.lower() == email.lower()), None)
    return known.login if known else None


def short_commit(call: Call, repo: Repository, row: dict[str, Any]) -> dict[str, Any]:
    api, page = f"{render.repository_url(call, repo)}", f"{call.web}/{repo.full_name}"
    sha, verified = row["sha"], row["sha"] in repo.signed
    url = f"{api}/commits/{sha}"
    author, committer = account_of(call.world, row["author_email"]), account_of(call.world, row["email"])
    verification = {"verified": verified, "reason": "valid" if verified else "unsigned", "verified_at": None}
    verification |= {
        "signature": "-----BEGIN PGP SIGNATURE-----" if verified else None,
        "payload": "tree" if verified else None,
    }
    commit = {
        "author": {"name": row["author_name"], "email": row["author_email"], "date": utc(row["author_date"])},
        "committer": {"name": row["name"], "email": row["email"], "date": utc(row["date"])},
        "message": row["message"].rstrip("\n"), "tree": {"sha": row["tree"], "url": f"{api}/git/trees/{row['tree']}"},
        "url": f"{api}/git/commits/{sha}", "comment_count": 0, "verification": verification,
    }  # fmt: skip
    parents = [{"sha": p, "url": f"{api}/commits/{p}", "html_url": f"{page}/commit/{p}"} for p in row["parents"]]
    return {
        "sha": sha, "node_id": render.node_id("C", repo.id), "commit": commit, "url": url, "html_url": f"{page}/commit/{sha}",
        "comments_url": url + "/comments", "author": render.user(call, author) if author else None,
        "committer": render.user(call, committer) if committer else None, "parents": parents,
    }  # fmt: skip


def diff_entries(call: Call, repo: Repository, base: str, head: str) -> list[dict[str, Any]]:
    api, page = render.repository_url(call, repo), f"{call.web}/{repo.full_name}"
    rows = git_store.changed_files(repo.git, base, head)
    return [
        {
            "sha": git_store.text(repo.git, "rev-parse", f"{head}:{row['path']}", ok=False) or None, "filename": row["path"],
            "status": row["status"], "additions": row["additions"], "deletions": row["deletions"],
            "changes": row["additions"] + row["deletions"], "blob_url": f"{page}/blob/{head}/{row['path']}",
            "raw_url": f"{page}/raw/{head}/{row['path']}", "contents_url": f"{api}/contents/{row['path']}?ref={head}",
            "patch": row["patch"],
        }
        for row in rows
    ]  # fmt: skip


EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def show_commit(call: Call, repo: Repository, sha: str) -> dict[str, Any]:
    row = git_store.commits(repo.git, "-1", sha)[0]
    files = diff_entries(call, repo, row["parents"][0] if row["parents"] else EMPTY_TREE, sha)
    added, removed = sum(f["additions"] for f in files), sum(f["deletions"] for f in files)
    stats = {"total": added + removed, "additions": added, "deletions": removed}
    return {**short_commit(call, repo, row), "stats": stats, "files": files}


def commit_of(call: Call, repo: Repository, name: str) -> str:
    if sha := git_store.resolve(repo.git, name):
        return sha
    raise Refused(422, f"No commit found for SHA: {name}")


@route("GET", REPO + "/commits", "contents:read")
def list_commits(call: Call) -> Reply:
    repo = call.repo
    start = git_store.resolve(repo.git, call.query.get("sha") or repo.default_branch)
    if start is None:
        raise Refused(404, "Not Found")
    path = call.query.get("path")
    rows = git_store.commits(repo.git, start) if not path else git_store.commits(repo.git, start, "--", path)
    return call.page(rows, lambda row: short_commit(call, repo, row))


@route("GET", REPO + "/commits/{ref}", "contents:read")
def get_commit(call: Call) -> Reply:
    repo = call.repo
    return Reply(200, show_commit(call, repo, commit_of(call, repo, call.parameters["ref"])))


@route("GET", REPO + "/git/commits/{commit_sha}", "contents:read")
def get_git_commit(call: Call) -> Reply:
    repo, sha = call.repo, call.parameters["commit_sha"]
    if git_store.resolve(repo.git, sha) != sha:
        raise Refused(404, "Not Found")
    shown = short_commit(call, repo, git_store.commits(repo.git, "-1", sha)[0])
    kept = ("author", "committer", "message", "tree", "verification")
    return Reply(
        200,
        {k: shown[k] for k in ("sha", "node_id", "html_url", "parents")}
        | {k: shown["commit"][k] for k in kept}
        | {"url": shown["commit"]["url"]},
    )


def side(call: Call, repo: Repository, name: str) -> str:
    """Return the commit of one side of a comparison: a ref, or `owner:branch` of a fork."""
    owner, _, branch = name.rpartition(":")
    source = next(
        (
            r
            for r in call.world.repositories.values()
            if owner and r.owner.lower() == owner.lower() and repo.full_name in (r.fork_of, r.full_name)
        ),
        repo,
    )
    sha = git_store.resolve(source.git, branch)
    if sha is None:
        raise Refused(404, "Not Found")
    if source is not repo:
        git_store.fetch_into(repo.git, source.git, sha)
    return sha


@route("GET", REPO + "/compare/{basehead}", "contents:read")
def compare(call: Call) -> Reply:
    repo = call.repo
    names = call.parameters["basehead"].split("...")
    if len(names) != 2:
        raise Refused(404, "Not Found")
    base, head = (side(call, repo, name) for name in names)
    middle = git_store.merge_base(repo.git, base, head)
    if middle is None:
        raise Refused(404, f"No common ancestor between {names[0]} and {names[1]}.")
    ahead = git_store.commits(repo.git, "--reverse", f"{base}..{head}")
    behind = len(git_store.commits(repo.git, f"{head}..{base}"))
    status = "identical" if base == head else "diverged" if ahead and behind else "ahead" if ahead else "behind"
    url, page = (
        f"{render.repository_url(call, repo)}/compare/{names[0]}...{names[1]}",
        f"{call.web}/{repo.full_name}/compare/{base}...{head}",
    )
    listed = (
        call.page(ahead if "page" in call.query else ahead[-250:], lambda row: short_commit(call, repo, row))
        if "page" in call.query or "per_page" in call.query
        else None
    )
    shown = {
        "url": url, "html_url": page, "permalink_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch",
        "base_commit": short_commit(call, repo, git_store.commits(repo.git, "-1", base)[0]),
        "merge_base_commit": short_commit(call, repo, git_store.commits(repo.git, "-1", middle)[0]),
        "status": status, "ahead_by": len(ahead), "behind_by": behind, "total_commits": len(ahead),
        "commits": listed.body if listed else [short_commit(call, repo, row) for row in ahead[-250:]],
        "files": diff_entries(call, repo, middle, head)[:300],
    }  # fmt: skip
    return Reply(200, shown, listed.headers if listed else {})
