"""The channel: what is written is read, and no bytes do more than end it."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ay_bot.errors import ProtocolBroken
from ay_bot.protocol.channel import Channel, Closed
from ay_bot.protocol.messages import BoxToHost, Checked, Finished, Hello, HostToBox, Seed

BOX = TypeAdapter(BoxToHost)
HOST = TypeAdapter(HostToBox)


class Pipe:
    """Bytes that arrive in pieces of a given size."""

    def __init__(self, content: bytes = b"", piece: int = 1 << 20) -> None:
        self.read_from = io.BytesIO(content)
        self.written = bytearray()
        self.piece = piece

    def read(self, size: int) -> bytes:
        return self.read_from.read(min(size, self.piece))

    def write(self, data: bytes | memoryview) -> None:
        self.written += data


def sent(*messages: tuple) -> bytes:
    pipe = Pipe()
    channel = Channel(pipe, BOX)
    for message in messages:
        channel.send(*message)
    return bytes(pipe.written)


def exhaust(channel: Channel) -> None:
    while True:
        channel.receive()


bodies = st.binary(max_size=2000)
checked = st.builds(
    lambda output, body: (Checked(exit_code=1, seconds=0.5, output=output, body_size=len(body)), body),
    st.text(max_size=200),
    bodies,
)


@given(st.lists(checked, max_size=5), st.integers(1, 700))
def test_what_is_sent_is_received_in_any_pieces(messages, piece):
    channel = Channel(Pipe(sent(*messages), piece), BOX)
    for message, body in messages:
        assert channel.receive() == (message, body)
    with pytest.raises(Closed):
        channel.receive()


@given(st.binary(max_size=300), st.integers(1, 50))
def test_at_31_any_bytes_give_a_message_or_a_clear_end(content, piece):
    channel = Channel(Pipe(content, piece), BOX, max_line=200, max_body=100)
    with pytest.raises((Closed, ProtocolBroken)):
        exhaust(channel)


@given(checked, st.data())
def test_a_stream_cut_anywhere_is_never_taken_for_whole(message, data):
    whole = sent(message)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ProtocolBroken, match="ended inside"):
        Channel(Pipe(whole[:cut]), BOX).receive()


def test_a_body_is_read_as_a_file_is():
    body = bytes(range(256)) * 10
    channel = Channel(Pipe(sent((Checked(exit_code=0, seconds=1, output="", body_size=len(body)), body)), 100), BOX)
    message, stream = channel.receive_streaming()
    assert isinstance(message, Checked)
    assert stream.read(1000) == body[:1000]
    assert stream.remaining == len(body) - 1000
    stream.drain()
    assert stream.read() == b""
    with pytest.raises(Closed):
        channel.receive()


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"kind":"seed","body_size":0}',  # the host's message, not the box's
        b'{"kind":"hello","protocol":1,"pid":1,"uid":1,"python":"3","extra":1}',
        b'{"kind":"checked","exit_code":0,"seconds":1,"output":"","body_size":-1}',
        b'{"kind":"checked","exit_code":0,"seconds":1,"output":"","body_size":99999999999}',
        b'{"kind":"finished","reason":"finished","changed":[{"path":"a","mode":"160000","size":0}]}',
        b"[" * 100_000,
    ],
)
def test_what_the_protocol_does_not_know_breaks_the_channel(line):
    with pytest.raises(ProtocolBroken):
        Channel(Pipe(line + b"\n"), BOX).receive()


def test_at_31_lines_are_bounded_before_they_are_parsed():
    with pytest.raises(ProtocolBroken, match="more than 100 bytes"):
        Channel(Pipe(b"x" * 1_000_000), BOX, max_line=100).receive()


def test_a_message_and_its_body_must_agree():
    with pytest.raises(ValueError, match="announces 3 bytes"):
        Channel(Pipe(), HOST).send(Seed(body_size=3), b"four")


def test_defaults_travel_too():
    hello = Hello(protocol=1, pid=1, uid=2, python="3.11")
    finished = Finished(reason="finished")
    channel = Channel(Pipe(sent((hello,), (finished,))), BOX)
    assert [channel.receive()[0], channel.receive()[0]] == [hello, finished]


def test_messages_sent_together_arrive_as_if_sent_one_by_one():
    messages = [Hello(protocol=1, pid=1, uid=2, python="3"), Hello(protocol=2, pid=1, uid=2, python="3")]
    pipe = Pipe()
    Channel(pipe, BOX).send_together(messages)
    assert bytes(pipe.written) == sent(*((message,) for message in messages))


@pytest.mark.parametrize("number", ["1e999", "-1e999", '"inf"', '"nan"', "NaN", "Infinity"])
@pytest.mark.parametrize(
    "line",
    [
        '{"kind":"checked","exit_code":0,"seconds":%s,"output":""}',
        '{"kind":"happened","event":{"type":"tool_finished","tool":"t","ok":true,"seconds":%s,"outcome":""}}',
    ],
)
def test_a_number_that_is_none_breaks_the_channel(line, number):
    """Found by fuzzing: JSON has no word for it, so it could be read and never be written again."""
    assert Channel(Pipe((line % "1e3" + "\n").encode()), BOX).receive()
    with pytest.raises(ProtocolBroken):
        Channel(Pipe((line % number + "\n").encode()), BOX).receive()
