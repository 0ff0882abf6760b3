"""The forwarder in a box: what connects to loopback reaches the socket, many at once, in bounded memory."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ay_bot.agent import forwarding
from ay_bot.agent.forwarding import Forwarder


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen(256)
        server.settimeout(10)
        yield server


@pytest.fixture
def place(tmp_path: Path, proxy: socket.socket) -> tuple[str, int]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    threading.Thread(target=Forwarder(listener, str(tmp_path / "s")).serve, daemon=True).start()
    return listener.getsockname()


def connect(place: tuple[str, int]) -> socket.socket:
    return socket.create_connection(place, timeout=10)


def read_all(one: socket.socket) -> bytes:
    data = bytearray()
    while more := one.recv(1 << 16):
        data += more
    return bytes(data)


def test_bytes_go_both_ways(place: tuple[str, int], proxy: socket.socket) -> None:
    with connect(place) as client, proxy.accept()[0] as server:
        client.sendall(b"question")
        assert server.recv(100) == b"question"
        server.sendall(b"answer")
        assert client.recv(100) == b"answer"


def test_who_has_said_all_still_gets_the_answer(place: tuple[str, int], proxy: socket.socket) -> None:
    with connect(place) as client:
        server = proxy.accept()[0]
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        with server:
            assert read_all(server) == b"question"
            server.sendall(b"answer" * 50_000)
        assert read_all(client) == b"answer" * 50_000


def test_much_goes_both_ways_at_once(place: tuple[str, int], proxy: socket.socket) -> None:
    size = 8 << 20
    with connect(place) as client, proxy.accept()[0] as server:
        writers = [threading.Thread(target=one.sendall, args=(bytes(size),)) for one in (client, server)]
        for writer in writers:
            writer.start()
        for one in (client, server):
            left = size
            while left:
                left -= len(one.recv(min(left, 1 << 20)))
        for writer in writers:
            writer.join()


def test_who_does_not_read_holds_up_the_sender_and_nobody_else(place: tuple[str, int], proxy: socket.socket) -> None:
    with connect(place) as slow, proxy.accept()[0] as flooding, connect(place) as other, proxy.accept()[0] as answering:
        flooding.settimeout(0.3)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64 << 20:
                sent += flooding.send(bytes(1 << 20))
        assert sent < 64 << 20
        answering.sendall(b"answer")
        assert other.recv(100) == b"answer"
        assert slow.recv(1)


def test_a_connection_ends_with_either_side(place: tuple[str, int], proxy: socket.socket) -> None:
    client = connect(place)
    with proxy.accept()[0] as server:
        client.close()
        assert read_all(server) == b""
    with connect(place) as client:
        proxy.accept()[0].close()
        assert read_all(client) == b""


def test_many_at_once_and_no_more_than_there_may_be(
    place: tuple[str, int], proxy: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "MOST_AT_ONCE", 20)
    for _ in range(3):  # those of each round make room for the next
        clients = [connect(place) for _ in range(20)]
        servers = [proxy.accept()[0] for _ in clients]
        with connect(place) as one_too_many:
            assert one_too_many.recv(1) == b""
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        assert sorted(int(server.recv(10)) for server in servers) == list(range(20))
        for server in servers:
            server.close()
        for client in clients:
            assert client.recv(1) == b""
            client.close()


def test_without_a_proxy_a_connection_ends_and_the_next_one_is_served(place: tuple[str, int], tmp_path: Path) -> None:
    moved = (tmp_path / "s").rename(tmp_path / "t")
    with connect(place) as client:
        assert client.recv(1) == b""
    moved.rename(tmp_path / "s")
    with connect(place) as client:
        client.sendall(b"x")
