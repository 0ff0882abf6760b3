"""Canaries and secrets in whatever a run would publish end it, and the reason says through what they came."""

import pytest
from encodings_of_secrets import ENCODINGS, TOKEN

from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.publisher import Proposal
from ay_bot.host.redact.canaries import plant
from ay_bot.host.redact.leaving import why_not, words_of
from ay_bot.host.redact.redactor import Redactor
from ay_bot.host.report import PullRequest
from ay_bot.protocol.outputs import CommentOutput
from tests.host.git_repositories import checkout_of, make_repository
from tests.host.github.publishing import check

CANARIES = plant()
CANARY = CANARIES.values[0]
REDACTOR = Redactor((TOKEN,), CANARIES.values)
FORMS = ("plain", "reversed", "a character a line", "hex", "base64, one before", "percent of some")


@pytest.fixture
def checkout(tmp_path):
    repository = make_repository(tmp_path / "r", {"a.py": "x = 1\n", "known.py": f"k = '{TOKEN}'\n"})
    with checkout_of(repository, tmp_path) as opened:
        yield opened


def proposal_of(checkout, files=None, message="fix: it", body="Mends it."):
    checked = check(checkout, {"a.py": "x = 2\n", **(files or {})})
    pull_request = PullRequest(title="Mend it", body=body)
    return Proposal(checkout, checked, CommitMessage(subject=message), "", pull_request)


def test_a_clean_proposal_may_leave(checkout):
    assert why_not(REDACTOR, words_of("Mended.", [CommentOutput(body="done")]), proposal_of(checkout)) == ""


@pytest.mark.parametrize("form", FORMS)
def test_at_28_a_canary_ends_the_run_and_its_channel_is_told(checkout, form):
    hidden = ENCODINGS[form](CANARY)
    name = f"{ENCODINGS['hex'](CANARY)}.txt"
    cases = {
        "the summary": (words_of(f"I did {hidden}", []), proposal_of(checkout)),
        "an output (comment)": (words_of("", [CommentOutput(body=hidden)]), None),
        "the commit message": ((), proposal_of(checkout, message=f"fix: {hidden}")),
        "the description of the pull request": ((), proposal_of(checkout, body=hidden)),
        "the name of a file": ((), proposal_of(checkout, {name: "1"})),
        "the changed file `b.py`": ((), proposal_of(checkout, {"b.py": f"k = {hidden!r}\n"})),
        "the changed file `b.bin`": ((), proposal_of(checkout, {"b.bin": b"\0\xff" + hidden.encode()})),
    }
    for channel, (words, proposal) in cases.items():
        reason = why_not(REDACTOR, words, proposal)
        assert reason.startswith(f"a canary was found in {channel}:")
        assert "what to do" in reason
        assert CANARY not in reason


def test_at_22_a_secret_of_the_run_is_told_as_one(checkout):
    reason = why_not(REDACTOR, (), proposal_of(checkout, {"b.py": TOKEN[::-1]}))
    assert "a secret of this run" in reason
    assert "`b.py`" in reason
    assert "replace the secret" in reason


def test_what_the_repository_held_before_is_no_leak(checkout):
    assert why_not(REDACTOR, (), proposal_of(checkout, {"known.py": f"k = '{TOKEN}'\nmore = 1\n"})) == ""
    assert why_not(REDACTOR, (), proposal_of(checkout, {"known.py": f"k = '{TOKEN}'\nc = '{CANARY}'\n"}))
