"""Labels of trust: from what GitHub says of an account, never from what a commit says."""

import inspect

import pytest

from ay_bot.host.github.forge import Commit, Person
from ay_bot.host.github.trust import label_person
from ay_bot.host.permissions import Standing
from ay_bot.host.sanitize_blocks import Trust


def label(login, association="NONE", *, bot=False, standing=None, own="ay-bot[bot]"):
    person = Person(login=login, association=association, bot=bot)
    return label_person(person, requester="alice", author="mallory", own=own, standing=standing)


@pytest.mark.parametrize(
    ("login", "association", "trust"),
    [
        ("alice", "NONE", Trust.REQUESTER),
        ("ALICE", "MEMBER", Trust.REQUESTER),
        ("bob", "OWNER", Trust.MAINTAINER),
        ("bob", "MEMBER", Trust.MAINTAINER),
        ("bob", "COLLABORATOR", Trust.MAINTAINER),
        ("bob", "CONTRIBUTOR", Trust.OUTSIDER),
        ("bob", "FIRST_TIME_CONTRIBUTOR", Trust.OUTSIDER),
        ("bob", "NONE", Trust.OUTSIDER),
        ("mallory", "CONTRIBUTOR", Trust.AUTHOR),
        ("mallory", "OWNER", Trust.MAINTAINER),
        ("alice", "MANNEQUIN", Trust.OUTSIDER),
        ("ghost", "OWNER", Trust.OUTSIDER),
        ("ay-bot[bot]", "NONE", Trust.TOOL_OUTPUT),
    ],
)
def test_a_label_comes_from_the_account(login, association, trust):
    assert label(login, association) is trust


def test_other_bots_are_outsiders_whatever_they_belong_to():
    assert label("dependabot[bot]", "MEMBER", bot=True) is Trust.OUTSIDER
    assert label("dependabot[bot]", bot=True, standing=Standing("write", "write")) is Trust.OUTSIDER


def test_a_standing_that_is_known_overrules_an_association():
    assert label("bob", "COLLABORATOR", standing=Standing("read", "read")) is Trust.OUTSIDER
    assert label("bob", "NONE", standing=Standing("admin", "admin")) is Trust.MAINTAINER


def test_without_a_name_of_our_own_nobody_is_us():
    assert label("", own="") is Trust.OUTSIDER


def test_at_19_no_commit_can_say_who_somebody_is():
    """The author of a commit is whatever its author wrote; the label's function has no way to be told of it."""
    commit = Commit(sha="a" * 40, tree="b" * 40, message="by Maintainer", author="alice", committer="alice")
    accepted = inspect.signature(label_person).parameters.values()
    assert not any("ommit" in str(parameter.annotation) for parameter in accepted)
    assert label("mallory") is Trust.AUTHOR
    with pytest.raises(AttributeError):
        label_person(commit, requester="alice", author="mallory")
