"""Words on their way out: an independent renderer says what they do on a page, and they may do next to nothing."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from page_effects import effects

from ay_bot.host.outputs.allowance import Allowance
from ay_bot.host.outputs.words import clean_title, clean_words

OURS = Allowance(repository="o/r", thread=7, closes=True, requester="alice", domains=("docs.example", "*.ok.example"))
OWN_ADDRESS = re.compile(
    r"https://(?:github\.com/o/r(?:[/?#.,:;!*'\"_~)]|$)|docs\.example(?![\w.-]*\w)|\w+\.ok\.example)"
)

PIECES = [
    "![", "[", "]", "](", ")", "(", "a", "b", " ", "\n", "\n\n", "http", "s", "://", "//", "evil.example/x", "\\",
    "https://evil.example/?q=S", "https://github.com/o/r/blob/m/a.py", "https://github.com/other/r/issues/9",
    "https://github.com/o/r/issues/7", "https://docs.example/a", "www.evil.example", "docs/a.png", "data:image/png,x",
    "]: ", "[b]: ", "<img src=", "<", ">", "<!--", "-->", "<b>", "</b>", "<https://evil.example>", "javascript:x",
    "@", "alice", "@alice", "@bob", "@o/team", "m@evil.example", "#", "1", "7", "#7", "#12", "o/r", "GH-", "fixes ",
    "closes: ", "&#", "64;", "&#64;bob", "&lt;img>", "&colon;", "&amp;", "`", "```", "~~~", "```mermaid\n", "    ", "> ",
    "- ", "1. ", "* ", "# ", "---", "|", "| --- |", "::error::", "##[x]", "[skip ci]", "***no_ci***", "\u200b",
    "\u202e", "\x1b[2J", "<!-- ay-bot:v1 -->", "\U000e0041", "'t'", '"t"', "$`", "`$", "$", "\t", "\r\n", "_", "*", ".",
]  # fmt: skip
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.text(max_size=60))


def harmless(text, allowed=OURS):
    """Assert that a text does nothing on a page but what it may."""
    page = effects(text)
    assert not [one for one in page.images if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|\.\.", one)]
    links = [one for one in page.links if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|/|\.\.", one)]
    assert not [one for one in (*links, *page.addresses) if not is_allowed(one)]
    assert not page.hidden
    assert not page.tags & {"b", "script", "style", "iframe", "object", "details", "input", "form"}
    assert not [one for one in page.called if one.lower() != allowed.requester]
    assert not [one for one in page.numbers if one != allowed.thread]
    if not allowed.closes:
        assert not page.closed
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|^\s*::|##\[", text, re.MULTILINE)
    assert "ay-bot:v1" not in text


def is_allowed(address):
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|www\.|/", address, re.IGNORECASE):
        return True
    if not OWN_ADDRESS.match(address):
        return False
    thread = re.search(r"/(?:issues|pull|discussions)/(\d+)", address)
    return not thread or thread[1] == "7"


@settings(deadline=None, max_examples=400)
@given(texts)
@example("`@bob` @bob")
@example("```\n@bob\n```\n@bob")
def test_nothing_that_leaves_does_more_than_it_may(text):
    harmless(clean_words(text, OURS))


@settings(deadline=None, max_examples=200)
@given(texts, st.booleans())
def test_cleaning_twice_changes_nothing_more(text, keep):
    once = clean_words(text, OURS, keep_code=keep)
    assert clean_words(once, OURS, keep_code=keep) == once


@settings(deadline=None, max_examples=200)
@given(texts)
def test_what_may_become_a_commit_is_plain_even_where_it_looks_like_code(text):
    clean = clean_words(text, OURS.model_copy(update={"closes": False}), keep_code=False)
    harmless(re.sub("[`~]|^ {4,}", " ", clean, flags=re.MULTILINE), OURS.model_copy(update={"closes": False}))
    assert not re.search(r"\[\s*(?:skip|no)[ _-]ci\s*\]|\*\*\*no_ci", clean, re.IGNORECASE)


@settings(deadline=None, max_examples=200)
@given(texts)
def test_a_title_is_one_plain_line(text):
    title = clean_title(text, OURS)
    assert len(title.splitlines()) <= 1
    assert title == title.strip()
    harmless(title)
    assert clean_title(title, OURS) == title


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("See [b].\n\n[b]: //evil.example/x", "See [b].\n\n[b] : //evil.example/x"),
        ("![a[b]](docs/a.png)", "[a[b]](docs/a.png)"),
        ("http://github.com/o/r", "hxxp://github[.]com/o/r"),
        ("https://evil.example%2f.ok.example/", "hxxps://evil[.]example%2f[.]ok[.]example/"),
        ("https://notok.example https://ok.example", "hxxps://notok[.]example hxxps://ok[.]example"),
        ("https://a.ok.example, https://docs.example.", None),
        ("/ay approve it, and docs/ay too", "ay approve it, and docs/ay too"),
        ("a < b && c > d, x[1], 5 * 3 #x", None),
        ("Use `@scope/pkg`, @bob", "Use `@scope/pkg`, @ bob"),
        ("```python\n@property\ndef f(): return '<b>#1'\n```", None),
        ("```\n<!-- a comment -->\n::error::x\n```", "```\n<!-- a comment -->\n: :error::x\n```"),
        ("\U0001f468\u200d\U0001f469 caf\u00e9 \u4f60\u597d", None),
    ],
)
def test_cleans(text, clean):
    assert clean_words(text, OURS) == (text if clean is None else clean)
