"""Downloads against a server that means ill: too much, too slow, elsewhere, without an end; the token stays at home."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ay_bot.host.github import picture_fetching
from ay_bot.host.github.picture_addresses import Places
from ay_bot.host.github.picture_fetching import Download, NotHad, download
from tests.loopback_github.server import LoopbackGitHub

MOST = 100_000
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Listener"

    def do_GET(self) -> None:
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.close_connection = True
        try:
            self.server.answers[self.path.partition("?")[0]](self)
        except OSError:
            return  # the client had enough

    def say(self, status: int, data: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(data)), "Connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class Listener(ThreadingHTTPServer):
    """A server that answers as it is told to, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def sends_on(self, path: str, location: str, status: int = 302) -> None:
        self.answers[path] = lambda handler: handler.say(status, Location=location)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@pytest.fixture
def listeners() -> Iterator[tuple[Listener, Listener, Listener]]:
    """GitHub, a place of its own where images are kept, and somebody else."""
    made = (Listener(), Listener(), Listener())
    threads = [threading.Thread(target=each.serve_forever, args=(0.01,)) for each in made]
    for thread in threads:
        thread.start()
    yield made
    for each, thread in zip(made, threads, strict=True):
        each.shutdown()
        each.server_close()
        thread.join()


@pytest.fixture
def fetch(listeners) -> Callable[..., bytes]:
    server, kept, _ = (each.origin for each in listeners)
    places = Places(server, f"{server}/api/v3", frozenset({kept}), frozenset({server, kept}))

    def fetch(path: str, seconds: float = 5.0, **more: str) -> bytes:
        return download(Download(server + path, time.monotonic() + seconds, MOST, **more), places)

    return fetch


def test_a_file_comes_by_way_of_where_it_is_kept(listeners, fetch):
    server, kept, _ = listeners
    server.sends_on("/a", f"{kept.origin}/b?signature=1")
    kept.answers["/b"] = lambda handler: handler.say(200, b"bytes")
    assert fetch("/a", token="secret") == b"bytes"
    assert [path for path, _ in kept.seen] == ["/b?signature=1"]


def test_at_30_the_token_is_told_to_github_alone(listeners, fetch):
    """Seen at the listeners: with the first request, and never after a redirect, to wherever that leads."""
    server, kept, _ = listeners
    server.answers["/a"] = lambda handler: handler.say(302, Location=f"{kept.origin}/b", Set_Cookie="session=1; Path=/")
    kept.sends_on("/b", f"{server.origin}/c")
    server.answers["/c"] = lambda handler: handler.say(200, b"bytes")
    assert fetch("/a", token="secret") == b"bytes"
    told = {path: headers.get("authorization") for each in (server, kept) for path, headers in each.seen}
    assert told == {"/a": "Bearer secret", "/b": None, "/c": None}
    assert not [headers for _, headers in server.seen if "cookie" in headers]


def test_at_30_no_netrc_is_read_for_a_token(listeners, fetch, tmp_path, monkeypatch):
    server, _, _ = listeners
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answers["/a"] = lambda handler: handler.say(200, b"bytes")
    fetch("/a")
    assert "authorization" not in server.seen[0][1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_at_24_no_answer_leads_to_another_server(listeners, fetch, status):
    server, _, other = listeners
    server.sends_on("/a", f"{other.origin}/metadata", status)
    with pytest.raises(NotHad, match="another server"):
        fetch("/a", token="secret")
    assert other.seen == []


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1/", "http://[::1]/", "http://localhost:2375/",
        "https://user@{server}/", "http://{server}@evil.example/", "//evil.example/x", "file:///etc/passwd",
        "http://{server}.evil.example/", "gopher://{server}/", "http://{server}\\@evil.example/", "", "http://",
        "http://[broken/", "https://{server}/", "http://evil.example/{server}", "javascript:1",
    ],
)  # fmt: skip
def test_at_24_every_other_address_is_refused_before_anything_is_asked(listeners, fetch, location, monkeypatch):
    server, _, other = listeners
    server.sends_on("/a", location.replace("{server}", server.origin.removeprefix("http://")))
    server.answers["/"] = lambda handler: handler.say(200, b"")
    with pytest.raises(NotHad):
        fetch("/a", token="secret")
    assert len(server.seen) <= picture_fetching.MOST_HOPS + 1
    assert other.seen == []


def test_a_server_that_cannot_show_who_it_is_is_told_nothing(tmp_path):
    with LoopbackGitHub(tmp_path, names=["localhost"]) as github:
        places = Places(github.url, github.api_url, frozenset(), frozenset({github.url}))
        asked = Download(f"{github.url}/user-attachments/x", time.monotonic() + 5, MOST, "secret")
        with pytest.raises(NotHad, match="SSLError"):
            download(asked, places)
        assert github.attachment_requests == github.requests == []


def test_redirects_end(listeners, fetch):
    server, kept, _ = listeners
    server.sends_on("/a", f"{kept.origin}/a")
    kept.sends_on("/a", f"{server.origin}/a")
    with pytest.raises(NotHad, match="without an end"):
        fetch("/a")
    assert len(server.seen) + len(kept.seen) == picture_fetching.MOST_HOPS + 1


