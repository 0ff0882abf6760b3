"""Event streams are cut into events exactly, and anything else is malformed."""

import json
import socketserver
import threading
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.failures import CallFailed
from ay_bot.gateway.transport import Answer, Transport, Wire
from demo.scripted_model import ScriptedModel

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


def test_one_connection_serves_many_requests():
    transport = Transport(5, 5)
    ports = set()
    with ScriptedModel([{"text": "one"}, {"text": "two"}, {"text": "three"}]) as model:
        body = b'{"stream": true, "tools": [1], "messages": [{"role": "user", "content": "x"}]}'
        for _ in range(3):
            with transport.post(Wire(f"{model.api_base}/chat/completions", {}, body)) as answer:
                assert len(list(answer.events())) >= 3
                stream = answer._response.extensions["network_stream"]
                ports.add(stream.get_extra_info("client_addr"))
    transport._client.close()
    assert len(ports) == 1


def test_a_server_that_never_ends_its_answer_is_not_waited_for():
    class Endless(socketserver.StreamRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.wfile.write(b"e\r\ndata: [DONE]\n\n\r\n")
            time.sleep(3)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        started = time.monotonic()
        transport = Transport(5, 5)
        with transport.post(Wire(f"http://127.0.0.1:{server.server_address[1]}/", {}, b"{}")) as answer:
            assert list(answer.events()) == []
        assert time.monotonic() - started < 2
        transport._client.close()
        server.shutdown()


def test_headers_that_drip_are_not_waited_for():
    class Dripping(socketserver.StreamRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            try:
                for number in range(60):
                    self.wfile.write(f"X-{number}: x\r\n".encode())
                    time.sleep(0.1)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Dripping) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        started = time.monotonic()
        transport = Transport(1, 1.5)
        with (
            pytest.raises(CallFailed) as caught,
            transport.post(Wire(f"http://127.0.0.1:{server.server_address[1]}/", {}, b"{}")),
        ):
            pass
        assert caught.value.cause == "timeout"
        assert time.monotonic() - started < 4
        server.shutdown()
