import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import ProtocolBroken
from ay_bot.host.live_output import LiveOutput
from ay_bot.host.plain_text import clean_text


def shown(*parts: bytes, rest: str = "") -> list[str]:
    seen: list[str] = []
    output = LiveOutput(seen.append)
    for part in parts:
        output.add(part)
    output.end(rest)
    assert "".join(seen) == output.text
    return seen


def test_what_comes_is_shown_as_it_comes() -> None:
    assert shown(b"one\n", b"two", rest="\nthree") == ["one\n", "two", "\nthree"]


def test_what_is_cut_in_two_waits_for_its_other_half() -> None:
    assert shown("é".encode()[:1], "é".encode()[1:] + b"x") == ["éx"]
    assert shown(b"a\x1b[3", b"1mb") == ["a", "b"]
    assert shown(b"a\x1b]0;ti", b"tle\x07b") == ["a", "b"]
    assert shown(b"a\r", b"\nb") == ["a", "\nb"]
    assert shown(b"\xff", b"\xe2\x80") == ["\ufffd", "\ufffd"]


@given(st.lists(st.sampled_from([b"\x1b", b"[2J", b"]0;x", b"\x07", b"\r", b"\n", b"ab", b"\xc3", b"\xa9", b"\x9b1m"])))
def test_no_cut_lets_a_terminal_be_steered(parts: list[bytes]) -> None:
    text = "".join(shown(*parts))
    assert clean_text(text) == text


def test_more_than_was_asked_for_is_the_end() -> None:
    output = LiveOutput(lambda _: None, most=10)
    output.add(b"x" * 10)
    with pytest.raises(ProtocolBroken, match="more of a command's output"):
        output.add(b"x")
    with pytest.raises(ProtocolBroken):
        LiveOutput(lambda _: None).add(b"")
