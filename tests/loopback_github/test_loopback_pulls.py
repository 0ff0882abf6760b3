"""Pull requests, forks and what refuses them, by a real PyGithub."""

import logging
from collections.abc import Iterator

import pytest
from github import GithubException
from github.Repository import Repository as PyRepository

from tests.loopback_github.clients import open_spoon, refused
from tests.loopback_github.server import LoopbackGitHub


@pytest.fixture
def spoon(loopback_github: LoopbackGitHub) -> Iterator[PyRepository]:
    with open_spoon(loopback_github) as repository:
        yield repository


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


def test_merging_renaming_and_a_branch_in_the_way_of_another(
    loopback_github: LoopbackGitHub, spoon: PyRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where our own client has been in this process, PyGithub follows no redirects any more.
    monkeypatch.setattr(logging.getLogger("github.Requester"), "filters", [])
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
