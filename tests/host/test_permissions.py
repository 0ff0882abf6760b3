"""Who may ask: every role, every hand, and at most one question for each login."""

import pytest

from ay_bot.host.events import Account, Event
from ay_bot.host.permissions import ANYBODY, HARMLESS_OUTPUTS, ROLES, Admission, Refusal, Standing, judge, suffices

OPEN = Admission(ANYBODY, outputs=HARMLESS_OUTPUTS)
ALICE, BOB, APP = Account("alice"), Account("bob"), Account("app[bot]", bot=True)


def said(actor=ALICE, author=ALICE, *, words=True):
    return Event("issue_comment", "created", actor=actor, author=author, texts=("@ay fix",) if words else ())


def answers(**roles):
    asked = []

    def ask(login):
        asked.append(login)
        role = roles.get(login.removesuffix("[bot]"), "write")
        permission = {"triage": "read", "maintain": "write"}.get(role, role)
        return role and Standing(permission, role, installed=role != "none")

    return ask, asked


def refusal(event, admission=None, trigger=None, **roles):
    return judge(event, trigger, admission or Admission(), answers(**roles)[0]).refusal


@pytest.mark.parametrize("minimum", ROLES[1:])
@pytest.mark.parametrize("role", ROLES)
def test_a_role_suffices_if_it_is_at_least_the_minimum(role, minimum):
    permission = {"triage": "read", "maintain": "write"}.get(role, role)
    assert suffices(Standing(permission, role), minimum) == (ROLES.index(role) >= ROLES.index(minimum))


@pytest.mark.parametrize(
    ("permission", "role", "minimum", "enough"),
    [
        ("write", "security-team", "write", True),
        ("admin", "owners-of-all", "admin", True),
        ("read", "security-team", "write", False),
        ("write", "security-team", "maintain", False),
        ("write", "triage", "write", False),
        ("write", "read", "write", False),
        ("read", "admin", "write", False),
        ("", "", "read", False),
        ("owner", "owner", "read", False),
    ],
)
def test_permission_and_role_must_both_reach_it(permission, role, minimum, enough):
    assert suffices(Standing(permission, role), minimum) is enough


def test_at_01_an_outsider_may_not_ask():
    assert refusal(said(), alice="read") is Refusal.PERMISSION_TOO_LOW
    assert refusal(said(), alice="none") is Refusal.PERMISSION_TOO_LOW
    assert refusal(said()) is None


def test_at_02_anybody_and_outputs_that_write_exclude_each_other():
    assert list(OPEN.problems()) == []
    assert [text for text in Admission(ANYBODY).problems() if "create_pull_request" in text]
    assert list(Admission(ANYBODY, outputs=HARMLESS_OUTPUTS | {"issue"}).problems())
    assert refusal(said(), OPEN, alice="none") is None


def test_at_02_anybody_is_admitted_without_a_question():
    assert judge(said(), BOB, OPEN, answers()[0]).asked == ()


def test_at_03_a_bot_needs_to_be_listed_and_installed():
    listed = Admission(bots=("App",))
    assert refusal(said(APP, APP)) is Refusal.BOT_NOT_LISTED
    assert refusal(said(APP, APP), OPEN) is Refusal.BOT_NOT_LISTED
    assert refusal(said(APP, APP), listed, app="none") is Refusal.BOT_NOT_INSTALLED
    assert refusal(said(APP, APP), listed, app="read") is None


def test_at_03_a_person_with_the_name_of_a_listed_bot_is_a_person():
    assert (
        refusal(said(Account("app"), Account("app")), Admission(bots=("app",)), app="read")
        is Refusal.PERMISSION_TOO_LOW
    )


def test_at_04_who_acts_on_the_words_of_another_is_refused():
    assert refusal(said(ALICE, BOB)) is Refusal.CONFUSED_DEPUTY
    assert refusal(said(APP, BOB), Admission(bots=("app",))) is Refusal.CONFUSED_DEPUTY
    assert refusal(said(APP, BOB, words=False), Admission(bots=("app",))) is Refusal.CONFUSED_DEPUTY
    assert refusal(said(ALICE, Account("ALICE"))) is None


def test_a_maintainer_may_label_what_an_outsider_wrote():
    assert refusal(said(ALICE, BOB, words=False), bob="none") is None


def test_at_05_who_starts_it_again_is_judged_too():
    verdict = judge(said(), BOB, Admission(), answers(bob="read")[0])
    assert (verdict.refusal, verdict.party and verdict.party.hand) == (Refusal.PERMISSION_TOO_LOW, "triggering-actor")
    assert refusal(said(), trigger=BOB) is None
    assert refusal(said(), trigger=APP) is Refusal.BOT_NOT_LISTED


def test_what_github_cannot_say_is_not_granted():
    assert refusal(said(), alice=None) is Refusal.PERMISSION_UNKNOWN


def test_deleted_accounts_may_not_ask():
    ghost = Account("ghost", known=False)
    assert refusal(said(ghost, ghost)) is Refusal.ACTOR_UNKNOWN


def test_github_is_asked_once_for_each_login_and_not_at_all_about_what_the_payload_says():
    ask, asked = answers()
    judge(said(), Account("Alice"), Admission(), ask)
    assert asked == ["alice"]
    judge(said(), BOB, Admission(), ask)
    assert asked == ["alice", "alice", "bob"]
    ask, asked = answers()
    judge(said(ALICE, BOB), None, Admission(), ask)
    judge(said(APP, APP), None, Admission(), ask)
    assert asked == []


@pytest.mark.parametrize(
    "admission",
    [Admission("owner"), Admission(""), Admission("none"), Admission(outputs=frozenset({"x"})), Admission(bots=("*",))],
)
def test_settings_that_make_no_sense_are_told(admission):
    assert list(admission.problems())
