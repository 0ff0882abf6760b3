"""A repository's settings as rules for outputs."""

from typing import get_args

from batches import ISSUE, POLICY, PULL

from ay_bot.host.config import Settings
from ay_bot.host.outputs.policy import build_policy, offered
from ay_bot.host.permissions import HARMLESS_OUTPUTS, WRITE_OUTPUTS
from ay_bot.protocol.outputs import MOST_OF_EACH, OutputType


def test_every_type_is_either_harmless_or_writes_and_has_a_limit():
    assert set(get_args(OutputType)) == HARMLESS_OUTPUTS | WRITE_OUTPUTS == set(MOST_OF_EACH)
    assert not HARMLESS_OUTPUTS & WRITE_OUTPUTS


def test_the_settings_are_the_rules():
    settings = Settings(outputs=("comment", "issue"), output_limits={"issue": 9}, domains=("a.example",))
    policy = build_policy(settings, may_write=True)
    assert policy.allowed == {"comment", "issue"}
    assert (policy.most["issue"], policy.most["comment"]) == (9, MOST_OF_EACH["comment"])
    assert policy.domains == ("a.example",)
    assert offered(policy, ISSUE) == ("comment", "issue")


def test_at_02_anybody_is_offered_nothing_that_writes():
    anybody = Settings().model_copy(update={"who": "*"})
    for policy in (build_policy(anybody, may_write=True), build_policy(Settings(), may_write=False)):
        assert set(offered(policy, PULL)) == HARMLESS_OUTPUTS


def test_a_limit_of_none_is_not_offered():
    assert "ask" not in offered(build_policy(Settings(output_limits={"ask": 0}), may_write=True), PULL)


def test_only_what_makes_sense_is_offered():
    nothing_of_ours = ISSUE.model_copy(update={"own_pull_requests": frozenset()})
    assert offered(POLICY, nothing_of_ours, "answer") == ("comment", "labels", "issue", "noop", "blocked", "ask")
    assert set(offered(POLICY, nothing_of_ours)) - set(offered(POLICY, nothing_of_ours, "answer")) == {
        "create_pull_request"
    }
    assert set(offered(POLICY, PULL)) == set(get_args(OutputType))
