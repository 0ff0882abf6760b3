"""Tokens are counted as the models' own vocabularies count them."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.outline.counting import (
    VOCABULARIES,
    best_counter,
    count_most,
    cut_lines,
    draw_within,
    estimate,
    vocabulary_directory,
)


@pytest.fixture(scope="module")
def theirs():
    import tiktoken

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", os.fspath(vocabulary_directory()))
        yield {name: tiktoken.get_encoding(name) for name in VOCABULARIES}


@pytest.mark.parametrize("encoding", VOCABULARIES)
@settings(max_examples=120, deadline=None)
@given(text=st.text(max_size=200) | st.text("aB \n\t0'sé中\u200b_-/\r<|>", max_size=60))
def test_counts_are_those_of_tiktoken(theirs, encoding, text):
    text = text.encode("utf-8", "replace").decode()
    assert best_counter(encoding)(text) == len(theirs[encoding].encode_ordinary(text))


def test_what_looks_like_a_special_token_is_text():
    assert best_counter()("<|endoftext|>") > 1


def test_an_estimate_is_too_high_rather_than_too_low():
    for text in ("def f(x):\n    return x + 1\n", "The quick brown fox", "{}[]();" * 5):
        assert estimate(text) >= best_counter()(text)


def test_of_several_vocabularies_the_one_that_counts_more_counts():
    text = "def größe(x):\n    return 'длина' + str(12345678)\n"
    counts = [best_counter(encoding)(text) for encoding in VOCABULARIES]
    assert counts[0] != counts[1]
    assert count_most()(text) == max(counts)


def test_what_is_drawn_fits_by_every_vocabulary():
    lines = "".join(f"größe_{number} = 'длина' + str({number})  # 漢字かな\n" for number in range(200))
    drawn = draw_within(lambda count: cut_lines(lines, 500, count), 500)
    counts = {encoding: best_counter(encoding)(drawn) for encoding in VOCABULARIES}
    assert 400 < max(counts.values()) <= 500
    assert lines.startswith(drawn)
    by_one = cut_lines(lines, 500, best_counter("o200k_base"))
    assert best_counter("cl100k_base")(by_one) > 500, "or nothing was to be cut"
