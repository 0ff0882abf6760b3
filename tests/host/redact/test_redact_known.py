"""Known values are found in every form, as a whole and in parts, and covered from end to end; other text is not."""

import base64
import json
import random
import time
import unicodedata

import pytest
from encodings_of_secrets import ENCODINGS, MODEL_KEY, SECRETS, TOKEN, UNNAMED
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.redact.forms import fold
from ay_bot.host.redact.known import LONGEST_SPAN, KnownValues, plain_letters
from ay_bot.host.redact.redactor import Redactor

KNOWN = KnownValues(SECRETS)
FRAGMENT = 14
"""Twelve characters, and two that an encoding of groups may share with their neighbours."""


def numbers_in(text):
    return {number for _, _, number in KNOWN.find(text.encode())}


def uncovered(text, known=KNOWN):
    """What is left of a text when everything that was found is taken out."""
    data = bytearray(text.encode())
    for start, end, _ in known.find(bytes(data)):
        data[start:end] = b"\0" * (end - start)
    return bytes(data).replace(b"\0", b"").decode("utf-8", "replace")


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("secret", SECRETS, ids=["token", "model key", "unnamed"])
def test_at_22_every_form_is_found_and_covered(secret, encode):
    hidden = encode(secret)
    assert numbers_in(f"Some words before {hidden} and after.") == {SECRETS.index(secret)}
    left = uncovered(f"Before: {hidden} :after")
    assert left.startswith("Before: ")
    assert left.endswith(" :after")
    # Ends that a neighbour shares, an open quote, a bracket: a few characters, from which nothing can be told.
    assert len(left) - len("Before:  :after") <= 12


PARTS = {name: encode for name, encode in ENCODINGS.items() if name != "numbered lines"}  # those count from the whole


@pytest.mark.parametrize("encode", PARTS.values(), ids=PARTS)
def test_at_22_every_part_of_every_form_is_found(encode):
    for start in range(len(TOKEN) - FRAGMENT):
        hidden = encode(TOKEN[start : start + FRAGMENT])
        assert numbers_in(f"(: {hidden} :)") == {0}, TOKEN[start : start + FRAGMENT]


@pytest.mark.parametrize("cut", [7, 12, 20])
def test_at_22_a_key_without_its_beginning_or_end_is_found(cut):
    assert uncovered(TOKEN[cut:]) == ""
    assert uncovered(TOKEN[:-cut]) == ""
    assert uncovered(f"{MODEL_KEY[:80]}\n{MODEL_KEY[80:]}") == ""


@settings(deadline=None)
@given(st.binary(max_size=5), st.binary(max_size=5), st.integers(0, 20))
def test_at_22_a_part_in_the_middle_of_an_encoding_is_found(before, after, start):
    around = before + TOKEN[start : start + 18].encode() + after
    assert numbers_in(base64.b64encode(around).decode()) == {0}
    assert numbers_in(base64.b32encode(around).decode()) == {0}
    assert numbers_in(around.hex()) == {0}


@settings(deadline=None)
@given(st.text(max_size=300))
def test_other_text_holds_nothing(text):
    assert not KNOWN.find(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(SECRETS))
def test_what_is_around_a_secret_is_left(before, after, secret):
    data = f"{before} {secret} {after}".encode("utf-8", "surrogatepass")
    start = len(before.encode("utf-8", "surrogatepass")) + 1
    spans = KNOWN.find(data)
    assert (start, start + len(secret), SECRETS.index(secret)) in spans
    assert all(first >= start and last <= start + len(secret) for first, last, _ in spans)


@settings(deadline=None)
@given(st.text(max_size=60) | st.text("éüñ…—ﬀ①Å𝐀𝟗½™ﬁａＺ９Ⅷ", max_size=60))
def test_letters_are_made_plain_as_unicode_has_it(text):
    data = text.encode("utf-8", "surrogatepass")
    whole = unicodedata.normalize("NFKD", data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    assert fold(plain_letters(data)) == fold(whole)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_can_be_looked_through(data):
    assert numbers_in("") == set()
    assert {number for _, _, number in KNOWN.find(data + b" " + TOKEN.encode())} == {0}


def test_short_values_count_as_they_stand():
    known = KnownValues(["hunter2-x9", "p@s$w!", "main"])
    assert known.find(b"it is hunter2-x9 there")
    assert known.find(b"it is HUNTER2_X9 there")
    assert not known.find(b"it is hunter2 there")
    assert known.find(b"p@s$w!")
    assert not known.find(b"passw main and more")


def test_what_all_keys_share_is_no_secret():
    body = base64.b64encode(random.Random(1).randbytes(1200)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    known = KnownValues([f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----\n"])
    assert not known.find(b"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA")
    assert known.find(lines[200:260].encode())
    assert known.find(json.dumps(lines[200:400]).encode())


def test_of_an_account_file_only_the_key_is_secret():
    account = json.dumps({"type": "service_account", "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                          "private_key_id": "0f3c9a7be51d42688e90", "private_key": UNNAMED})  # fmt: skip
    known = KnownValues([account])
    assert known.find(UNNAMED.encode())
    assert known.find(account.encode())
    assert not known.find(b'{"type": "service_account", "auth_uri": "https://accounts.google.com/o/oauth2/auth"}')


@pytest.mark.parametrize("before", [0, (1 << 20) - 20, (1 << 20) + LONGEST_SPAN - 20])
def test_a_secret_across_the_pieces_of_a_long_text_is_found_once(before):
    data = b"." * before + "\n\n".join(TOKEN).encode() + b"." * (1 << 20)
    assert KNOWN.find(data) == [(before, before + 3 * len(TOKEN) - 2, 0)]


@pytest.mark.parametrize(
    "hostile",
    ["a" * 2_000_000, TOKEN * 20_000, (TOKEN[:11] + "!") * 60_000, "%41" * 300_000, "%25" * 300_000, "&#" * 500_000],
    ids=["one letter", "the token itself", "almost the token", "escapes", "escaped escapes", "broken escapes"],
)
def test_no_text_takes_long(hostile):
    known = KnownValues((*SECRETS, "a" * 40, "ab" * 20))
    began = time.process_time()
    known.find(hostile.encode())
    assert time.process_time() - began < 5


def test_at_22_of_secrets_that_hold_one_another_the_longest_is_covered():
    short, long = "q8Zr3VtL2xWm9K", "abc-q8Zr3VtL2xWm9K-cYb7Nd5Hf1Gj4Ps6"
    for values in ((short, long), (long, short)):
        assert Redactor(values).redact(f"it is {long}, and {short}.") == "it is [redacted], and [redacted]."
