"""Whole messages of every union, which hypothesis makes of the fuzzer's bytes: what is sent is what is received."""

from typing import get_args

from ay_bot.protocol.channel import Channel, line_of
from ay_bot.protocol.conversation import ToolSpec
from ay_bot.protocol.messages import BoxToHost, GatewayToHost, HostToBox, HostToGateway
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from fuzz.target import Target
from fuzz.targets.streams import Pieces

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
# Hypothesis can't resolve pydantic's recursive JsonValue by itself.
st.register_type_strategy(
    ToolSpec,
    st.builds(ToolSpec, name=st.text(), description=st.text(), parameters=st.dictionaries(st.text(max_size=9), JSON)),
)

ADAPTERS = [TypeAdapter(union) for union in (BoxToHost, HostToBox, HostToGateway, GatewayToHost)]
KINDS = [
    (kind, adapter)
    for adapter, union in zip(ADAPTERS, (BoxToHost, HostToBox, HostToGateway, GatewayToHost), strict=True)
    for kind in get_args(get_args(union)[0])
]


@settings(deadline=None, database=None)
@given(st.data())
def send_and_receive(data: st.DataObject) -> None:
    """Send one message with its body, if it announces one that is not long."""
    kind, adapter = data.draw(st.sampled_from(KINDS))
    message = data.draw(st.from_type(kind))
    size = getattr(message, "body_size", 0)
    if not 0 <= size <= 50:
        return
    try:
        line = line_of(message)
    except (UnicodeEncodeError, ValueError):
        return  # a lone surrogate, or a number that JSON has none for: whoever sends is told, nothing is sent
    received, body = Channel(Pieces(line + bytes(size)), adapter).receive()
    assert len(body) == size
    assert line_of(received) == line


def parse(data: bytes) -> None:
    """Let hypothesis make a message of the bytes."""
    send_and_receive.hypothesis.fuzz_one_input(data)


SEEDS = [bytes([kind]) * 200 for kind in range(0, 250, 7)]
# ValidationError: hypothesis doesn't know every bound of a field, and made what can't be.
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", documented=(ValidationError,), longest=600, share=0.1)
