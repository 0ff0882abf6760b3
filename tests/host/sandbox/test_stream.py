"""The host's end of the pipe, over real sockets: frames of an engine, the tail of stderr, ends, and reasons for them."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import SandboxUnavailable
from ay_bot.host.sandbox import BoxLimits
from ay_bot.host.sandbox.attached import AttachedSocket
from ay_bot.host.sandbox.ending import explain_ending
from ay_bot.host.sandbox.stream import BoxStream, SocketTransport, Tail

FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=200)), max_size=20)


def frame(stream: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(payload)) + payload


@given(FRAMES, st.integers(1, 64))
def test_frames_are_taken_apart_whatever_the_sizes(frames: list[tuple[int, bytes]], size: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(frame(stream, payload) for stream, payload in frames))
        theirs.shutdown(socket.SHUT_WR)
        attached = AttachedSocket(ours)
        parts = iter(lambda: attached.receive(size), b"")
        assert b"".join(parts) == b"".join(payload for stream, payload in frames if stream == 1)
    errors = b"".join(payload for stream, payload in frames if stream == 2)
    assert attached.errors.text() == errors.decode("utf-8", "backslashreplace").strip()


@given(st.lists(st.binary(max_size=50), max_size=30), st.integers(1, 40))
def test_the_tail_keeps_the_end_and_not_much_more(parts: list[bytes], limit: int) -> None:
    tail = Tail(limit)
    for part in parts:
        tail.add(part)
    kept = b"".join(tail._parts)
    assert b"".join(parts).endswith(kept)
    assert len(kept) >= min(limit, sum(map(len, parts)))
    assert len(kept) < limit + 50


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def nothing() -> None:
    """Explain nothing."""


def fail() -> None:
    msg = "the reason"
    raise SandboxUnavailable(msg)


def test_an_end_that_nobody_asked_for_is_explained(pair) -> None:
    stream = BoxStream(SocketTransport(pair[0]), fail)
    pair[1].close()
    with pytest.raises(SandboxUnavailable, match="the reason"):
        stream.read(1)
    assert stream.read(1) == b"", "and explained once"


def test_an_end_that_was_asked_for_is_just_an_end(pair) -> None:
    stream = BoxStream(SocketTransport(pair[0]), fail)
    threading.Timer(0.1, stream.end).start()
    assert stream.read(1) == b""


def test_a_lent_buffer_is_given_back_when_the_box_is_gone(pair) -> None:
    """The seed is a memory map: it could not be closed while the writer still held a piece of it."""
    stream = BoxStream(SocketTransport(pair[0]), nothing)
    lent = bytearray(50_000_000)
    view = memoryview(lent)
    stream.write(view)
    pair[1].recv(1000)
    stream.end()
    view.release()
    lent.clear()


def test_what_was_written_arrives_in_order(pair) -> None:
    stream = BoxStream(SocketTransport(pair[0]), nothing)
    parts = [bytes([number]) * 100_000 for number in range(20)]
    for part in parts:
        stream.write(part)
    received = bytearray()
    while len(received) < 2_000_000:
        received += pair[1].recv(1 << 16)
    assert received == b"".join(parts)
    stream.end()


@pytest.mark.parametrize(
    ("status", "errors", "out_of_memory", "words"),
    [
        (137, "", True, "more memory than its limit of 4096 MiB"),
        (137, "", False, "was killed, perhaps for want of memory .its limit is 4096 MiB.: no message"),
        (124, "", False, "time limit of 3600 seconds"),
        (1, "Traceback: boom", False, "with exit code 1: Traceback: boom"),
        (None, "boom", False, "ended by itself: boom"),
        (3, "", True, "with exit code 3: it left no message"),
    ],
)
def test_why_a_box_ended(status: int | None, errors: str, out_of_memory: bool, words: str) -> None:
    with pytest.raises(SandboxUnavailable, match=words):
        explain_ending(status, errors, BoxLimits(), out_of_memory=out_of_memory)


def test_a_box_that_ended_as_it_should_needs_no_words() -> None:
    explain_ending(0, "", BoxLimits(), out_of_memory=False)


class Slow:
    """A far end that takes the first piece when it is told to, so that the others wait behind it."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.taken: list[bytes] = []

    def receive(self, size: int) -> bytes:
        return b""

    def send(self, data: memoryview) -> None:
        self.go_on.wait(5)
        self.taken.append(bytes(data))

    def shut(self) -> None:
        """Nothing to do."""


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=60), st.just(bytes(40_000))), min_size=2, max_size=30))
def test_small_pieces_that_wait_are_sent_together_and_in_order(pieces: list[bytes]) -> None:
    far = Slow()
    stream = BoxStream(far, nothing)
    for number, piece in enumerate(pieces):
        stream.write(memoryview(piece) if number % 3 == 2 else piece)
    far.go_on.set()
    stream.write(b"last")
    stream._waiting.put(None)
    stream._writer.join(5)
    assert b"".join(far.taken) == b"".join(pieces) + b"last"
    stream.end()
    assert not stream._writer.is_alive()


def test_a_thousand_waiting_lines_are_sent_at_once() -> None:
    far = Slow()
    stream = BoxStream(far, nothing)
    for number in range(1000):
        stream.write(b"%d\n" % number)
    far.go_on.set()
    stream._waiting.put(None)
    stream._writer.join(5)
    assert len(far.taken) <= 2
    assert b"".join(far.taken) == b"".join(b"%d\n" % number for number in range(1000))
