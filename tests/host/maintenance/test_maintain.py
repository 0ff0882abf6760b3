"""Maintenance from its configuration to its pull requests: what is done, what is left alone, what people see."""

from ay_bot.errors import ExitCode
from tests.host.action.deliveries import BOT, Model
from tests.host.maintenance.yard import CHORES, DOCS, TIDY, Yard, config
from tests.host.test_pipeline import FINISH, edit

ONLY_TIDY = CHORES.splitlines(keepends=True)[0]
ONLY_DOCS = CHORES.splitlines(keepends=True)[1]


def test_twice_with_two_due_chores_makes_two_pull_requests_and_a_closed_one_stays_closed(yard: Yard):
    github = yard.github
    assert yard.maintain(TIDY, DOCS, due=True) == 0
    tidy, docs = sorted(github.pulls(), key=lambda pull: pull.number)
    assert (tidy.head_branch, docs.head_branch) == ("ay/maintain-tidy", "ay/maintain-docs")
    assert github.file("other.py", tidy.head_branch) == b"x = 2\n"
    assert github.file("docs/use.md", docs.head_branch) == b"Call add().\n"
    assert [len(github.commits(pull.head_branch)) for pull in (tidy, docs)] == [1, 1]
    branches, body = github.branches(), yard.board.body
    assert yard.maintain() == 0
    assert yard.maintain(due=True) == 0
    assert (len(github.pulls()), github.branches(), yard.asked) == (2, branches, 2)
    assert yard.board.body == body
    github.close(tidy.number)
    assert yard.maintain() == 0
    assert yard.maintain(chore="tidy") == 0
    assert (len(github.pulls()), yard.asked) == (2, 2)
    assert yard.section("tidy").startswith("Blocked")
    assert "closed, which I take as a no" in yard.section("tidy")
    assert yard.section("docs").startswith("Pull requests open")


def test_a_closed_pull_request_is_a_no_only_while_its_files_stay_as_they_are(yard: Yard):
    github = yard.github
    assert yard.maintain(TIDY, chore="tidy") == 0
    (pull,) = github.pulls()
    github.close(pull.number)
    github.push("main", {"sums.py": "# new\ndef add(a, b):\n    return a + b\n"})
    assert yard.maintain(chore="tidy") == 0
    assert (len(github.pulls()), yard.asked) == (1, 1)
    github.push("main", {"other.py": "x = 1\ny = 1\n"})
    assert yard.maintain(TIDY, chore="tidy") == 0
    assert [pull.state for pull in github.pulls()].count("open") == 1
    assert len(github.pulls()) == 2


def test_other_words_in_the_configuration_are_another_chore_to_a_closed_one(yard: Yard):
    github = yard.github
    assert yard.maintain(TIDY, chore="tidy") == 0
    github.close(github.pulls()[0].number)
    github.push("main", {".github/ay-bot.yml": config(CHORES.replace("Say what x is.", "Make x two."))})
    assert yard.maintain(TIDY, chore="tidy") == 0
    assert yard.asked == 2


def test_an_open_pull_request_is_updated_in_place_when_the_base_moves(make_yard):
    yard = make_yard(ONLY_TIDY)
    github = yard.github
    assert yard.maintain(TIDY) == 0
    (before,) = github.pulls()
    head = before.head
    base = github.push("main", {"other.py": "x = 1\ny = 1\n"})
    assert yard.maintain(TIDY) == 0
    (pull,) = github.pulls()
    assert pull.number == before.number
    assert github.branches()["ay/maintain-tidy"] != head
    assert github.file("other.py", "ay/maintain-tidy") == b"x = 2\ny = 1\n"
    (commit,) = github.commits("ay/maintain-tidy")
    assert base in str(commit)


