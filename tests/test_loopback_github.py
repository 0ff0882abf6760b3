"""The loopback GitHub's REST and GraphQL against a real PyGithub."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from github import Auth, Github, GithubException, GithubIntegration
from github.Repository import Repository as PyRepository

from tests.loopback_github.server import LoopbackGitHub

UNHURRIED = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0}


def client(server: LoopbackGitHub, token: str) -> Github:
    return Github(auth=Auth.Token(token), base_url=server.api_url, **UNHURRIED)


@pytest.fixture
def spoon(loopback_github: LoopbackGitHub) -> Iterator[PyRepository]:
    """`octo/spoon` as a workflow's GITHUB_TOKEN sees it."""
    loopback_github.add_repository("octo/spoon", {"src/a.py": "x = 1\n"})
    loopback_github.add_user("maria", "write")
    with client(loopback_github, loopback_github.add_actions_token()) as github:
        yield github.get_repo("octo/spoon")


def refused(request: pytest.ExceptionInfo[GithubException]) -> tuple[int, str]:
    return request.value.status, json.dumps(request.value.data)


def status_of(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_what_pygithub_reads_of_a_repository(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    assert (spoon.full_name, spoon.default_branch, spoon.private, spoon.permissions.push) == (
        "octo/spoon",
        "main",
        False,
        True,
    )
    assert spoon.get_branch("main").commit.sha == loopback_github.branch("main")
    assert spoon.get_contents("src/a.py").decoded_content == b"x = 1\n"
    assert (spoon.get_collaborator_permission("maria"), spoon.get_collaborator_role_name("maria")) == ("write", "write")
    with pytest.raises(GithubException) as unknown:
        spoon.get_collaborator_permission("github-actions[bot]")
    assert refused(unknown)[0] == 404


def test_comments_are_written_edited_and_listed(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    issue = spoon.get_issue(loopback_github.open_issue("Broken").number)
    issue.create_comment("first").edit("second")
    assert [(c.body, c.user.login, c.user.type) for c in issue.get_comments()] == [
        ("second", "github-actions[bot]", "Bot")
    ]
    assert [c.edited is not None for c in loopback_github.comments(issue.number)] == [True]


def test_lists_come_in_pages(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    issue = spoon.get_issue(loopback_github.open_issue().number)
    for number in range(65):
        loopback_github.comment(issue.number, str(number))
    assert [c.body for c in issue.get_comments()] == [str(number) for number in range(65)]
    assert len(loopback_github.asked("GET", "/comments$")) == 3
    assert issue.get_comments().totalCount == 65


def test_a_reaction_given_twice_is_one(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    issue = spoon.get_issue(loopback_github.open_issue().number)
    comment = issue.create_comment("hello")
    for _ in range(2):
        comment.create_reaction("eyes")
        issue.create_reaction("+1")
    assert [r.status for r in loopback_github.asked("POST", "/reactions$")] == [201, 201, 200, 200]
    assert [r.content for r in comment.get_reactions()] == ["eyes"]


def test_a_pull_request_from_branch_to_review(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    spoon.create_git_ref("refs/heads/ay/1-x", loopback_github.branch("main"))
    head = loopback_github.push("ay/1-x", {"src/a.py": "x = 2\n"})
    pull = spoon.create_pull(title="A", body="B", head="ay/1-x", base="main", draft=True)
    assert (pull.head.sha, pull.draft, pull.mergeable, pull.changed_files, pull.commits) == (head, True, True, 1, 1)
    assert [p.number for p in spoon.get_pulls(state="open", head="octo:ay/1-x")] == [pull.number]
    assert not list(spoon.get_pulls(state="open", head="octo:other"))
    pull.create_review(spoon.get_commit(head), "Well", "COMMENT", [{"path": "src/a.py", "line": 1, "body": "why"}])
    remark = next(iter(pull.get_review_comments()))
    pull.create_review_comment_reply(remark.id, "because").create_reaction("rocket")
    assert [(c.body, c.path, c.line, c.in_reply_to_id) for c in pull.get_review_comments()] == [
        ("why", "src/a.py", 1, None), ("because", "src/a.py", 1, remark.id),
    ]  # fmt: skip
    assert remark.diff_hunk == "@@ -1 +1 @@\n-x = 1\n+x = 2"
    pull.add_to_labels("bug")
    pull.as_issue().add_to_assignees("maria", "nobody")
    pull.create_review_request(reviewers=["maria"])
    assert [e.event for e in pull.as_issue().get_events()] == ["labeled", "assigned", "review_requested"]
    moved = loopback_github.push("ay/1-x", {"src/a.py": "x = 3\n"})
    assert spoon.get_pull(pull.number).head.sha == moved
    assert loopback_github.file("src/a.py", f"pull/{pull.number}/head") == b"x = 3\n"


@pytest.mark.parametrize(
    ("head", "base", "says"),
    [("ay/1-x", "main", "already exists for octo:ay/1-x"), ("same", "main", "No commits between main and same"),
     ("gone", "main", '"head"'), ("ay/1-x", "gone", '"base"'), ("mallory:x", "main", '"head"')],
)  # fmt: skip
def test_pull_requests_that_cannot_be(
    loopback_github: LoopbackGitHub, spoon: PyRepository, head: str, base: str, says: str
) -> None:
    loopback_github.push("ay/1-x", {"b": "b"})
    spoon.create_git_ref("refs/heads/same", loopback_github.branch("main"))
    spoon.create_pull(title="A", body="B", head="ay/1-x", base="main")
    with pytest.raises(GithubException) as refusal:
        spoon.create_pull(title="A", body="B", head=head, base=base)
    assert refused(refusal)[0] == 422
    assert says in refused(refusal)[1]


def test_a_fork_is_another_repository(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    loopback_github.fork("mallory")
    head = loopback_github.push("x", {"b": "b"}, repository="mallory/spoon")
    pull = spoon.get_pull(
        loopback_github.open_pull(
            head="x", head_repository="mallory/spoon", login="mallory", repository="octo/spoon"
        ).number
    )
    assert (pull.head.sha, pull.head.label, pull.head.repo.full_name) == (head, "mallory:x", "mallory/spoon")
    assert spoon.compare("main", "mallory:x").ahead_by == 1


def test_closing_and_deleting(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    head = loopback_github.push("x", {"b": "b"})
    pull = spoon.get_pull(loopback_github.open_pull(head="x").number)
    spoon.get_git_ref("heads/x").delete()
    closed = spoon.get_pull(pull.number)
    assert (closed.state, closed.head.sha, closed.merged) == ("closed", head, False)
    with pytest.raises(GithubException) as refusal:
        closed.edit(state="open")
    assert refused(refusal)[0] == 422
    assert [(a["activity_type"], a["ref"]) for a in loopback_github.repository().activities] == [
        ("branch_creation", "refs/heads/main"), ("branch_creation", "refs/heads/x"), ("branch_deletion", "refs/heads/x"),
    ]  # fmt: skip


def test_statuses_and_checks(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    commit = spoon.get_commit(loopback_github.branch("main"))
    commit.create_status("pending", context="ay-bot/verified")
    commit.create_status("success", context="ay-bot/verified", description="41 tests")
    loopback_github.add_check_run(commit.sha, "ci", None)
    assert [(s.context, s.state) for s in commit.get_statuses()] == [
        ("ay-bot/verified", "success"),
        ("ay-bot/verified", "pending"),
    ]
    assert commit.get_combined_status().state == "success"
    assert [(c.name, c.status) for c in commit.get_check_runs()] == [("ci", "in_progress")]
    with pytest.raises(GithubException):
        commit.create_status("success", description="x" * 141)


def test_issues_are_found_by_label_creator_and_state(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    loopback_github.open_issue("theirs", labels=["bug"])
    mine = spoon.create_issue("mine", "text", labels=["bug", "dashboard"])
    assert [i.title for i in spoon.get_issues(labels=["Bug"])] == ["mine", "theirs"]
    assert [i.title for i in spoon.get_issues(creator="github-actions[bot]")] == ["mine"]
    mine.edit(state="closed")
    assert [i.title for i in spoon.get_issues()] == ["theirs"]
    assert [i.title for i in spoon.get_issues(state="closed")] == ["mine"]


def test_runs_are_cancelled_once(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    run = spoon.get_workflow_run(loopback_github.add_run())
    assert [run.cancel(), run.cancel()] == [True, False]


def test_a_commit_over_graphql_is_a_real_signed_one(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    head = loopback_github.push("ay/1-x", {"old.py": "1\n"})

    def commit(expected: str, deletion: str) -> str:
        asked = {
            "branch": {"repositoryNameWithOwner": "octo/spoon", "branchName": "ay/1-x"}, "expectedHeadOid": expected,
            "message": {"headline": "Fix it", "body": "Because"},
            "fileChanges": {"additions": [{"path": "new.py", "contents": base64.b64encode(b"2\n").decode()}], "deletions": [{"path": deletion}]},
        }  # fmt: skip
        _, made = spoon.requester.graphql_named_mutation("createCommitOnBranch", asked, "commit { oid }")
        return made["commit"]["oid"]

    with pytest.raises(GithubException, match="does not exist as of commit"):
        commit(head, "absent.py")
    made = spoon.get_commit(commit(head, "old.py"))
    assert (made.commit.message, made.author.login, made.committer.login) == (
        "Fix it\n\nBecause",
        "github-actions[bot]",
        "web-flow",
    )
    assert made.raw_data["commit"]["verification"]["verified"]
    assert sorted((f.filename, f.status) for f in made.files) == [("new.py", "added"), ("old.py", "removed")]
    with pytest.raises(GithubException, match="STALE_DATA"):
        commit(head, "new.py")


def test_graphql_says_who_and_when(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    number = loopback_github.open_issue().number
    comment = loopback_github.comment(number, "before")
    node = spoon.get_issue(number).get_comment(comment.id).raw_data["node_id"]
    loopback_github.edit_comment(comment.id, "after")
    query = "query($ids: [ID!]!) { viewer { login } nodes(ids: $ids) { id ... on IssueComment { body lastEditedAt author { login } } } }"
    answer = spoon.requester.graphql_query(query, {"ids": [node]})[1]["data"]
    assert answer["viewer"] == {"login": "github-actions[bot]"}
    assert (answer["nodes"][0]["body"], answer["nodes"][0]["author"]["login"]) == ("after", "maria")
    assert answer["nodes"][0]["lastEditedAt"] is not None


def test_an_app_gets_the_tokens_that_it_may_have(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    app = loopback_github.add_app("ay", {"contents": "write", "issues": "read"})
    integration = GithubIntegration(
        auth=Auth.AppAuth(app.id, app.private_key), base_url=loopback_github.api_url, **UNHURRIED
    )
    installation = integration.get_repo_installation("octo", "spoon")
    token = integration.get_access_token(installation.id, permissions={"contents": "read"})
    assert token.permissions == {"contents": "read"}
    with pytest.raises(GithubException):
        integration.get_access_token(installation.id, permissions={"issues": "write"})
    with client(loopback_github, token.token) as github, pytest.raises(GithubException) as refusal:
        github.get_repo("octo/spoon").create_issue("x")
    assert refused(refusal)[0] == 403
    assert "Resource not accessible by integration" in refused(refusal)[1]
    other = Auth.AppAuth(app.id + 1, app.private_key)
    with (
        GithubIntegration(auth=other, base_url=loopback_github.api_url, **UNHURRIED) as stranger,
        pytest.raises(GithubException),
    ):
        stranger.get_app()
    integration.close()


@pytest.mark.parametrize(("login", "status"), [("maria", 201), ("rita", 403), (None, 401)])
def test_a_person_may_what_the_role_allows(
    loopback_github: LoopbackGitHub, spoon: PyRepository, login: str | None, status: int
) -> None:
    loopback_github.add_user("rita", "triage")
    body = json.dumps({"ref": "refs/heads/x", "sha": loopback_github.branch("main")}).encode()
    signed = {"Authorization": f"token {loopback_github.add_token(login)}"} if login else {}
    request = urllib.request.Request(f"{loopback_github.api_url}/repos/octo/spoon/git/refs", body, signed)
    assert status_of(request) == status


def test_what_is_private_is_not_there(loopback_github: LoopbackGitHub) -> None:
    loopback_github.add_repository("octo/secret", private=True)
    with (
        client(loopback_github, loopback_github.add_token("mallory")) as github,
        pytest.raises(GithubException) as refusal,
    ):
        github.get_repo("octo/secret")
    assert refused(refusal)[0] == 404
    with client(loopback_github, "wrong") as github, pytest.raises(GithubException) as refusal:
        github.get_repo("octo/secret")
    assert refused(refusal)[0] == 401


def test_an_unchanged_answer_is_not_sent_again(loopback_github: LoopbackGitHub) -> None:
    loopback_github.add_repository("octo/spoon")
    url = loopback_github.api_url + "/repos/octo/spoon"
    with urllib.request.urlopen(url) as answer:
        tag = answer.headers["ETag"]
    assert status_of(urllib.request.Request(url, headers={"If-None-Match": tag})) == 304


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [("POST", "/issues", {}, "title"), ("POST", "/issues", {"title": "x", "colour": "red"}, "colour"),
     ("POST", "/statuses/" + "a" * 40, {"state": "great"}, "great"), ("GET", "/issues?sort=length", None, "length"),
     ("GET", "/issues?colour=red", None, "colour"), ("GET", "/stargazing", None, "no such route"),
     ("POST", "/issues/1/reactions", {"content": "tada"}, "tada"), ("POST", "/pulls", {"title": 3}, "head")],
)  # fmt: skip
def test_requests_that_github_does_not_describe(
    loopback_github: LoopbackGitHub, method: str, path: str, body: object, says: str
) -> None:
    loopback_github.add_repository("octo/spoon")
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{loopback_github.api_url}/repos/octo/spoon{path}", data, method=method)
    assert status_of(request) in (400, 404)
    assert says in " ".join(loopback_github.violations)
    loopback_github.violations.clear()


def test_graphql_that_github_does_not_know(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    with pytest.raises(GithubException, match="Cannot query field"):
        spoon.requester.graphql_query("query { viewer { shoeSize } }", {})
    assert "shoeSize" in loopback_github.violations[0]
    loopback_github.violations.clear()


def test_roles_of_an_organisations_own(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    loopback_github.add_user("rita", "release-manager", base="triage")
    assert (spoon.get_collaborator_permission("rita"), spoon.get_collaborator_role_name("rita")) == (
        "read",
        "release-manager",
    )
    with client(loopback_github, loopback_github.add_token("rita")) as github:
        rights = github.get_repo("octo/spoon").permissions
    assert (rights.triage, rights.push) == (True, False)


def test_merging_renaming_and_a_branch_in_the_way_of_another(
    loopback_github: LoopbackGitHub, spoon: PyRepository
) -> None:
    loopback_github.push("x", {"b": "b"})
    merged = loopback_github.merge(loopback_github.open_pull(head="x").number)
    assert spoon.get_pull(1).merged
    assert len(spoon.get_commit(merged).parents) == 2
    with pytest.raises(GithubException) as refusal:
        spoon.create_git_ref("refs/heads/x/y", merged)
    assert refused(refusal)[0] == 422
    loopback_github.rename("octo/fork")
    assert spoon.get_branch("main").commit.sha == merged


def test_accounts_and_forks_that_are_gone(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    loopback_github.fork("mallory")
    head = loopback_github.push("x", {"b": "b"}, repository="mallory/spoon")
    number = loopback_github.open_pull(
        head="x", head_repository="mallory/spoon", login="", repository="octo/spoon"
    ).number
    loopback_github.comment(number, "bye", login="", repository="octo/spoon")
    loopback_github.delete_repository("mallory/spoon")
    pull = spoon.get_pull(number)
    assert (pull.user.login, pull.head.repo, pull.head.sha) == ("ghost", None, head)
    assert [c.user for c in pull.get_issue_comments()] == [None]


def test_what_a_repository_may_not_allow(loopback_github: LoopbackGitHub, spoon: PyRepository) -> None:
    loopback_github.push("x", {"b": "b"})
    state = loopback_github.repository()
    state.drafts_allowed = state.has_issues = state.actions_may_open_pulls = False
    for status, ask in (
        (410, lambda: spoon.create_issue("x")),
        (403, lambda: spoon.create_pull(title="x", body="", head="x", base="main")),
    ):
        with pytest.raises(GithubException) as refusal:
            ask()
        assert refused(refusal)[0] == status
    state.actions_may_open_pulls = True
    with pytest.raises(GithubException, match="Draft pull requests are not supported"):
        spoon.create_pull(title="x", body="", head="x", base="main", draft=True)
