"""From payload to request: what was asked, by whom, when, and of which commit."""

import json
import shutil
import subprocess
import tarfile
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.events import EVENTS
from ay_bot.host.gate import Decision, Outcome, Rules, decide
from ay_bot.host.github.forge import Issue, Person
from ay_bot.host.github.payload import parse_payload
from ay_bot.host.github.request import Anchor, Dispatch, Request, read_request
from ay_bot.host.permissions import Standing
from tests.host.payloads import REPOSITORY, issue_comment, review, thread, user

MOMENT = "2026-08-17T12:00:00Z"
EARLIER = "2026-08-16T12:00:00Z"
MADE = datetime(2026, 8, 17, 12, tzinfo=UTC)
PULL = {
    "number": 8,
    "title": "Mend",
    "body": "b",
    "user": user("mallory"),
    "author_association": "CONTRIBUTOR",
    "created_at": EARLIER,
    "updated_at": MOMENT,
    "head": {"sha": "a" * 40, "ref": "patch", "repo": {"full_name": "mallory/spoon"}},
    "base": {"sha": "b" * 40, "ref": "main", "repo": {"full_name": "octo/spoon"}},
}


def ask(_login):
    return Standing("write", "write")


def read(name, payload):
    decision = decide(name, payload, Rules(), ask)
    assert decision.decision is Outcome.RUN, decision.reason
    return read_request(decision, payload)


def test_a_comment_on_an_issue():
    payload = issue_comment("It fails.\n@ay fix this", author_association="NONE")
    payload["comment"] |= {"created_at": MOMENT, "updated_at": MOMENT, "html_url": "https://x/1"}
    assert read("issue_comment", payload) == Request(
        repository="octo/spoon",
        event="issue_comment",
        verb="fix",
        instruction="this",
        thread="issue",
        number=7,
        comment=99,
        comment_kind="comment",
        requester="alice",
        author="mallory",
        title="Broken",
        body="",
        made=MADE,
        words="It fails.\n@ay fix this",
        url="https://x/1",
    )


def test_at_07_a_comment_on_a_pull_request_names_no_commit():
    payload = issue_comment(pull_request={"url": "x"})
    payload["comment"]["created_at"] = MOMENT
    request = read("issue_comment", payload)
    assert (request.thread, request.head, request.base, request.base_branch) == ("pull_request", "", "", "")


def test_a_review_is_of_the_moment_when_it_was_handed_in_and_pins_the_head():
    payload = review() | {"pull_request": PULL}
    payload["review"] |= {"submitted_at": MOMENT, "created_at": EARLIER}
    request = read("pull_request_review", payload)
    assert (request.made, request.comment_kind, request.comment) == (MADE, "review", 5)
    assert (request.head, request.head_branch, request.head_repository) == ("a" * 40, "patch", "mallory/spoon")
    assert (request.base, request.base_branch, request.author_association) == ("b" * 40, "main", "CONTRIBUTOR")


@pytest.mark.parametrize(("line", "original", "anchored"), [(12, 3, 12), (None, 3, 3), (None, None, None)])
def test_a_remark_has_its_place_and_its_lines(line, original, anchored):
    words = {
        "id": 5, "body": "@ay fix", "user": user(), "created_at": MOMENT, "path": "src/a.py", "line": line,
        "original_line": original, "diff_hunk": "@@ -1 +1 @@\n-a\n+b",
    }  # fmt: skip
    payload = {"action": "created", "comment": words, "pull_request": PULL, "repository": REPOSITORY, "sender": user()}
    request = read("pull_request_review_comment", payload)
    assert request.anchor == Anchor(path="src/a.py", line=anchored, hunk="@@ -1 +1 @@\n-a\n+b")
    assert (request.made, request.comment_kind) == (MADE, "review_comment")


def test_a_label_is_of_the_last_change_and_an_occasion_of_its_own():
    first = thread("labeled", "pull_request", author="mallory", label={"name": "ay"}, title="T") | {
        "pull_request": PULL
    }
    request = read("pull_request", first)
    assert (request.made, request.head, request.label, request.comment) == (MADE, "a" * 40, "ay", None)
    assert request.occasion == "label ay 2026-08-17T12:00:00+00:00"
    again = read("pull_request", first | {"pull_request": PULL | {"updated_at": "2026-08-17T13:00:00Z"}})
    assert again.key != request.key
    assert read("pull_request", json.loads(json.dumps(first))).key == request.key


def test_an_assignment_is_an_occasion_of_its_own():
    payload = thread("assigned", assignee=user("ay-bot"))
    payload["issue"] |= {"updated_at": MOMENT, "created_at": EARLIER}
    assert read("issues", payload).occasion == "assignee ay-bot 2026-08-17T12:00:00+00:00"


def test_who_opens_an_issue_asks_with_its_body():
    payload = thread(body="It fails.\n\n@ay fix it", title="Broken")
    payload["issue"] |= {"created_at": MOMENT, "updated_at": "2026-08-17T12:00:09Z"}
    request = read("issues", payload)
    assert (request.made, request.words, request.instruction) == (MADE, "It fails.\n\n@ay fix it", "it")
    assert (request.comment, request.comment_kind) == (None, None)


def test_at_06_text_is_that_of_the_payload():
    payload = issue_comment("@ay fix typo", title="Typo")
    payload["issue"]["body"] = "fix typo"
    payload["comment"]["created_at"] = MOMENT
    request = read("issue_comment", payload)
    assert (request.title, request.body) == ("Typo", "fix typo")


