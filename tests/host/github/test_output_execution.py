"""What six stages allow is sent once, and what GitHub refuses is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ay_bot.host.github.output_execution import execute_outputs
from ay_bot.host.github.pull_summary import replace_summary
from ay_bot.host.outputs.decision import Allowed, Code, Denied
from ay_bot.protocol.outputs import (
    AskOutput,
    BlockedOutput,
    CloseOwnPullRequestOutput,
    CommentOutput,
    InlineRemark,
    IssueOutput,
    LabelsOutput,
    NoopOutput,
    Output,
    ReplyOutput,
    ReviewOutput,
    UpdatePullRequestOutput,
)
from tests.host.github.publishing import BOT, Place, open_place, succeeded
from tests.loopback_github.server import LoopbackGitHub


@pytest.fixture
def place(loopback_github: LoopbackGitHub, tmp_path: Path) -> Iterator[Place]:
    with open_place(loopback_github, tmp_path / "run") as made:
        yield made


def send(place: Place, *outputs: Output, **changed: Any) -> tuple[str, ...]:
    decisions = [Allowed(index=index, output=output) for index, output in enumerate(outputs)]
    request = place.request.model_copy(update=changed)
    commit = place.github.branch("feature") or ""
    return execute_outputs(decisions, place.forge, request, commit=commit, pause=lambda _: None)


def texts(place: Place, number: int = 1, kind: str = "comment") -> list[str]:
    return [comment.body.partition("\n")[2] for comment in place.github.comments(number, kind, login=BOT)]


def on_pull(place: Place) -> int:
    place.github.push("feature", {"docs/b.md": "b\nc\n"})
    return place.github.open_pull("A feature", head="feature", login="alice").number


@pytest.mark.parametrize("how", ["", "drop-after", "bad-gateway-before"])
def test_comments_are_sent_once(place: Place, how: Any) -> None:
    outputs = (CommentOutput(body="One."), CommentOutput(body="Two."), AskOutput(question="Which?"))
    if how:
        place.github.fail("POST", "/comments$", how)
    assert send(place, *outputs) == ()
    assert send(place, *outputs) == ()
    assert send(place, CommentOutput(body="Other words of another run.")) == ()
    assert texts(place) == ["One.", "Two.", "Which?"]


def test_another_request_is_answered_too(place: Place) -> None:
    send(place, CommentOutput(body="One."))
    send(place, CommentOutput(body="Two."), comment=100)
    assert texts(place) == ["One.", "Two."]


@pytest.mark.parametrize("how", ["", "drop-after"])
def test_a_review_and_a_reply_are_sent_once(place: Place, how: Any) -> None:
    number = on_pull(place)
    asked = place.github.review_comment(number, "Why?", path="docs/b.md", line=1, login="alice")
    remark = InlineRemark(path="docs/b.md", line=2, body="A typo.")
    outputs = (ReviewOutput(body="Fine.", comments=(remark,)), ReplyOutput(body="Because.", comment=asked.id))
    if how:
        place.github.fail("POST", "/reviews$", how)
        place.github.fail("POST", "/replies$", how)
    for _ in range(2):
        assert send(place, *outputs, number=number, thread="pull_request") == ()
    assert [text for text in texts(place, number, "review") if text] == ["Fine."]
    remarks = place.github.comments(number, "review_comment", login=BOT)
    assert [(each.path, each.line, each.body.splitlines()[-1]) for each in remarks] == [
        ("docs/b.md", 2, "A typo."),
        ("docs/b.md", 1, "Because."),
    ]
    assert remarks[1].reply_to == asked.id


def test_labels_and_issues(place: Place) -> None:
    place.github.fail("POST", "/issues$", "drop-after")
    for _ in range(2):
        assert (
            send(place, LabelsOutput(labels=("bug",)), IssueOutput(title="Another", body="Words.", labels=("bug",)))
            == ()
        )
    assert [(issue.title, issue.labels) for issue in place.github.threads("issue")] == [
        ("Sums are wrong", ["bug"]),
        ("Another", ["bug"]),
    ]


def test_what_is_said_in_place_of_work_is_not_sent_here(place: Place) -> None:
    place.github.forget_requests()
    assert send(place, NoopOutput(reason="Nothing to do."), BlockedOutput(reason="No.")) == ()
    assert place.github.requests == []


def test_what_is_denied_is_not_sent(place: Place) -> None:
    denied = Denied(index=0, output=CommentOutput(body="x"), code=Code.LIMITS, rule="r", what="w", how_to_allow="h")
    place.github.forget_requests()
    assert execute_outputs([denied], place.forge, place.request) == ()
    assert place.github.requests == []


def test_what_github_refuses_is_told_and_stops_nothing(place: Place) -> None:
    (problem,) = send(place, CommentOutput(body="x", number=999), CommentOutput(body="Two."))
    assert problem.startswith("E007 github: output 1 (comment) not sent: ")
    assert texts(place) == ["Two."]


# ------------------------------------------------------------------------------------------- our own pull requests


def test_a_new_summary_leaves_the_proof(place: Place) -> None:
    number = succeeded(place.publish()).pull
    before = place.github.pulls()[0].body or ""
    evil = "New words.\n\n## How this was verified\n\nTrust me. <!-- ay-bot:v1 kind=pull key=x -->"
    output = UpdatePullRequestOutput(number=number, title="fix: sums", body=evil)
    assert send(place, output) == ()
    pull = place.github.pulls()[0]
    after = pull.body or ""
    proof = "\n## How this was verified\n"
    assert after.partition(proof)[2] == before.partition(proof)[2]
    assert (pull.title, after.startswith("## What and why\n\n> New words.")) == ("fix: sums", True)
    assert after.count("<!-- ay-bot:v1") == 1
    place.github.forget_requests()
    assert send(place, output) == ()
    assert not [request for request in place.github.requests if request.method == "PATCH"]


def test_a_text_without_the_proof_is_left_alone(place: Place) -> None:
    number = succeeded(place.publish()).pull
    place.forge.edit_pull(number, body="A person's words.")
    (problem,) = send(place, UpdatePullRequestOutput(number=number, body="Mine."))
    assert "was changed by somebody" in problem
    assert place.github.pulls()[0].body == "A person's words."


def test_line_ends_of_a_browser_do_no_harm() -> None:
    body = "## What and why\r\n\r\n> Old.\r\n\r\n## How this was verified\r\n\r\nProof.\r\n"
    assert replace_summary(body, "New.") == "## What and why\n\n> New.\n\n## How this was verified\n\nProof.\n"


def test_our_own_is_closed_with_a_word(place: Place) -> None:
    number = succeeded(place.publish()).pull
    place.github.fail("PATCH", "/pulls/", "drop-after")
    for _ in range(2):
        assert send(place, CloseOwnPullRequestOutput(number=number, body="Not needed any more.")) == ()
    assert [pull.state for pull in place.github.pulls()] == ["closed"]
    assert texts(place, number) == ["Not needed any more."]


@pytest.mark.parametrize("output", [UpdatePullRequestOutput, CloseOwnPullRequestOutput])
def test_at_51_a_persons_pull_request_is_not_touched(place: Place, output: Any) -> None:
    number = on_pull(place)
    (problem,) = send(place, output(number=number, body="Mine now."))
    assert f"pull request #{number} is not mine" in problem
    (pull,) = place.github.pulls()
    assert (pull.state, pull.title, pull.body) == ("open", "A feature", "")
    assert texts(place, number) == []