def test_a_branch_with_commits_of_people_is_never_touched(yard: Yard):
    github = yard.github
    assert yard.maintain(TIDY, chore="tidy") == 0
    github.push("ay/maintain-tidy", {"other.py": "x = 3\n"}, login="maria")
    github.push("main", {"other.py": "x = 1\ny = 1\n"})
    branches = github.branches()
    assert yard.maintain(chore="tidy") == 0
    assert (github.branches(), yard.asked) == (branches, 1)
    assert yard.section("tidy").startswith("Blocked")
    assert "pushed to ay/maintain-tidy" in yard.section("tidy")


def test_what_somebody_asked_for_on_its_pull_request_is_not_undone(make_yard):
    yard = make_yard(ONLY_TIDY)
    assert yard.maintain(TIDY) == 0
    (pull,) = yard.github.pulls()
    yard.scripts = [Model(edit("docs/use.md", "plus()", "add()"), FINISH)]
    assert yard.desk.say(pull.number, "@ay fix the docs too") == 0
    head = yard.github.branches()["ay/maintain-tidy"]
    yard.github.push("main", {"other.py": "x = 1\ny = 1\n"})
    assert yard.maintain() == 0
    assert yard.github.branches()["ay/maintain-tidy"] == head
    assert "more was asked for" in yard.section("tidy")


def test_a_secret_of_the_run_comes_neither_into_a_pull_request_nor_onto_the_dashboard(make_yard):
    yard = make_yard(ONLY_TIDY)
    assert yard.maintain(edit("other.py", "x = 1", f"x = '{yard.desk.token}'")) != 0
    assert (yard.github.pulls(), yard.section("tidy").partition("\n")[0]) == ([], "Failed")
    yard.github.push("main", {"other.py": "x = 1\ny = 1\n"})
    assert yard.maintain([("finish", {"summary": f"I found {yard.desk.token} lying about."})]) == 0
    assert yard.desk.token not in yard.board.body
    assert yard.desk.token not in yard.summary()


BY_COMMAND = [("shell", {"command": "echo x = 2 > other.py"})]
"""What the edit tool would refuse at once."""


def test_the_agent_hears_at_once_what_lies_outside_of_a_chores_paths(yard: Yard):
    assert yard.maintain(TIDY, chore="docs") == 0
    assert yard.github.pulls() == []
    assert "nothing to do" in yard.section("docs")


def test_what_lies_outside_of_a_chores_paths_is_withheld(yard: Yard):
    assert yard.maintain([*DOCS, *BY_COMMAND], chore="docs") == 0
    (pull,) = yard.github.pulls()
    assert yard.github.file("other.py", pull.head_branch) == b"x = 1\n"
    assert pull.draft
    assert "outside of the paths" in pull.body
    assert "`docs/`" in yard.task()


def test_a_change_that_lies_outside_of_the_paths_altogether_is_refused(yard: Yard):
    assert yard.maintain(BY_COMMAND, chore="docs") == ExitCode.CHANGE_REFUSED
    assert yard.github.pulls() == []
    assert yard.section("docs").startswith("Failed")


def test_one_chore_that_fails_does_not_stop_the_others_and_opens_no_issue(yard: Yard):
    broken = edit("sums.py", "a + b", "a - b")
    assert yard.maintain(broken, DOCS) == ExitCode.TESTS_FAILED
    assert [pull.head_branch for pull in yard.github.pulls()] == ["ay/maintain-docs"]
    assert len(yard.github.threads("issue")) == 1
    assert yard.section("tidy").startswith("Failed")
    assert yard.desk.outputs()["status"] == "failed"
    assert "**tidy**: failed" in yard.summary()
    assert yard.maintain() == 0, "it is not tried again before anything has changed"
    assert yard.asked == 2


def test_a_ticked_box_makes_a_chore_due_once(yard: Yard):
    assert yard.maintain(TIDY, DOCS, due=True) == 0
    yard.tick("tidy")
    yard.github.push("main", {"other.py": "x = 1\nz = 1\n"})
    assert yard.maintain(TIDY, due=True) == 0
    assert yard.asked == 3
    assert "z = 1" in yard.github.file("other.py", "ay/maintain-tidy").decode()
    assert "[x]" not in yard.board.body
    assert yard.maintain(due=True) == 0
    assert yard.asked == 3


