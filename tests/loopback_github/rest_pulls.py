"""REST: pull requests."""

from tests.loopback_github import git_store
from tests.loopback_github.pulls import pull, refresh
from tests.loopback_github.rest_commits import diff_entries, short_commit
from tests.loopback_github.rest_issues import change_thread, check_body, new_thread, thread_of, validate_title
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, invalid, route
from tests.loopback_github.world import Repository, Thread


@route("GET", REPO + "/pulls", "pull_requests:read")
def list_pulls(call: Call) -> Reply:
    repo, query = call.repo, call.query
    state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base", "")
    rows = [t for t in repo.threads.values() if t.kind == "pull_request" and state in ("all", t.state)]
    rows = [t for t in call.listed(rows) if not base or t.base_branch == base]
    # GitHub ignores a head without `owner:`, so every pull request is listed: a trap that bots fall into.
    rows = [t for t in rows if ":" not in head or _label(t).lower() == head.lower()]
    newest_first = query.get("direction", "desc" if query.get("sort", "created") == "created" else "asc") == "desc"
    rows.sort(
        key=lambda t: (t.updated if query.get("sort") == "updated" else t.created, t.number), reverse=newest_first
    )
    return call.page(rows, lambda thread: pull(call, repo, thread, whole=False))


def _label(thread: Thread) -> str:
    return f"{(thread.head_repository or thread.login).split('/')[0]}:{thread.head_branch}"


@route("POST", REPO + "/pulls", "pull_requests:write")
def create_pull(call: Call) -> Reply:
    repo, body = call.repo, call.body
    if call.token and call.token.login == "github-actions[bot]" and not repo.actions_may_open_pulls:
        raise Refused(403, "GitHub Actions is not permitted to create or approve pull requests.")
    validate_title(str(body.get("title", "")), "PullRequest")
    if body.get("draft") and not repo.drafts_allowed:
        raise Refused(422, "Draft pull requests are not supported in this repository.")
    source, branch = head_of(call, repo, body["head"], body.get("head_repo"))
    head, base = git_store.branch_head(source.git, branch), git_store.branch_head(repo.git, body["base"])
    if head is None:
        raise invalid("PullRequest", field="head", code="invalid")
    if base is None:
        raise invalid("PullRequest", field="base", code="invalid")
    refuse_pull(call, repo, source, branch, base, head)
    thread = new_thread(call, repo, "pull_request", str(body["title"]), check_body(body.get("body"), "PullRequest"))
    thread.head_repository, thread.head_branch, thread.head = source.full_name, branch, head
    thread.base_branch, thread.base, thread.draft = body["base"], base, bool(body.get("draft"))
    thread.maintainer_can_modify = source is not repo and body.get("maintainer_can_modify", True)
    return Reply(201, pull(call, repo, thread))


def head_of(call: Call, repo: Repository, head: str, source: str | None = None) -> tuple[Repository, str]:
    owner, _, branch = head.rpartition(":")
    if not owner or owner.lower() == repo.owner.lower():
        return repo, branch
    for candidate in call.world.repositories.values():
        if candidate.owner.lower() == owner.lower() and candidate.fork_of == repo.full_name:
            return candidate, branch
    raise invalid("PullRequest", field="head", code="invalid")


def refuse_pull(call: Call, repo: Repository, source: Repository, branch: str, base: str, head: str) -> None:
    name = f"{source.owner}:{branch}"
    if source is not repo:
        git_store.fetch_into(repo.git, source.git, head)
    for thread in repo.threads.values():
        same = thread.kind == "pull_request" and thread.state == "open" and _label(thread) == name
        if same and thread.base_branch == call.body["base"]:
            raise invalid("PullRequest", message=f"A pull request already exists for {name}.")
    middle = git_store.merge_base(repo.git, base, head)
    if middle is None:
        message = f"The {branch} branch has no history in common with {call.body['base']}"
        raise invalid("PullRequest", message=message)
    if middle == head:
        raise invalid("PullRequest", message=f"No commits between {call.body['base']} and {branch}")


@route("GET", REPO + "/pulls/{pull_number}", "pull_requests:read")
def get_pull(call: Call) -> Reply:
    repo = call.repo
    return Reply(200, pull(call, repo, thread_of(call, repo, "pull_number")))


@route("PATCH", REPO + "/pulls/{pull_number}", "pull_requests:write")
def edit_pull(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo, "pull_number")
    if thread.login != call.actor.login:
        call.demand(repo, "pull_requests:write", "triage")
    if call.body.get("state") == "open" and thread.state == "closed":
        may_reopen(call, repo, thread)
    change_thread(call, repo, thread)
    if "base" in call.body:
        thread.base_branch = call.body["base"]
    if "maintainer_can_modify" in call.body:
        thread.maintainer_can_modify = bool(call.body["maintainer_can_modify"])
    return Reply(200, pull(call, repo, thread))


def may_reopen(call: Call, repo: Repository, thread: Thread) -> None:
    source = call.world.repository(thread.head_repository or "")
    if thread.merged or source is None or git_store.branch_head(source.git, thread.head_branch) is None:
        message = f"state cannot be changed. The {thread.head_branch} branch has been deleted."
        raise invalid("PullRequest", field="state", code="invalid", message=message)


@route("GET", REPO + "/pulls/{pull_number}/files", "pull_requests:read")
def list_files(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo, "pull_number")
    refresh(call.world, repo, thread)
    middle = git_store.merge_base(repo.git, thread.base, thread.head) or thread.base
    return call.page(diff_entries(call, repo, middle, thread.head), lambda row: row)


@route("GET", REPO + "/pulls/{pull_number}/commits", "pull_requests:read")
def list_pull_commits(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo, "pull_number")
    refresh(call.world, repo, thread)
    rows = git_store.commits(repo.git, "--reverse", f"{thread.base}..{thread.head}")[:250]
    return call.page(rows, lambda row: short_commit(call, repo, row))


@route("POST", REPO + "/pulls/{pull_number}/requested_reviewers", "pull_requests:write", "triage")
def request_reviewers(call: Call) -> Reply:
    repo = call.repo
    thread = thread_of(call, repo, "pull_number")
    people, teams = call.body.get("reviewers", []), call.body.get("team_reviewers", [])
    if thread.login in people:
        raise Refused(422, "Review cannot be requested from pull request author.")
    unknown = [
        p for p in people if call.world.role(repo, p) == "none" or p.lower() not in {*repo.roles, repo.owner.lower()}
    ]
    if unknown or set(teams) - repo.teams:
        raise Refused(422, "Reviews may only be requested from collaborators. One or more of the users or teams you specified "
                      f"is not a collaborator of the {repo.full_name} repository.")  # fmt: skip
    for login in people:
        if login not in thread.reviewers:
            thread.reviewers.append(login)
            call.world.record(repo, thread.number, "review_requested", call.actor.login, reviewer=login)
    thread.teams += [slug for slug in teams if slug not in thread.teams]
    return Reply(201, pull(call, repo, thread, whole=False))
