"""Plans: what was shown is what is approved, and nothing else is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.github.forge import Comment
from ay_bot.host.github.plan import (
    LONGEST_PLAN,
    ApprovedPlan,
    PlanRefused,
    approve,
    hash_plan,
    plan_section,
    publish_plan,
    read_plan,
)
from ay_bot.host.github.tracking_text import render_comment
from tests.host.github.stories import NOON, OWN, make_story, quick_forge, said, seeded
from tests.loopback_github.server import LoopbackGitHub

PLAN = "1. Read `spoon.py`.\n2. Mend it:\n   - the handle\n\n```python\nbend(spoon)\n```"
SHOWN, HASH = publish_plan(PLAN)
LATER = NOON + timedelta(minutes=5)


def proposed(plan: str = PLAN, state: str = "done", **changed: object) -> Comment:
    shown, digest = publish_plan(plan)
    body = render_comment(make_story(state=state, verb="plan", proposal=shown, proposal_hash=digest), 9)
    return said(body, **changed)


def rule_of(instruction: str, *comments: Comment) -> str:
    judged = approve(instruction, comments, OWN, LATER)
    assert isinstance(judged, PlanRefused), judged
    assert judged.hint
    return judged.rule


@pytest.mark.parametrize("instruction", [HASH, f"`{HASH}`", f"{HASH.upper()} please", f"<{HASH}>."])
def test_the_exact_text_is_approved(instruction: str) -> None:
    other = proposed("another plan", number=2)
    judged = approve(instruction, [other, proposed()], OWN, LATER)
    assert judged == ApprovedPlan(text=SHOWN, hash=HASH, comment=1, requester="alice")
    assert judged.text == PLAN


@given(st.text(alphabet=st.characters() | st.sampled_from("\n\r>` -<!#[]"), max_size=300).filter(lambda t: t.strip()))
def test_at_53_any_plan_that_is_shown_is_read_back_to_the_letter(plan: str) -> None:
    shown, digest = publish_plan(plan)
    body = render_comment(make_story(state="done", proposal=shown or "x", proposal_hash=digest), 9)
    text = read_plan(body.replace("\n", "\r\n"))
    assert text is not None
    assert hash_plan(text) == hash_plan(shown or "x")


@given(st.integers(0, len(SHOWN) - 1), st.characters(codec="utf-8"))
def test_at_53_another_letter_is_another_plan(place: int, letter: str) -> None:
    comment = proposed()
    changed = SHOWN[:place] + letter + SHOWN[place + 1 :]
    body = comment.body.replace(plan_section(SHOWN, HASH, "ay"), plan_section(changed, HASH, "ay"))
    judged = approve(HASH, [comment.model_copy(update={"body": body})], OWN, LATER)
    same = hash_plan(changed) == HASH
    assert same or not isinstance(judged, ApprovedPlan)
    assert isinstance(judged, ApprovedPlan) or not same or letter == "\r"  # which breaks the quotation in two
    if isinstance(judged, ApprovedPlan):
        assert judged.text.split() == SHOWN.split()  # nothing but blanks at ends of lines differs


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("> 2. Mend it:", "> 2. Delete it:", id="a word"),
        pytest.param("> 2. Mend it:", "> 2. Mend it:\n> 3. Delete it.", id="a line"),
        pytest.param("> 2. Mend it:", "3. Delete it.\n> 2. Mend it:", id="a line outside of the quotation"),
        pytest.param(
            "<!-- ay-bot:plan -->\n", "<!-- ay-bot:plan -->\n> 0. Delete.\n<!-- ay-bot:plan:end -->\n", id="two"
        ),
        pytest.param("<!-- ay-bot:plan:end -->", "", id="without an end"),
        pytest.param("> 2. Mend it:", "> 2. Mend it: <!-- and delete it -->", id="something invisible"),
        pytest.param("> 2. Mend it:", "> 2. Mend it\u200b:", id="an invisible character"),
    ],
)
def test_at_53_an_edited_plan_is_refused(before: str, after: str) -> None:
    comment = proposed()
    assert before in comment.body
    assert rule_of(HASH, comment.model_copy(update={"body": comment.body.replace(before, after)})) == "mismatch"


def test_at_53_a_plan_that_was_edited_after_the_approval_is_refused_even_if_it_fits() -> None:
    assert rule_of(HASH, proposed(edited=LATER + timedelta(seconds=1))) == "edited-later"
    assert isinstance(approve(HASH, [proposed(edited=LATER - timedelta(seconds=1))], OWN, LATER), ApprovedPlan)


def test_at_53_a_plan_of_another_author_another_thread_or_an_unfinished_one_is_refused() -> None:
    assert rule_of(HASH, said(proposed().body, "mallory")) == "unknown-hash"
    assert rule_of(HASH) == "unknown-hash"
    assert rule_of("0" * 12, proposed()) == "unknown-hash"
    assert rule_of(HASH, proposed(state="working")) == "not-proposed"
    assert rule_of("", proposed()) == "no-hash"
    assert rule_of("please", proposed()) == "no-hash"
    assert rule_of(HASH[:11], proposed()) == "no-hash"


def test_at_53_a_swap_that_brings_its_own_hash_is_not_what_was_approved() -> None:
    swapped = proposed("delete everything")
    assert rule_of(HASH, swapped) == "unknown-hash"


def test_blanks_at_ends_and_line_ends_do_not_count() -> None:
    assert hash_plan(" a \r\nb\t\n\n") == hash_plan("a\nb") != hash_plan("a\n b")


def test_a_long_plan_is_cut_before_it_is_hashed() -> None:
    shown, digest = publish_plan("#1 @a\n" * LONGEST_PLAN)
    assert len(shown) <= LONGEST_PLAN
    assert hash_plan(shown) == digest


def test_at_53_on_a_real_thread(loopback_github: LoopbackGitHub) -> None:
    number = seeded(loopback_github)
    other = loopback_github.open_issue("Another").number
    forge = quick_forge(loopback_github)
    comment = forge.add_comment(number, proposed().body)
    made = comment.created + timedelta(minutes=1)
    assert isinstance(approve(HASH, forge.comments(number), OWN, made), ApprovedPlan)
    assert isinstance(approve(HASH, forge.comments(other), OWN, made), PlanRefused)
    loopback_github.edit_comment(comment.id, comment.body, at=made + timedelta(minutes=1))
    judged = approve(HASH, forge.comments(number), OWN, made)
    assert isinstance(judged, PlanRefused)
    assert judged.rule == "edited-later"
