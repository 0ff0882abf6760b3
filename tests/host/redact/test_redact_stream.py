"""A stream is redacted as the whole text would be, however it arrives, and nothing is lost but what was found."""

import io
import json

import pytest
from encodings_of_secrets import ENCODINGS, TOKEN, UNNAMED
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.redact.redactor import MARK, Redactor
from ay_bot.host.redact.shell import run, secret_values
from ay_bot.host.redact.stream import redact_stream

REDACTOR = Redactor((TOKEN, UNNAMED))
ENVIRONMENT = {"GITHUB_TOKEN": TOKEN, "CUSTOM_SECRET": UNNAMED, "HOME": "/root", "SSL_KEY": "/etc/key.pem", "A_KEY": ""}


def arriving(data, sizes):
    """A stream that gives what it has, in pieces of these sizes and then all at once."""
    left, sizes = io.BytesIO(data), iter(sizes)
    return lambda size: left.read(min(next(sizes, size), size))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from([TOKEN, UNNAMED[::-1], "\n".join(TOKEN), "word ", "\n", "." * 70_000, "é" * 40_000]), max_size=8),
    st.lists(st.integers(1, 100_000), max_size=6),
)  # fmt: skip
def test_a_stream_is_redacted_as_a_whole(parts, sizes):
    data = "|".join(parts).encode()
    pieces = list(redact_stream(arriving(data, sizes), REDACTOR))
    assert b"".join(piece.original for piece in pieces) == data
    assert b"".join(piece.redacted for piece in pieces) == REDACTOR.redact_bytes(data)


@pytest.mark.parametrize("place", [(1 << 20) - 70_000, (1 << 20) - 65_600, (1 << 20) - 20, 1 << 20, (1 << 21) - 65_570])
def test_a_secret_where_a_piece_ends_is_not_let_through(place):
    data = b"." * place + "\n\n\n".join(TOKEN).encode() + b"." * (1 << 20)
    shown = b"".join(piece.redacted for piece in redact_stream(io.BytesIO(data).read, REDACTOR))
    assert shown == b"." * place + MARK.encode() + b"." * (1 << 20)


def test_memory_is_bounded():
    largest = max(len(piece.original) for piece in redact_stream(io.BytesIO(b"word\n" * 3_000_000).read, REDACTOR))
    assert largest <= (1 << 20) + (1 << 17)


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_at_22_the_command_shows_no_form(encode):
    target = io.BytesIO()
    found = run(io.BytesIO(f"before\n{encode(TOKEN)}\nafter\n".encode()), target, ENVIRONMENT)
    assert found >= 1
    assert MARK in target.getvalue().decode()
    assert not Redactor((TOKEN,)).find_values(target.getvalue())
    assert target.getvalue().startswith(b"before\n")
    assert target.getvalue().endswith(b"after\n")


def test_the_command_tells_where_and_never_what():
    target = io.BytesIO()
    key = "glpat-" + "aB3dE5gH7jK9mN1pQ3sT"
    run(io.BytesIO(f"one\n{UNNAMED}\n\n {key}\n".encode()), target, ENVIRONMENT, as_json=True)
    told = json.loads(target.getvalue())
    assert [(each["line"], each["kind"], each["name"]) for each in told["findings"]] == [
        (2, "value", "a secret of this run"), (4, "shape", "GitLab token"),
    ]  # fmt: skip
    assert told["bytes"] == 4 + len(UNNAMED) + 2 + 1 + len(key) + 1
    assert key not in target.getvalue().decode()
    assert UNNAMED not in target.getvalue().decode()


def test_ordinary_text_is_copied_as_it_is():
    text = bytes(range(256)) * 1000
    target = io.BytesIO()
    assert run(io.BytesIO(text), target, ENVIRONMENT) == 0
    assert target.getvalue() == text


def test_values_come_from_variables_that_say_so():
    assert secret_values(ENVIRONMENT) == (TOKEN, UNNAMED)
