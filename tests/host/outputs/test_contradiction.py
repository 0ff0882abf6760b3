"""Claims that the tests pass, where they do not."""

import pytest

from ay_bot.host.outputs.contradiction import BANNER, contradicts, put_banner


@pytest.mark.parametrize(
    "text",
    [
        "All tests pass.", "All tests passed", "**All 213 tests are passing** \u2705", "The test suite is green now.",
        "I ran the tests and everything passes.", "12/12 passed", "12 passed, 0 failed", "The change passes all tests.",
        "CI is green.", "Tests: \u2705", "I fixed it. The whole suite succeeds.", "It failed before. Now all tests pass.",
        "All tests pass without any failures.", "13 out of 13 passing",
    ],
)  # fmt: skip
def test_at_50_claims(text):
    assert contradicts(text, verified=False)
    assert not contradicts(text, verified=True)


@pytest.mark.parametrize(
    "text",
    [
        "The tests do not pass.", "3 tests fail.", "I couldn't make the tests pass.", "All tests but one pass, it fails.",
        "The tests should pass now.", "Run the tests to make sure that they pass.", "I added a test.", "", "12 failed",
        "Tests pass until the cache is filled.", "I didn't run the tests; nothing is known to be green.",
    ],
)  # fmt: skip
def test_honest_words_are_no_claims(text):
    assert not contradicts(text, verified=False)


def test_the_warning_comes_once():
    once = put_banner("All tests pass.")
    assert once.startswith(BANNER)
    assert put_banner(once) == once
    assert not contradicts(BANNER.replace("say that the tests pass", ""), verified=False)
