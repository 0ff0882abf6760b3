"""Which words of a thread count: those that stood there, just so, before the request."""

from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.github.exactly_once import Marker
from ay_bot.host.github.passages import comment_passages, opening_passages, request_passage
from ay_bot.host.github.plan import plan_section
from ay_bot.host.sanitize_blocks import Trust
from tests.host.github.threads import ASKED, SECOND, make_comment, make_request

OWN = "ay-bot[bot]"


def said(*comments, **request):
    passages, left_out = comment_passages(make_request(**request), comments, OWN)
    return [passage.text for passage in passages], left_out


@pytest.mark.parametrize(
    ("created", "edited", "counts"),
    [
        (ASKED - SECOND, None, True),
        (ASKED, None, False),
        (ASKED + SECOND, None, False),
        (ASKED - 2 * SECOND, ASKED - SECOND, True),
        (ASKED - SECOND, ASKED, False),
        (ASKED - SECOND, ASKED + timedelta(milliseconds=1), False),
        (ASKED - timedelta(milliseconds=1), None, True),
    ],
)
def test_at_06_a_comment_counts_only_if_it_was_there_before(created, edited, counts):
    assert said(make_comment("x", when=created, edited=edited)) == ((["x"], 0) if counts else ([], 1))


@given(
    st.lists(
        st.tuples(
            st.datetimes(
                timezones=st.just(UTC),
                min_value=ASKED.replace(tzinfo=None) - 3 * SECOND,
                max_value=ASKED.replace(tzinfo=None) + 3 * SECOND,
            ),
            st.none() | st.integers(-3000, 3000),
            st.sampled_from(["mallory", "alice", OWN]),
            st.sampled_from(["comment", "review", "review_comment"]),
        ),
        max_size=8,
    )
)
def test_at_06_no_comment_of_or_after_the_moment_is_ever_used(given_ones):
    comments = [
        make_comment(
            str(index), author, when, kind=kind, edited=None if late is None else when + timedelta(milliseconds=late)
        )
        for index, (when, late, author, kind) in enumerate(given_ones)
    ]
    passages, left_out = comment_passages(make_request(), comments, OWN)
    for passage in passages:
        comment = comments[int(passage.text)]
        assert comment.created < ASKED
        assert comment.edited is None or comment.edited < ASKED
    assert len(passages) + left_out == len(comments)


def test_what_asks_is_not_context_and_not_counted():
    assert said(make_comment("@ay fix this", when=ASKED, id=99)) == ([], 0)
    assert said(make_comment("other kind", when=ASKED, id=99, kind="review")) == ([], 1)
    assert said(make_comment(" \n", when=ASKED)) == ([], 0)


def test_the_requesters_remarks_belong_to_the_review_that_asks():
    mine = make_comment("here", "alice", ASKED - SECOND, edited=ASKED, kind="review_comment")
    late = make_comment("later", "alice", ASKED - SECOND, edited=ASKED + SECOND, kind="review_comment")
    others = make_comment("foreign", "mallory", ASKED, kind="review_comment")
    assert said(mine, late, others, event="pull_request_review") == (["here"], 2)
    assert said(mine, event="issue_comment") == ([], 1)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (f"{Marker(kind='tracking', key='a').text}\nworking", None),
        (f"{Marker(kind='tracking', key='a').text}\n{plan_section('1. do it', 'abc', 'ay')}", "1. do it"),
        (f"{Marker(kind='proof', key='a').text}\n| test |", None),
        (f"{Marker(kind='answer', key='a').text}\nIt is in `a.py`.", "It is in `a.py`."),
        ("<!-- ay-bot: not one that is known", None),
        ("no mark at all", "no mark at all"),
    ],
)
def test_of_our_own_only_what_says_something_is_told_and_as_output_of_a_tool(body, kept):
    passages, left_out = comment_passages(make_request(), [make_comment(body, OWN)], OWN)
    assert [passage.trust for passage in passages] == ([Trust.TOOL_OUTPUT] if kept else [])
    assert left_out == 0
    for passage in passages:
        assert passage.text.removeprefix("A plan that was proposed:\n\n") == kept


def test_a_mark_of_ours_in_the_words_of_others_hides_nothing():
    assert said(make_comment("<!-- ay-bot:tracking -->x")) == (["<!-- ay-bot:tracking -->x"], 0)


def test_passages_are_in_order_and_say_where_they_are():
    comments = [
        make_comment("b", when=ASKED - SECOND, id=2, kind="review_comment", path="src/a.py", line=4, hunk="@@"),
        make_comment(
            "a", when=ASKED - 2 * SECOND, id=3, kind="review", state="CHANGES_REQUESTED", association="MEMBER"
        ),
    ]
    passages, _ = comment_passages(make_request(), comments, OWN)
    assert [(passage.where, passage.trust, passage.hunk) for passage in passages] == [
        ("review 3 (changes requested)", Trust.MAINTAINER, ""),
        ("remark 2 on src/a.py:4", Trust.AUTHOR, "@@"),
    ]


def test_title_and_body_are_the_authors():
    title, body = opening_passages(make_request(author_association="strange"))
    assert (title.text, title.trust, title.author, title.where) == (
        "Broken",
        Trust.AUTHOR,
        "mallory",
        "title of issue #7",
    )
    assert body.where == "body of issue #7"
    assert body.opens
    assert [passage.trust for passage in opening_passages(make_request(author_association="OWNER"))] == [
        Trust.MAINTAINER
    ] * 2
    assert list(opening_passages(make_request(title=" ", body=""))) == []


def test_a_body_that_asks_is_told_once():
    request = make_request(event="issues", words="It is broken.", comment=None, comment_kind=None, author="alice")
    assert [passage.where for passage in opening_passages(request)] == ["title of issue #7"]


@pytest.mark.parametrize(
    ("words", "instruction", "asked"),
    [
        ("It fails.\n@ay fix this", "this", "It fails.\n@ay fix this"),
        ("", "", ""),
        ("the body", "from the title", "from the title\n\nthe body"),
        ("", "tidy up", "tidy up"),
    ],
)
def test_what_is_asked_is_the_whole_of_it(words, instruction, asked):
    passage = request_passage(make_request(words=words, instruction=instruction))
    assert (passage.text, passage.trust, passage.author) == (asked, Trust.REQUESTER, "alice")
