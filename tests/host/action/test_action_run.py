"""From a comment to a pull request and back: what each event leads to on GitHub."""

import re
from datetime import timedelta
from pathlib import Path

from ay_bot.errors import ExitCode
from tests.host.action.deliveries import BOT, Desk, Model
from tests.host.test_pipeline import FINISH, MEND, edit


def test_a_comment_leads_to_a_pull_request_once(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts", "It should add.")
    payload = github.payload_for_comment(github.comment(issue.number, "@ay fix this"))
    assert desk.deliver("issue_comment", payload) == 0
    (pull,) = github.pulls()
    assert github.file("sums.py", pull.head_branch) == b"def add(a, b):\n    return a + b\n"
    assert len(github.commits(pull.head_branch)) == 1
    assert "state=done" in desk.tracking(issue.number)[0]
    assert desk.outputs()["status"] == "verified"
    before = (github.branches(), len(github.comments(issue.number)), len(github.pulls()))
    for _ in range(4):
        assert desk.deliver("issue_comment", payload) == 0
    assert (github.branches(), len(github.comments(issue.number)), len(github.pulls())) == before


def open_pull(desk: Desk, files: dict[str, str], **more: str):
    """Open a pull request a while ago: what is pushed in the second of a request counts as later."""
    earlier = desk.github.world.now() - timedelta(minutes=5)
    where = more.get("head_repository", "")
    desk.github.push("feature", files, repository=where, at=earlier)
    return desk.github.open_pull("Add", head="feature", at=earlier, repository="maria/bank", **more)


def answer(text: str, **outputs: object) -> Model:
    return Model([("finish", {"summary": text})])


def test_a_question_is_answered_and_no_code_is_written(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts", "It should add.")
    desk.answers = lambda: answer("add() uses a minus in sums.py.")
    assert desk.say(issue.number, "@ay explain why") == 0
    said = [comment.body for comment in github.comments(issue.number, login=BOT)]
    assert any("uses a minus" in body for body in said)
    assert github.pulls() == []
    assert list(github.branches()) == ["main"]
    assert desk.outputs()["status"] == "answered"


def test_at_53_a_plan_is_approved_by_its_hash_and_carried_out(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts", "It should add.")
    desk.answers = lambda: answer("1. Replace the minus in sums.py by a plus.")
    assert desk.say(issue.number, "@ay plan") == 0
    digest = re.search(r"@ay approve ([0-9a-f]{12})", desk.tracking(issue.number)[0])
    assert digest
    assert github.pulls() == []
    assert desk.say(issue.number, "@ay approve 000000000000") == ExitCode.DENIED
    desk.answers = lambda: Model(MEND, FINISH)
    assert desk.say(issue.number, f"@ay approve {digest[1]}") == 0
    assert len(github.pulls()) == 1
    task = str(desk.models[-1].requests[0].messages)
    assert "Replace the minus in sums.py by a plus." in task


def test_a_review_says_something_on_lines(desk: Desk):
    github = desk.github
    pull = open_pull(desk, {"sums.py": "def add(a, b):\n    return a + b\n", "new.py": "x = 1\ny = 2\n"})
    remarks = [{"path": "new.py", "line": 2, "body": "Nobody uses y."}]
    review = {"type": "review", "body": "One thing.", "comments": remarks}
    desk.answers = lambda: Model([("propose", review)], [("finish", {"summary": "Reviewed."})])
    assert desk.say(pull.number, "@ay review") == 0
    inline = github.comments(pull.number, "review_comment", login=BOT)
    assert [(comment.path, comment.line) for comment in inline] == [("new.py", 2)]


def test_a_question_of_the_agent_is_shown_to_who_asked(desk: Desk):
    issue = desk.github.open_issue("add() subtracts")
    question = {"type": "ask", "question": "Which of the two adders is meant?"}
    desk.answers = lambda: Model([("propose", question)], [("finish", {"summary": ""})])
    assert desk.say(issue.number, "@ay fix this") == ExitCode.NO_CHANGE
    assert "Which of the two adders is meant?" in desk.tracking(issue.number)[0]
    assert "state=blocked" in desk.tracking(issue.number)[0]


def test_at_01_an_outsider_gets_a_reaction_and_nothing_else(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    assert desk.say(issue.number, "@ay fix this", login="ben") == ExitCode.DENIED
    assert desk.models == []
    assert github.comments(issue.number, login=BOT) == []
    assert len(github.requests) <= 2


def test_what_is_not_for_us_costs_no_request(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    assert desk.say(issue.number, "what a day") == 0
    assert github.requests == []


def test_stop_and_help_need_no_agent(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    assert desk.say(issue.number, "@ay help") == 0
    assert desk.say(issue.number, "@ay stop") == 0
    assert desk.models == []
    assert [len(github.comments(issue.number, login=BOT))] == [2]


def test_a_change_that_the_tests_do_not_prove_is_not_published(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    wrong = edit("sums.py", "a - b", "a * b")
    desk.answers = lambda: Model(wrong, FINISH, FINISH)
    assert desk.say(issue.number, "@ay fix this") == ExitCode.TESTS_FAILED
    assert github.pulls() == []
    assert "state=failed" in desk.tracking(issue.number)[0]


def test_a_pull_request_gets_the_fix_on_its_own_branch(desk: Desk):
    github = desk.github
    pull = open_pull(desk, {"new.py": "x = 1\n"})
    assert desk.say(pull.number, "@ay fix add()") == 0
    assert github.file("sums.py", "feature") == b"def add(a, b):\n    return a + b\n"
    assert len(github.pulls()) == 1


def test_a_fork_gets_the_patch_in_a_comment(desk: Desk):
    github = desk.github
    github.fork("ben")
    pull = open_pull(desk, {"new.py": "x = 1\n"}, login="ben", head_repository="ben/bank")
    comment = github.comment(pull.number, "@ay fix add()", repository="maria/bank")
    payload = github.payload_for_comment(comment, repository="maria/bank")
    assert desk.deliver("issue_comment", payload) == 0
    assert any("fork" in comment.body for comment in github.comments(pull.number, login=BOT, repository="maria/bank"))
    assert list(github.branches("maria/bank")) == ["main"]


def test_two_jobs_do_what_one_does_with_the_bundle_between_them(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    payload = github.payload_for_comment(github.comment(issue.number, "@ay fix this"))
    writer, desk.token = (
        desk.token,
        github.add_actions_token({"contents": "read", "issues": "read", "metadata": "read"}),
    )
    work = desk.environment("issue_comment", payload, mode="work")
    assert desk.run(work) == 0
    assert not [request for request in github.requests if request.writes]
    bundle = Path(desk.outputs()["bundle"]) / "bundle"
    github.push("main", {"other.py": "z = 1\n"})  # the default branch goes on between the two jobs
    desk.token = writer
    publish = {**desk.environment("issue_comment", payload, mode="publish", bundle=str(bundle)), "INPUT_MODEL": ""}
    assert desk.run({**publish, "GITHUB_RUN_ID": work["GITHUB_RUN_ID"]}) == 0
    assert len(desk.models) == 1
    assert len(github.pulls()) == 1
    assert "state=done" in desk.tracking(issue.number)[0]


def test_the_job_that_may_only_read_leaves_stop_and_help_to_the_other(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    writer, desk.token = desk.token, github.add_actions_token({"contents": "read", "issues": "read"})
    for words in ("@ay stop", "@ay help"):
        assert desk.say(issue.number, words, mode="work") == 0
    assert not [request for request in github.requests if request.writes]
    desk.token = writer
    assert desk.say(issue.number, "@ay stop", mode="publish", bundle="/nowhere") == 0
    assert len(github.comments(issue.number, login=BOT)) == 1


def test_a_bundle_that_is_not_there_is_told_on_the_thread(desk: Desk):
    issue = desk.github.open_issue("add() subtracts")
    assert desk.say(issue.number, "@ay fix this", mode="publish", bundle="/nowhere") == ExitCode.PROTOCOL_BROKEN
    assert "state=failed" in desk.tracking(issue.number)[0]


def test_at_30_no_word_that_is_sent_holds_the_token(desk: Desk):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    desk.answers = lambda: answer(f"Use {desk.token} or, backwards, {desk.token[::-1]}.")
    desk.say(issue.number, "@ay explain")
    said = "".join(comment.body for comment in github.comments(issue.number, login=BOT))
    assert desk.token not in said
    assert desk.token[::-1] not in said


def test_a_full_run_stays_within_its_requests(desk: Desk, capsys):
    github = desk.github
    issue = github.open_issue("add() subtracts")
    github.forget_requests()
    assert desk.say(issue.number, "@ay fix this") == 0
    asked = [request for request in github.requests if request.method != "PATCH"]
    with capsys.disabled():
        print(f"\n{len(asked)} API requests, and {len(github.requests) - len(asked)} edits of the comment")
    assert len(asked) <= 25, "\n".join(map(str, asked))
