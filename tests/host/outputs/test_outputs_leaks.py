"""Secrets in every form that they were seen to leave in."""

import base64
import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.outputs.leaks import leaks

SECRET = "ghs_" + "Zk3vQ8rT1mW5xY7bN2cF4dG6hJ9kLpAsDe0U"


@pytest.mark.parametrize(
    "form",
    [
        SECRET, SECRET[7:], SECRET[:14], SECRET[::-1], SECRET.upper(), f"x{SECRET}x", "\n".join(SECRET),
        " ".join(SECRET[at : at + 8] for at in range(0, len(SECRET), 8)), "\u200b".join(SECRET), "-".join(SECRET),
        SECRET.encode().hex(), SECRET.encode().hex(" "), base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"x" + SECRET.encode()).decode(), base64.b64encode(b"xy" + SECRET.encode() + b"z").decode(),
        base64.b32encode(SECRET.encode()).decode(),
        "".join(f"%{ord(letter):02x}" for letter in SECRET), codecs.encode(SECRET, "rot13"),
    ],
)  # fmt: skip
def test_at_22_every_form_is_found(form):
    assert leaks(f"Some words before {form} and after.", [SECRET])


@settings(deadline=None)
@given(st.text(max_size=300))
def test_other_words_are_no_leak(text):
    assert not leaks(text, [SECRET])


@settings(deadline=None)
@given(st.binary(max_size=5), st.binary(max_size=5), st.integers(0, 20))
def test_at_22_a_fragment_in_a_longer_encoding_is_found(before, after, start):
    part = SECRET[start : start + 18].encode()
    assert leaks(base64.b64encode(before + part + after).decode(), [SECRET])
    assert leaks((before + part + after).hex(), [SECRET])


def test_short_values_are_no_secrets_and_middle_ones_count_whole():
    assert not leaks("main and more", ["main", ""])
    assert leaks("it is hunter2-x9 there", ["hunter2-x9"])
    assert not leaks("it is hunter2 there", ["hunter2-x9"])
