"""The Forge against a GitHub on loopback: what is read, what is written, and how often GitHub is asked."""

import base64
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ay_bot.errors import GithubFailed, HeadMoved, UsageError
from ay_bot.host.github.api import GithubForge, open_forge
from ay_bot.host.github.api_failures import AlreadyThere, Missing
from ay_bot.host.github.api_request import Pace
from ay_bot.host.github.credentials import Token
from ay_bot.host.github.forge import Forge, InlineComment, NewFile
from ay_bot.host.permissions import Standing
from tests.loopback_github.server import LoopbackGitHub

QUICK = Pace(between_writes=0, backoff=0.01, limit_wait=0.01, timeout=5)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository("maria/bank", {"bank.py": "balance = 0\n", "docs/a b#?.md": "text\n"})
    return loopback_github


@pytest.fixture
def forge(github: LoopbackGitHub) -> Iterator[GithubForge]:
    token = Token.of(github.add_actions_token())
    with open_forge("maria/bank", token, api_url=github.api_url, graphql_url=github.graphql_url, pace=QUICK) as made:
        yield made


def test_is_a_forge(forge: GithubForge) -> None:
    whole: Forge = forge
    missing = [name for name in dir(Forge) if not name.startswith("_") and not hasattr(whole, name)]
    assert (missing, whole.repository, whole.requests) == ([], "maria/bank", 0)