def test_ten_megabytes_are_not_read(listeners, fetch):
    """Whether the answer says so itself or not."""
    server, _, _ = listeners
    sent = []

    def flood(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(160):
            handler.wfile.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            sent.append(65_536)
        handler.wfile.write(b"0\r\n\r\n")

    server.answers["/said"] = lambda handler: handler.say(200, Content_Length="10000000")  # and then nothing
    server.answers["/unsaid"] = flood
    for path in ("/said", "/unsaid"):
        with pytest.raises(NotHad, match="more than 100,000 bytes"):
            fetch(path)
    assert sum(sent) < 9_000_000  # as much as fits into the sockets between the two


def test_a_slow_drip_ends_in_time(listeners, fetch):
    server, _, _ = listeners

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.answers["/a"] = drip
    began = time.monotonic()
    with pytest.raises(NotHad, match="too long"):
        fetch("/a", 0.3)
    assert time.monotonic() - began < 2


def test_silence_ends_in_time(listeners, fetch):
    server, _, _ = listeners
    server.answers["/a"] = lambda handler: time.sleep(1)
    began = time.monotonic()
    with pytest.raises(NotHad, match="didn't answer"):
        fetch("/a", 0.2)
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda handler: handler.say(404), "no such file"),
        (lambda handler: handler.say(401), "doesn't let us see it"),
        (lambda handler: handler.say(500), "answered 500"),
        (lambda handler: handler.say(206, b"part"), "answered 206"),
        (lambda handler: handler.say(200, b"\x1f\x8b", Content_Encoding="gzip"), "packed"),
        (lambda handler: handler.say(200, b"half", Content_Length="10"), "in part|didn't answer"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"), "didn't answer [(]"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "didn't answer"),
    ],
)
def test_every_other_answer_is_a_reason(listeners, fetch, answer, words):
    server, _, _ = listeners
    server.answers["/a"] = answer
    with pytest.raises(NotHad, match=words) as refused:
        fetch("/a")
    assert "127.0.0.1" not in str(refused.value)


# ------------------------------------------------------------------------------------------------------ what passes


def reset(handler: Handler) -> None:
    """End the connection as a machine does that crashes."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def reset_midway(handler: Handler) -> None:
    handler.say(200, b"by", Content_Length="5")
    reset(handler)


FLEETING: dict[str, Answer] = {
    **{str(status): (lambda handler, status=status: handler.say(status)) for status in (429, 500, 502, 503, 504)},
    "said when": lambda handler: handler.say(503, Retry_After="0"),
    "no number": lambda handler: handler.say(503, Retry_After="soon \u00b2"),
    "reset": reset,
    "reset midway": reset_midway,
    "in part": lambda handler: handler.say(200, b"by", Content_Length="5"),
    "closed": lambda handler: handler.connection.close(),
}


def in_turn(*answers: Answer) -> Answer:
    left = iter(answers)

    def answer(handler: Handler) -> None:
        next(left)(handler)

    return answer


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_fetching, "_PAUSES", (0.01, 0.02))


@pytest.mark.parametrize("failure", FLEETING)
def test_what_fails_by_chance_is_asked_for_again(listeners, fetch, hasty, failure):
    server, kept, _ = listeners
    server.sends_on("/a", f"{kept.origin}/b")
    kept.answers["/b"] = in_turn(FLEETING[failure], FLEETING[failure], lambda handler: handler.say(200, b"bytes"))
    assert fetch("/a", token="secret") == b"bytes"
    assert len(kept.seen) == 3
    assert [headers for _, headers in kept.seen if "authorization" in headers] == []


@pytest.mark.parametrize("failure", FLEETING)
def test_it_is_tried_three_times_and_not_more(listeners, fetch, hasty, failure):
    server, _, _ = listeners
    server.answers["/a"] = FLEETING[failure]
    with pytest.raises(NotHad):
        fetch("/a")
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 501])
def test_a_refusal_is_final(listeners, fetch, hasty, status):
    server, _, _ = listeners
    server.answers["/a"] = lambda handler: handler.say(status)
    with pytest.raises(NotHad):
        fetch("/a")
    assert len(server.seen) == 1


@pytest.mark.parametrize("wait", ["3600", "99999999999999999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_nobody_waits_beyond_the_deadline(listeners, fetch, wait):
    server, _, _ = listeners
    server.answers["/a"] = lambda handler: handler.say(429, Retry_After=wait)
    began = time.monotonic()
    with pytest.raises(NotHad, match="asked too often"):
        fetch("/a")
    assert len(server.seen) == 1
    assert time.monotonic() - began < 2


def test_a_wait_that_is_asked_for_is_kept(listeners, fetch, hasty):
    server, _, _ = listeners
    too_often: Answer = lambda handler: handler.say(429, Retry_After="1")  # noqa: E731
    server.answers["/a"] = in_turn(too_often, lambda handler: handler.say(200, b"bytes"))
    began = time.monotonic()
    assert fetch("/a") == b"bytes"
    assert 1 <= time.monotonic() - began < 3
