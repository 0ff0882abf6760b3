"""What is taken from the text of a task, whatever that text is made of."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.outline.generic import find_definitions
from ay_bot.outline.query import parse_query
from ay_bot.outline.words import split, stem, terms_of


def test_identifiers_are_split_and_words_are_reduced():
    assert split("parseHTTPHeader_fast2") == ["parse", "http", "header", "fast", "2"]
    assert {stem(word) for word in ("cache", "caches", "cached", "caching")} == {"cach"}
    assert terms_of("parse_headers")[-1] == "parseheaders"


def test_a_prefix_names_a_place():
    assert parse_query("net/http: fix a leak").prefix == ("net/http",)
    assert parse_query("fix(parser): no leak").prefix == ("fix", "parser")
    assert parse_query("Fix a leak").prefix == ()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('File "/home/me/project/src/words.py", line 3', "home/me/project/src/words.py"),
        ("at run (C:\\work\\src\\app.ts:3:4)", "work/src/app.ts"),
        ("FAILED tests/test_a.py::test_b[c]", "tests/test_a.py"),
        ("see ./docs/guide.md.", "docs/guide.md"),
        ("the module package.module.name", "package/module/name"),
    ],
)
def test_paths_in_a_text(text, path):
    assert path in parse_query(text).paths


def test_trailers_and_links_are_no_words_of_a_task():
    plain = parse_query("Fix the parser")
    assert parse_query("Fix the parser\n\nSigned-off-by: Some Body <some@body>\n").terms == plain.terms
    assert parse_query("Fix the parser https://example.org/issues/123\n").terms == plain.terms


@pytest.mark.parametrize(
    "piece", ["@", "a.", "a/", "a/a.", "\\", "a\\", "+a", "<a@", "[a", "a,", "A:", "from\n", "aB", "é"]
)
def test_no_text_takes_long(piece):
    begun = process_time()
    parse_query(piece * 40_000)
    assert process_time() - begun < 1.0


@pytest.mark.parametrize("line", ["a ", "a*", "a<", "public ", '"a" ', "a\t", " "])
@pytest.mark.parametrize("path", ["a.d", "a.hs", "a.tf", "a.lua", "a.elm"])
def test_no_line_takes_long(path, line):
    begun = process_time()
    find_definitions(path, ((line * 400)[:390] + "\n").encode() * 200)
    assert process_time() - begun < 1.0


@given(st.text(max_size=400))
def test_any_text_is_a_query(text):
    query = parse_query(text)
    assert all(weight > 0 for weight in query.terms.values())
