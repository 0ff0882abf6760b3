import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.outgoing_text import neutralise
from ay_bot.host.plain_text import clean_line, clean_text, fence, shorten

ACTIVE = re.compile(
    r"https?://|www\.\S|\]\(\w+:|@[\w-]|#\d|(?<![a-z0-9])GH-\d|!\[|<[A-Za-z/!?]|<!--|\[\s*(skip|no)[\s_-]+\w[\w\s-]{0,39}\]",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a plain text, even a [link](docs/a.md) and a\\.b", None),
        ("a [link](https://example.invalid)", "a [link] (hxxps://example[.]invalid)"),
        ("<https://a.example/?q=S> www.a.example", "< hxxps://a[.]example/?q=S> www[.]a.example"),
        (
            "[x](//a.example) [y](javascript:a) [z](&#104;ttps://b)",
            "[x] (//a.example) [y] (javascript:a) [z] (hxxps://b)",
        ),
        ("[x](https\\://a.example) &#64;bob closes &#35;9", "[x] (hxxps://a[.]example) @ bob closes no. 9"),
        ("`List[int]` and a < b, a <b>", "`List[int]` and a < b, a < b>"),
        ("![pixel](http://evil/x.png) after", "pixel after"),
        ("![a][b]\n[b]: http://evil/x.png", "a\n"),
        ('<img src="http://evil">', '< img src="hxxp://evil">'),
        ("a <!-- hidden --> b", "a  b"),
        ("a <!-- never closed", "a "),
        ("thanks @octocat and @org/team, mail a@b.example", "thanks @ octocat and @ org/team, mail a@ b.example"),
        ("fixes #12, closes o/r#3, GH-4", "fixes no. 12, closes o/r no. 3, no. 4"),
        ("closes https://github.example/o/r/issues/7", "closes github.example/o/r/issues/7"),
        ("x [skip ci] y", "x  y"),
        ("::error::boo\n##[command]", "error::boo\ncommand]"),
        ("a\u202eb\x1b[2Jc\x00", "abc"),
    ],
)
def test_neutralises(text: str, clean: str | None) -> None:
    assert neutralise(text) == (text if clean is None else clean)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                [
                    "![",
                    "a",
                    "](",
                    ")",
                    "<",
                    "!--",
                    "-->",
                    "@",
                    "#",
                    "1",
                    "[",
                    "skip",
                    " ",
                    "ci",
                    "]",
                    "GH-",
                    "\n",
                    "https",
                    "://",
                    "www.",
                    "&",
                    "#64;",
                ]
            ),
            max_size=16,
        ).map("".join),
    )
)
def test_nothing_active_is_left(text: str) -> None:
    clean = neutralise(text)
    assert not ACTIVE.search(clean)
    assert neutralise(clean) == clean


@settings(deadline=None)
@given(st.text())
def test_clean_text_and_line(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x1b\u202a-\u202e\u2066-\u2069]", clean_text(text))
    assert len(clean_line(text).splitlines()) <= 1


@settings(deadline=None)
@given(st.text(), st.integers(0, 200))
def test_shorten_keeps_its_promise(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit or short == text
    assert short == text or len(text) > limit


@settings(deadline=None)
@given(st.text(alphabet="`a\n", max_size=30))
def test_a_fence_cannot_be_left(text: str) -> None:
    lines = fence(text).split("\n")
    ticks = lines[0]
    assert lines[-1] == ticks
    assert not any(line.strip().startswith(ticks) for line in lines[1:-1])
