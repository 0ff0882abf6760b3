"""Several agents that ask at once: each gets its own answer, in whatever order they come."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import TypeAdapter

from ay_bot.agent.switchboard import Switchboard
from ay_bot.errors import ProtocolBroken
from ay_bot.protocol.channel import Channel, Closed
from ay_bot.protocol.events import AssistantSaid, ToolStarted
from ay_bot.protocol.messages import BoxToHost, HostToBox, ModelReply, ModelRequest
from ay_bot.protocol.plain_messages import Exit


class Pipe:
    """One end of a pair of sockets."""

    def __init__(self, end):
        self.end = end

    def read(self, size):
        return self.end.recv(size)

    def write(self, data):
        self.end.sendall(data)


@pytest.fixture
def both():
    here, there = socket.socketpair()
    here.settimeout(20)
    there.settimeout(20)
    with here, there:
        yield Switchboard(Channel(Pipe(here), TypeAdapter(HostToBox))), Channel(Pipe(there), TypeAdapter(BoxToHost))


def request(content):
    return ModelRequest(request_id=7, role="main", messages=(), agent=int(content))


def test_each_gets_its_own_answer_in_whatever_order_they_come(both):
    board, host = both

    def answer():
        asked = [host.receive()[0] for _ in range(3)]
        for one in reversed(asked):
            host.send(ModelReply(request_id=one.request_id, content=str(one.agent)))
        assert len({one.request_id for one in asked}) == 3

    with ThreadPoolExecutor(4) as pool:
        done = pool.submit(answer)
        answers = list(pool.map(board.ask, map(request, ("1", "2", "3"))))
        done.result()
    assert [(one.content, one.request_id) for one in answers] == [("1", 7), ("2", 7), ("3", 7)]


def test_an_answer_that_nobody_waits_for_ends_it(both):
    board, host = both
    host.send(ModelReply(request_id=99, content="x"))
    with pytest.raises(ProtocolBroken, match="99"):
        board.ask(request("1"))


def test_the_end_reaches_everybody_who_waits(both):
    board, host = both
    asked = threading.Barrier(3, timeout=20)

    def ask(number):
        asked.wait()
        with pytest.raises(Closed):
            board.ask(request(number))
        return number

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask, number) for number in ("1", "2")]
        asked.wait()
        for _ in range(2):
            host.receive()
        host.send(Exit())
        assert [one.result(20) for one in waiting] == ["1", "2"]


def test_events_come_before_the_request_that_follows_them_and_a_beginning_at_once(both):
    board, host = both
    board.tell(AssistantSaid(text="a"))
    board.tell(ToolStarted(tool="shell", summary="sleep"))
    assert [host.receive()[0].event.type for _ in range(2)] == ["assistant_said", "tool_started"]
    board.tell(AssistantSaid(text="b"))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(board.ask, request("1"))
        assert host.receive()[0].event.text == "b"
        host.send(ModelReply(request_id=host.receive()[0].request_id))
        asked.result(20)