@pytest.mark.parametrize(
    ("name", "payload", "dispatch"),
    [
        ("schedule", {"schedule": "0 3 * * *"}, ("", "maintain", "0 3 * * *", None, "")),
        (
            "workflow_dispatch",
            {"inputs": {"verb": "fix", "number": "3"}, "repository": REPOSITORY, "sender": user()},
            ("octo/spoon", "fix", "", 3, "alice"),
        ),
        (
            "repository_dispatch",
            {"action": "ay", "client_payload": {"instruction": "x"}, "repository": REPOSITORY, "sender": user()},
            ("octo/spoon", None, "x", None, "alice"),
        ),
    ],
)
def test_what_has_no_thread_is_a_dispatch(name, payload, dispatch):
    found = read(name, payload)
    assert isinstance(found, Dispatch)
    assert (found.repository, found.verb, found.instruction, found.number, found.requester) == dispatch


def test_a_dispatch_can_name_a_thread():
    dispatch = Dispatch(
        repository="o/r", event="workflow_dispatch", verb="fix", instruction="", number=3, requester="al"
    )
    issue = Issue(number=3, kind="issue", title="T", body="B", author=Person(login="bob"), is_open=True, updated=MADE)
    request = dispatch.on_thread(issue, MADE, "run 5")
    assert (request.number, request.author, request.title, request.requester) == (3, "bob", "T", "al")
    assert request.key != dispatch.on_thread(issue, MADE, "run 6").key


@pytest.mark.parametrize("missing", ["created_at", "comment", "issue"])
def test_a_payload_that_lacks_what_counts_is_refused_with_a_hint(missing):
    payload = issue_comment()
    payload["comment"]["created_at"] = MOMENT
    decision = decide("issue_comment", payload, Rules(), ask)
    (payload["comment"] if missing == "created_at" else payload).pop(missing)
    with pytest.raises(UsageError, match="lacks") as refused:
        read_request(decision, payload)
    assert refused.value.hint


@pytest.mark.parametrize("broken", ["x", 5, [], {"created_at": "yesterday"}, {"body": 7}, {"body": {}}])
def test_at_55_a_payload_of_another_shape_is_refused(broken):
    decision = Decision(Outcome.RUN, "mention", "fix", event="issue_comment", number=7, thread="issue")
    with pytest.raises(UsageError):
        read_request(decision, issue_comment() | {"comment": broken})


def test_half_a_character_is_no_character():
    payload = issue_comment("@ay fix this \ud800", title="\udfff")
    payload["comment"]["created_at"] = MOMENT
    request = read("issue_comment", payload)
    assert (request.instruction, request.title) == ("this ?", "?")
    request.model_dump_json()


@settings(deadline=None)
@given(
    st.sampled_from(["issue_comment", "pull_request_review", "pull_request_review_comment", "issues", "pull_request"]),
    st.recursive(
        st.none() | st.text() | st.integers() | st.booleans(),
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["issue", "comment", "pull_request", "review", "user", "title", "body", "created_at", "head"]
            ),
            inner,
            max_size=4,
        ),
    ),
)
def test_at_55_no_payload_breaks_it(event, payload):
    decision = Decision(Outcome.RUN, "mention", "fix", event=event, number=7, thread="issue", action="created")
    with suppress(UsageError):
        assert read_request(decision, payload).verb == "fix"


@pytest.mark.registry
@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
def test_every_example_of_github_that_may_run_is_a_request(tmp_path):
    subprocess.run(
        ["npm", "pack", "--silent", "@octokit/webhooks-examples@7.6.1"], cwd=tmp_path, check=True, timeout=90
    )
    [packed] = tmp_path.glob("*.tgz")
    with tarfile.open(packed) as archive:
        indexes = [json.load(archive.extractfile(name)) for name in archive.getnames() if name.endswith("index.json")]
    kinds = [kind for index in indexes for kind in index]
    for kind in kinds:
        for example in kind["examples"] if kind["name"] in EVENTS else ():
            assert parse_payload(example)
    read_ones = [_read_example(kind["name"], example) for kind in kinds for example in kind["examples"]]
    requests = [found for found in read_ones if isinstance(found, Request)]
    assert len(requests) > 45
    assert {request.event for request in requests} == {
        "issue_comment", "issues", "pull_request", "pull_request_review", "pull_request_review_comment",
    }  # fmt: skip
    for request in requests:
        needs_head = request.event.startswith("pull_request")
        assert bool(request.head and request.head_repository and request.base) == needs_head, request
        assert request.key


def _read_example(name, example):
    """Read an example as if the gate had let it through; none of them mentions the bot."""
    words = example.get("comment") or example.get("review") or {}
    words["body"] = "@ay fix this"
    example = {**example, "label": {"name": "ay"}, "assignee": user("ay")}
    if name == "issues" and isinstance(example.get("issue"), dict):
        example["issue"] |= {"body": "@ay fix this"}
    sender = (example.get("sender") or {}).get("login", "ghost")
    rules = Rules(logins=())
    for part in (words, example.get("issue") or {}, example.get("pull_request") or {}):
        part.update({"user": user(sender)} if "user" in part or part is words else {})
    decision = decide(name, example, rules, ask)
    return read_request(decision, example) if decision.decision is Outcome.RUN else None
