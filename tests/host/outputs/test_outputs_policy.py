"""A repository's settings as rules for outputs."""

from typing import get_args

from ay_bot.host.config import Settings
from ay_bot.host.outputs.policy import MOST, build_policy, offered
from ay_bot.host.permissions import HARMLESS_OUTPUTS, WRITE_OUTPUTS
from ay_bot.protocol.outputs import OutputType


def test_every_type_is_either_harmless_or_writes_and_has_a_limit():
    assert set(get_args(OutputType)) == HARMLESS_OUTPUTS | WRITE_OUTPUTS == set(MOST)
    assert not HARMLESS_OUTPUTS & WRITE_OUTPUTS


def test_the_settings_are_the_rules():
    settings = Settings(outputs=("comment", "issue"), output_limits={"issue": 9}, domains=("a.example",))
    policy = build_policy(settings, may_write=True)
    assert policy.allowed == {"comment", "issue"}
    assert (policy.most["issue"], policy.most["comment"]) == (9, MOST["comment"])
    assert policy.domains == ("a.example",)
    assert offered(policy) == ("comment", "issue")


def test_at_02_anybody_is_offered_nothing_that_writes():
    anybody = Settings().model_copy(update={"who": "*"})
    for policy in (build_policy(anybody, may_write=True), build_policy(Settings(), may_write=False)):
        assert set(offered(policy)) == HARMLESS_OUTPUTS


def test_a_limit_of_none_is_not_offered():
    assert "ask" not in offered(build_policy(Settings(output_limits={"ask": 0}), may_write=True))
