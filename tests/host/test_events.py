"""Payloads: GitHub's own examples, what is missing, and anything at all."""

import json
import shutil
import subprocess
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.events import EVENTS, GHOST, Account, Event, Unheard, parse_event
from tests.host.payloads import issue_comment, review, thread, user

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
KEYS = [
    "action",
    "issue",
    "comment",
    "review",
    "pull_request",
    "sender",
    "repository",
    "label",
    "assignee",
    "inputs",
    "client_payload",
    "schedule",
]
near = st.fixed_dictionaries(
    {},
    optional={
        **{key: st.one_of(values, st.just(thread()["issue"]), st.just(user()), st.just({})) for key in KEYS},
        "action": st.one_of(st.sampled_from(["created", "opened", "labeled", "assigned", "submitted"]), values),
    },
)


def test_a_comment_on_an_issue():
    assert parse_event("issue_comment", issue_comment()) == Event(
        "issue_comment",
        "created",
        repository="octo/spoon",
        number=7,
        comment=99,
        actor=Account("alice"),
        author=Account("alice"),
        texts=("@ay fix this",),
    )


def test_a_comment_on_a_pull_request_is_told_apart():
    event = parse_event("issue_comment", issue_comment(pull_request={"url": "x"}))
    assert isinstance(event, Event)
    assert event.on_pull_request


def test_a_review_without_words_has_an_empty_text():
    event = parse_event("pull_request_review", review(body=None))
    assert isinstance(event, Event)
    assert (event.texts, event.number, event.on_pull_request) == (("",), 8, True)


@pytest.mark.parametrize("kind", ["User", "Bot", "Organization"])
def test_a_bot_is_known_by_its_type_or_its_name(kind):
    event = parse_event("issue_comment", issue_comment() | {"sender": user("robot", kind)})
    assert isinstance(event, Event)
    assert event.actor == Account("robot", bot=kind == "Bot")
    event = parse_event("issue_comment", issue_comment() | {"sender": user("robot[bot]", kind)})
    assert isinstance(event, Event)
    assert event.actor == Account("robot[bot]", bot=True)


def test_a_deleted_author_is_nobody():
    event = parse_event("issue_comment", issue_comment() | {"comment": {"id": 1, "body": "@ay fix", "user": None}})
    assert isinstance(event, Event)
    assert event.author == GHOST


@pytest.mark.parametrize(
    "name", ["issue_comment", "pull_request_review_comment", "pull_request_review", "issues", "pull_request"]
)
def test_at_06_an_edited_text_is_never_heard(name):
    assert parse_event(name, issue_comment(action="edited")) is Unheard.EDITED


@pytest.mark.parametrize("name", ["push", "pull_request_review_thread", "workflow_run", "", "issues\n", "ISSUES"])
def test_other_events_are_not_for_us(name):
    assert parse_event(name, issue_comment()) is Unheard.EVENT_UNSUPPORTED


@pytest.mark.parametrize("missing", ["issue", "comment", "repository", "sender", "action"])
def test_at_55_a_payload_that_lacks_a_part_is_malformed(missing):
    payload = issue_comment()
    del payload[missing]
    assert parse_event("issue_comment", payload) is Unheard.MALFORMED


@pytest.mark.parametrize("number", [None, 0, -1, True, "7", 1.5, [7]])
def test_a_number_is_a_number(number):
    assert parse_event("issue_comment", issue_comment(number=number)) is Unheard.MALFORMED


@settings(deadline=None)
@given(st.sampled_from([*EVENTS, "push", ""]), st.one_of(values, near))
def test_at_55_no_json_breaks_it(name, payload):
    parsed = parse_event(name, payload)
    assert isinstance(parsed, Event | Unheard)
    if not isinstance(payload, dict):
        assert parsed in {Unheard.MALFORMED, Unheard.EVENT_UNSUPPORTED}


@pytest.mark.registry
@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
def test_every_example_of_github_parses_or_is_not_for_us(tmp_path):
    subprocess.run(
        ["npm", "pack", "--silent", "@octokit/webhooks-examples@7.6.1"], cwd=tmp_path, check=True, timeout=90
    )
    [packed] = tmp_path.glob("*.tgz")
    with tarfile.open(packed) as archive:
        indexes = [json.load(archive.extractfile(name)) for name in archive.getnames() if name.endswith("index.json")]
    payloads = [(kind["name"], example) for index in indexes for kind in index for example in kind["examples"]]
    assert len(payloads) > 329
    heard = 0
    for own_name, payload in payloads:
        for name in (*EVENTS, own_name):
            parsed = parse_event(name, payload)
            assert isinstance(parsed, Event | Unheard)
            if name == own_name and name in EVENTS:
                assert parsed is not Unheard.MALFORMED, (name, payload)
                heard += isinstance(parsed, Event)
    assert heard > 30