def test_a_box_ticked_for_another_chore_stays_ticked(yard: Yard):
    assert yard.maintain(TIDY, DOCS, due=True) == 0
    yard.tick("docs")
    yard.github.push("main", {"other.py": "x = 1\nz = 1\n"})
    assert yard.maintain(TIDY, chore="tidy") == 0
    assert "- [x] run now: **docs**" in yard.board.body


def test_a_closed_dashboard_stays_closed_and_remembers(yard: Yard):
    assert yard.maintain(TIDY, DOCS, due=True) == 0
    yard.github.close(yard.board.number)
    assert yard.maintain(due=True) == 0
    assert yard.board.state == "closed"
    assert yard.asked == 2


def test_the_dashboard_is_written_only_on_change(yard: Yard):
    assert yard.maintain(TIDY, DOCS, due=True) == 0
    edits = yard.edits()
    assert edits <= 2
    assert yard.maintain(due=True) == 0
    assert yard.maintain() == 0
    assert yard.edits() == edits


def test_a_dashboard_that_somebody_else_wrote_is_none(yard: Yard):
    fake = "<!-- ay-bot:v1 kind=dashboard key=maintenance -->\n- [x] run now <!-- ay-bot:chore=tidy -->\n"
    yard.github.open_issue("ay-bot: maintenance", fake, login="ben")
    assert yard.maintain(TIDY, DOCS, due=True) == 0
    own = [issue for issue in yard.github.threads("issue") if issue.login == BOT]
    assert len(own) == 1


def test_without_issues_nothing_is_done(yard: Yard):
    yard.desk.token = yard.github.add_actions_token({"contents": "write", "pull_requests": "write", "metadata": "read"})
    assert yard.maintain(TIDY, DOCS, due=True) == ExitCode.GITHUB_FAILED
    assert yard.asked == 0
    assert "memory" in yard.summary()


def test_no_change_is_no_failure_and_is_not_asked_again(make_yard):
    yard = make_yard(ONLY_DOCS)
    assert yard.maintain([("finish", {"summary": "Nothing is stale."})]) == 0
    assert "nothing to do" in yard.section("docs")
    assert yard.maintain() == 0
    assert yard.asked == 1


def test_a_chore_that_is_not_there_is_a_usage_error(yard: Yard):
    assert yard.maintain(chore="polish") == ExitCode.USAGE
    assert "tidy, docs" in yard.summary()


def test_the_limit_of_open_pull_requests_holds_before_a_model_is_asked(make_yard):
    yard = make_yard(f"{CHORES}publishing:\n  max_open_pull_requests: 1\n")
    assert yard.maintain(TIDY, due=True) == 0
    assert (len(yard.github.pulls()), yard.asked) == (1, 1)
    assert "at most 1 may be" in yard.section("docs")
    yard.github.merge(yard.github.pulls()[0].number)
    assert yard.maintain(DOCS, chore="docs") == 0
    assert len(yard.github.pulls()) == 2


def test_a_chore_has_a_budget_of_its_own(make_yard):
    yard = make_yard("  - {name: tidy, task: Say what x is., max_cost: 0.5}\n")
    assert yard.maintain(TIDY, chore="tidy", max_cost="3") == 0
    assert yard.desk.models[0].configured[0].max_cost_usd == 0.5


def test_a_full_run_stays_within_its_requests(yard: Yard, capsys):
    assert yard.maintain(TIDY, DOCS, due=True) == 0
    first = len(yard.github.requests)
    yard.github.forget_requests()
    assert yard.maintain(due=True) == 0
    with capsys.disabled():
        print(f"\n{first} API requests for two chores, {len(yard.github.requests)} where none is due")
    assert first <= 50
    assert len(yard.github.requests) <= 8
