from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import AnswerLost, GithubFailed, NotAllowed
from ay_bot.host.github.api import GithubForge, open_forge
from ay_bot.host.github.credentials import Token
from ay_bot.host.github.exactly_once import (
    WAITS,
    Marker,
    comment_once,
    find_comment,
    find_or_create,
    issue_once,
    read_markers,
    repeat_lost,
)
from tests.host.github.publishing import BOT, QUICK, start
from tests.host.github.threads import make_comment
from tests.loopback_github.server import LoopbackGitHub

MARKER = Marker(kind="patch", key="0123456789ab")
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789.:/_-", min_size=1, max_size=20)


class Shelf:
    """Where things are made; `how` says what happens at each try, and `late` how many looks miss what is there."""

    def __init__(self, *how: str, late: int = 0) -> None:
        self.how = list(how)
        self.late = late
        self.things: list[str] = []
        self.paused: list[float] = []

    def find(self) -> str | None:
        if self.things and self.late:
            self.late -= 1
            return None
        return self.things[-1] if self.things else None

    def create(self) -> str:
        how = self.how.pop(0) if self.how else "made"
        if how in ("made", "lost after", "there"):
            self.things.append("thing") if how != "there" else self.things or self.things.append("theirs")
        if how.startswith("lost"):
            raise AnswerLost(how)
        if how == "there":
            raise GithubFailed("already exists")
        if how == "denied":
            raise NotAllowed("no")
        return self.things[-1]

    def once(self) -> tuple[str, bool]:
        return find_or_create(self.find, self.create, pause=self.paused.append)


@pytest.mark.parametrize("how", [(), ("lost after",), ("lost before",), ("lost before", "lost after")])
def test_one_is_made_whatever_gets_lost(how: tuple[str, ...]) -> None:
    shelf = Shelf(*how)
    assert shelf.once() == ("thing", True)
    assert shelf.once() == ("thing", False)
    assert shelf.things == ["thing"]


@pytest.mark.parametrize("late", range(len(WAITS) + 1))
def test_a_list_that_lags_is_waited_for(late: int) -> None:
    shelf = Shelf("lost after", late=late)
    assert shelf.once() == ("thing", True)
    assert shelf.things == ["thing"]
    assert shelf.paused == list(WAITS[:late])


def test_already_there_is_found() -> None:
    shelf = Shelf("there", late=1)
    assert shelf.once() == ("theirs", False)


def test_what_is_refused_is_not_tried_again() -> None:
    shelf = Shelf("denied")
    with pytest.raises(NotAllowed):
        shelf.once()
    assert shelf.paused == []


def test_what_is_refused_and_not_there_is_an_error() -> None:
    shelf = Shelf()
    with pytest.raises(GithubFailed, match="bad"):
        find_or_create(lambda: None, lambda: (_ for _ in ()).throw(GithubFailed("bad")), pause=shelf.paused.append)


def test_what_is_always_lost_ends() -> None:
    shelf = Shelf(*["lost before"] * 20)
    with pytest.raises(AnswerLost):
        shelf.once()
    assert (len(shelf.how), shelf.things) == (17, [])


def test_a_harmless_write_is_repeated() -> None:
    shelf = Shelf("lost before", "lost before")
    repeat_lost(lambda: shelf.create() and None, pause=shelf.paused.append)
    assert shelf.things == ["thing"]
    deaf = Shelf(*["lost before"] * 9)
    with pytest.raises(AnswerLost):
        repeat_lost(lambda: deaf.create() and None, pause=deaf.paused.append)
    assert len(deaf.how) == 6


@given(WORDS, WORDS, st.dictionaries(st.sampled_from(["run", "state", "content"]), WORDS))
def test_markers_are_read_as_they_were_written(kind: str, key: str, facts: dict[str, str]) -> None:
    marker = Marker(kind=kind, key=key, facts=facts)
    assert read_markers(f"words {marker.text} words") == (marker,)
    assert marker.begins(f"{marker.text}\nwords")


@pytest.mark.parametrize(
    "body",
    [
        "words\n" + MARKER.text,
        " " + MARKER.text,
        MARKER.text + " words",
        f"> {MARKER.text}",
        MARKER.text.replace("patch", "proof"),
    ],
)
def test_a_marker_that_stands_elsewhere_does_not_count(body: str) -> None:
    assert find_comment([make_comment(body, author=BOT)], MARKER, BOT) is None


def test_somebody_elses_marker_does_not_count() -> None:
    theirs, mine = make_comment(MARKER.text, author="mallory"), make_comment(MARKER.text, author="GitHub-Actions[bot]")
    assert find_comment([theirs], MARKER, BOT) is None
    assert find_comment([theirs, mine], MARKER, BOT) is mine


# ------------------------------------------------------------------------------------------- on GitHub


@pytest.fixture
def forge(loopback_github: LoopbackGitHub) -> Iterator[GithubForge]:
    start(loopback_github)
    token = Token.of(loopback_github.add_actions_token())
    place = {"api_url": loopback_github.api_url, "graphql_url": loopback_github.graphql_url}
    with open_forge("maria/bank", token, pace=QUICK, **place) as made:
        yield made


@pytest.mark.parametrize("how", [None, "drop-after", "drop-before"])
def test_one_comment(forge: GithubForge, loopback_github: LoopbackGitHub, how) -> None:
    loopback_github.comment(1, MARKER.text + "\nI forged it", login="mallory")
    if how:
        loopback_github.lag("comment", 2 if how == "drop-after" else 0)
        loopback_github.fail("POST", "/comments$", how)
    first, made = comment_once(forge, 1, MARKER, "Hello", pause=lambda _: None)
    loopback_github.lag("comment", 0)
    second, again = comment_once(forge, 1, MARKER, "Hello", pause=lambda _: None)
    assert (made, again, first.id) == (True, False, second.id)
    assert [comment.login for comment in loopback_github.comments(1)] == ["mallory", BOT]


@pytest.mark.parametrize("how", [None, "drop-after"])
def test_one_issue(forge: GithubForge, loopback_github: LoopbackGitHub, how) -> None:
    if how:
        loopback_github.fail("POST", "/issues$", how)
    first, _ = issue_once(forge, MARKER, "A title", "Words", pause=lambda _: None)
    second, again = issue_once(forge, MARKER, "A title", "Words", pause=lambda _: None)
    assert (first.number, again) == (second.number, False)
    assert len(loopback_github.threads("issue")) == 2