def test_every_request_is_counted_and_nothing_is_asked_without_need(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.open_issue("It is broken", "Help")
    forge.facts()
    forge.issue(1)
    forge.comments(1)
    made = forge.add_comment(1, "Hello")
    forge.edit_comment(made.id, "Hello again")
    forge.react("issue", 1, "eyes")
    assert forge.own_login() == forge.own_login() == "github-actions[bot]"
    assert forge.requests == len(github.requests) == 7
    assert [comment.body for comment in github.comments(1)] == ["Hello again"]


def test_facts(forge: GithubForge, github: LoopbackGitHub) -> None:
    facts = forge.facts()
    assert (facts.full_name, facts.default_branch, facts.private) == ("maria/bank", "main", False)
    assert facts.clone_url.startswith(github.url)


# ---------------------------------------------------------------------- threads


def test_an_issue(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.add_user("otto", association="CONTRIBUTOR")
    github.open_issue("It is broken", "Help", login="otto", labels=["bug", "ay"], at=NOON)
    found = forge.issue(1)
    assert (found.number, found.kind, found.title, found.body, found.is_open) == (
        1,
        "issue",
        "It is broken",
        "Help",
        True,
    )
    assert (found.author.login, found.author.bot, found.author.association) == ("otto", False, "CONTRIBUTOR")
    assert set(found.labels) == {"bug", "ay"}
    with pytest.raises(Missing):
        forge.issue(77)


def test_a_pull_request_and_its_thread(forge: GithubForge, github: LoopbackGitHub) -> None:
    head = github.push("ay/1-fix", {"bank.py": "balance = 1\n"})
    github.open_pull("A change", "Because", head="ay/1-fix", login="renovate[bot]", draft=True)
    found = forge.pull(1)
    assert (found.head_repository, found.head_branch, found.head) == ("maria/bank", "ay/1-fix", head)
    assert (found.base_branch, found.base) == ("main", github.branch("main"))
    assert (found.draft, found.is_open, found.merged, found.author.bot) == (True, True, False, True)
    assert forge.issue(1).kind == "pull_request"
    github.close(1, merged=True)
    assert (forge.pull(1).is_open, forge.pull(1).merged, forge.pulls()[0].merged) == (False, True, True)


def test_a_pull_request_whose_fork_is_gone(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.fork("otto")
    github.push("fix", {"bank.py": "x\n"}, repository="otto/bank")
    github.open_pull(head="fix", login="otto", head_repository="otto/bank", repository="maria/bank")
    assert forge.pull(1).head_repository == "otto/bank"
    del github.world.repositories["otto/bank"]
    assert forge.pull(1).head_repository is None


def test_pull_requests_by_branch_are_those_of_this_repository(forge: GithubForge, github: LoopbackGitHub) -> None:
    for branch in ("ay/1", "ay/2"):
        github.push(branch, {"bank.py": branch})
        github.open_pull(head=branch, repository="maria/bank")
    github.close(1)
    assert [pull.number for pull in forge.pulls(head="ay/1")] == [1]
    assert [pull.number for pull in forge.pulls(head="ay/1", state="open")] == []
    assert [pull.number for pull in forge.pulls()] == [2, 1]
    assert forge.pulls(head="ay") == []


def test_issues_are_filtered(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.open_issue(login="otto", labels=["ay"])
    github.open_issue(login="github-actions[bot]")
    github.open_issue(login="otto")
    github.close(3)
    assert [issue.number for issue in forge.issues()] == [2, 1]
    assert [issue.number for issue in forge.issues(creator="otto", state="all")] == [3, 1]
    assert [issue.number for issue in forge.issues(label="ay")] == [1]


def test_the_last_time_of_a_label(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.open_issue()
    github.label(1, "ay", at=NOON)
    github.repository().threads[1].labels.clear()
    github.label(1, "ay", at=NOON + timedelta(hours=1))
    github.label(1, "other", at=NOON + timedelta(hours=2))
    assert forge.labelled_at(1, "ay") == NOON + timedelta(hours=1)
    assert forge.labelled_at(1, "never") is None


# ---------------------------------------------------------------------- git over the API


def test_branches(forge: GithubForge, github: LoopbackGitHub) -> None:
    main = github.branch("main")
    assert main
    assert forge.branch("main") == main
    assert forge.branch("ay") is None
    forge.create_branch("ay/1-fix", main)
    assert forge.branch("ay/1-fix") == github.branch("ay/1-fix") == main
    with pytest.raises(AlreadyThere):
        forge.create_branch("ay/1-fix", main)
    forge.delete_branch("ay/1-fix")
    forge.delete_branch("ay/1-fix")
    assert forge.branch("ay/1-fix") is None


def test_commits_and_who_made_them(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.add_user("otto", email="otto@example.invalid")
    main = github.branch("main")
    first = github.push("work", {"bank.py": "1\n"}, "One\n", author=("Otto", "otto@example.invalid"))
    second = github.push("work", {"bank.py": "2\n"}, "Two\n", author=("Nobody", "nobody@example.invalid"))
    assert [(commit.sha, commit.author) for commit in forge.commits("main", "work")] == [
        (first, "otto"),
        (second, None),
    ]
    found = forge.commit(first)
    assert (found.message.strip(), found.parents, found.verified) == ("One", (main,), False)
    assert forge.commit("work").sha == second


def test_a_commit_that_github_signs(forge: GithubForge, github: LoopbackGitHub) -> None:
    main = github.branch("main")
    assert main
    forge.create_branch("ay/1", main)
    content = bytes(range(256))
    made = forge.commit_on_branch(
        "ay/1", main, "Fix it\n\nBecause.\n", [NewFile(path="new/b.bin", content=content)], ["docs/a b#?.md"]
    )
    assert forge.branch("ay/1") == made
    assert (github.file("new/b.bin", "ay/1"), github.file("docs/a b#?.md", "ay/1")) == (content, None)
    assert forge.commit(made).verified
    assert forge.commit(made).message.strip() == "Fix it\n\nBecause."
    with pytest.raises(HeadMoved, match="start again"):
        forge.commit_on_branch("ay/1", main, "Again", [], ["bank.py"])
    with pytest.raises(GithubFailed):
        forge.commit_on_branch("not/there", main, "Again", [], ["bank.py"])


def test_files(forge: GithubForge, github: LoopbackGitHub) -> None:
    big = os.urandom(1_100_000)
    github.push("main", {"big.bin": big, "ü/ö.txt": "ä"})
    assert forge.file("bank.py", "main") == b"balance = 0\n"
    assert forge.file("docs/a b#?.md", "main") == b"text\n"
    assert forge.file("ü/ö.txt", "main") == "ä".encode()
    assert forge.file("nowhere.py", "main") is None
    assert forge.file("docs", "main") is None
    asked = forge.requests
    assert forge.file("big.bin", "main") == big
    assert forge.requests - asked == 2


def test_checks_and_statuses(forge: GithubForge, github: LoopbackGitHub) -> None:
    main = github.branch("main")
    assert main
    github.add_check_run(main, "tests")
    github.add_check_run(main, "lint", None)
    forge.set_status(
        main, state="failure", context="ay-bot/verified", description="x" * 500, url="https://example.com/1"
    )
    found = {check.name: (check.outcome, check.url) for check in forge.checks(main)}
    assert found["ay-bot/verified"] == ("failure", "https://example.com/1")
    assert (found["tests"][0], found["lint"][0]) == ("success", "pending")
    assert len(github.repository().statuses[0]["description"]) == 140


# ---------------------------------------------------------------------- writing


def test_the_whole_life_of_a_pull_request(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.add_user("otto", "write")
    github.push("ay/1", {"bank.py": "balance = 1\n"})
    made = forge.create_pull(title="Fix", body="Body", head="ay/1", base="main", draft=True)
    assert (made.title, made.draft, made.head) == ("Fix", True, github.branch("ay/1"))
    with pytest.raises(AlreadyThere):
        forge.create_pull(title="Fix", body="Body", head="ay/1", base="main", draft=True)
    forge.edit_pull(made.number, title="Better", body="Best")
    forge.add_labels(made.number, ["ay", "bug fix: 100%?"])
    forge.remove_label(made.number, "bug fix: 100%?")
    forge.remove_label(made.number, "never there")
    forge.request_reviewers(made.number, ["otto"], [])
    forge.add_assignees(made.number, ["otto"])
    thread = github.pulls()[0]
    assert (thread.title, thread.body, thread.labels) == ("Better", "Best", ["ay"])
    assert (thread.reviewers, thread.assignees) == (["otto"], ["otto"])
    forge.edit_pull(made.number, is_open=False)
    assert github.pulls()[0].state == "closed"


def test_nothing_to_say_is_no_request(forge: GithubForge) -> None:
    forge.add_labels(1, [])
    forge.add_assignees(1, [])
    forge.request_reviewers(1, [], [])
    forge.edit_pull(1)
    forge.edit_issue(1)
    assert forge.requests == 0


def test_a_pull_request_without_commits(forge: GithubForge, github: LoopbackGitHub) -> None:
    main = github.branch("main")
    assert main
    forge.create_branch("ay/empty", main)
    with pytest.raises(GithubFailed, match="No commits between"):
        forge.create_pull(title="Fix", body="", head="ay/empty", base="main", draft=False)


def test_issues_are_opened_and_closed(forge: GithubForge, github: LoopbackGitHub) -> None:
    made = forge.create_issue(title="Dashboard", body="- [ ] one", labels=["ay"])
    forge.edit_issue(made.number, body="- [x] one", is_open=False)
    thread = github.threads("issue")[0]
    assert (thread.title, thread.body, thread.state, thread.login) == (
        "Dashboard", "- [x] one", "closed", "github-actions[bot]",
    )  # fmt: skip


def test_reviews_and_replies(forge: GithubForge, github: LoopbackGitHub) -> None:
    head = github.push("work", {"bank.py": "balance = 1\nfee = 2\n"})
    github.open_pull(head="work")
    remark = InlineComment(path="bank.py", line=2, body="Which currency?")
    made = forge.create_review(1, commit=head, body="Two remarks", comments=[remark])
    assert (made.kind, made.state, made.body) == ("review", "COMMENTED", "Two remarks")
    line = github.comments(1, "review_comment")[0]
    assert (line.path, line.line, line.commit) == ("bank.py", 2, head)
    answer = forge.reply_to_review_comment(1, line.id, "Euro")
    assert github.repository().comments[answer.id].reply_to == line.id


def test_reactions_are_one_each(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.push("work", {"bank.py": "balance = 1\n"})
    github.open_pull(head="work")
    said = github.comment(1, "@ay fix")
    line = github.review_comment(1, "@ay fix", path="bank.py", line=1)
    for _ in range(2):
        forge.react("pull_request", 1, "rocket")
        forge.react("comment", said.id, "eyes")
        forge.react("review_comment", line.id, "+1")
    assert [one.content for one in github.threads()[0].reactions] == ["rocket"]
    assert [one.content for one in said.reactions] == ["eyes"]
    assert [one.content for one in line.reactions] == ["+1"]


def test_a_review_takes_no_reaction(forge: GithubForge) -> None:
    forge.react("review", 1, "eyes")
    assert forge.requests == 0


def test_a_run_is_cancelled_once(forge: GithubForge, github: LoopbackGitHub) -> None:
    run = github.add_run()
    assert forge.cancel_workflow_run(run)
    assert not forge.cancel_workflow_run(github.add_run(status="completed"))
    assert not forge.cancel_workflow_run(4711)


# ---------------------------------------------------------------------- standing


def test_standing_is_permission_and_role(forge: GithubForge, github: LoopbackGitHub) -> None:
    for login, role in (("otto", "maintain"), ("tina", "triage"), ("ada", "admin"), ("mallory", "")):
        github.add_user(login, role)
    assert forge.standing("otto") == Standing("write", "maintain")
    assert forge.standing("tina") == Standing("read", "triage")
    assert forge.standing("ada") == Standing("admin", "admin")
    assert forge.standing("mallory") == Standing("read", "read")
    assert forge.standing("never-seen") == Standing("none", "none")


def test_at_03_nobody_vouches_for_an_app_with_a_plain_token(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.add_app("evil-app")
    assert forge.standing("evil-app[bot]") is None
    assert forge.standing("unknown[bot]") is None


@pytest.mark.parametrize("login", ["", ".", "..", "a/../../user", "a b", "a?b", "a%2fb", "ä", "x" * 101, "a[bot]x"])
def test_at_11_a_login_that_is_none_is_not_asked_about(forge: GithubForge, login: str) -> None:
    assert forge.standing(login) is None
    assert forge.requests == 0


def test_standing_is_unknown_if_github_does_not_say(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.add_user("otto", "write")
    github.fail("GET", "permission", "forbidden")
    assert forge.standing("otto") is None
    github.fail("GET", "permission", "garbage")
    assert forge.standing("otto") is None


# ---------------------------------------------------------------------- names that others chose


@pytest.mark.parametrize("path", ["../../../user", "a/../b", "./a", "a//b", "/a", "a\nb", "a\udcffb", ""])
def test_at_11_no_path_leads_to_another_address(forge: GithubForge, path: str) -> None:
    with pytest.raises(GithubFailed):
        forge.file(path, "main")
    with pytest.raises(GithubFailed):
        forge.branch(path)
    assert forge.requests == 0


@pytest.mark.parametrize("name", ["bank", "a/b/c", "../x", "a/..", "a/b?c", "a/b#c", "", "a /b", "a\n/b"])
def test_a_repository_that_is_none(name: str) -> None:
    with pytest.raises(UsageError):
        open_forge(name, Token.of("x"), api_url="https://api.github.com")


def test_odd_names_of_branches_stay_one_part_of_an_address(forge: GithubForge, github: LoopbackGitHub) -> None:
    head = github.push("a%2e%2e/#x&z=1", {"bank.py": "1"})
    assert forge.branch("a%2e%2e/#x&z=1") == head
    assert forge.branch("x$(touch${IFS}pwned)") is None


def test_base64_is_as_github_writes_it(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.push("main", {"wide.txt": "x" * 500})
    assert b"\n" in base64.encodebytes(b"x" * 500)
    assert forge.file("wide.txt", "main") == b"x" * 500
