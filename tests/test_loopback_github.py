"""The loopback GitHub's REST and GraphQL against a real PyGithub."""

import base64
import json
import urllib.request
from collections.abc import Iterator

import pytest
from github import GithubException
from github.Repository import Repository as PyRepository

from tests.loopback_github.clients import open_spoon, refused, status_of
from tests.loopback_github.description import response_complaints
from tests.loopback_github.server import LoopbackGitHub


@pytest.fixture
def spoon(loopback_github: LoopbackGitHub) -> Iterator[PyRepository]:
    with open_spoon(loopback_github) as repository:
        yield repository


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


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [(201, {"id": "x"}, "'x' is not of type 'integer'"), (200, {}, "status 200 is not described")],
)
def test_answers_are_judged_too(status: int, body: object, says: str) -> None:
    place = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
    assert says in " ".join(response_complaints(place, "POST", status, body))
