"""Event streams are cut into events exactly, and anything else is malformed."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.failures import CallFailed
from ay_bot.gateway.transport import Answer

values = st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=3)


def events_of(*parts: bytes) -> list[object]:
    return list(Answer(httpx.Response(200, stream=httpx.ByteStream(b"".join(parts)))).events())


class InParts(httpx.SyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts

    def __iter__(self):
        yield from self.parts


@given(st.lists(values, max_size=5), st.sampled_from(["\n", "\r\n"]), st.integers(1, 40))
def test_events_survive_any_cut(events, end, size):
    text = "".join(f"event: x{end}data: {json.dumps(event, ensure_ascii=False)}{end}{end}" for event in events)
    whole = text.encode("utf-8", "surrogatepass") + b": ping\n\ndata: [DONE]\n\n"
    parts = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert list(Answer(httpx.Response(200, stream=InParts(parts))).events()) == events


def test_separators_inside_of_strings_cut_nothing():
    assert events_of('data: {"text": "a\u2028b\x0cc\x85d"}\n\n'.encode().replace(b"\x0c", b"\\f")) == [
        {"text": "a\u2028b\x0cc\x85d"}
    ]


def test_what_follows_the_end_is_not_read():
    assert events_of(b"data: [DONE]\n\n<garbage>") == []


@pytest.mark.parametrize(
    "garbage",
    [b"<html>no</html>", b"data: {half", b"data: [1]\n", b'data: "text"\n', b"\x00\xff\n", b'{"error": 1}'],
)
def test_garbage_is_malformed(garbage):
    with pytest.raises(CallFailed) as caught:
        events_of(b'data: {"a": 1}\n\n', garbage)
    assert caught.value.cause == "malformed"
