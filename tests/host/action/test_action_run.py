"""From a comment to a pull request and back: what each event leads to on GitHub."""

from tests.host.action.deliveries import Desk


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
