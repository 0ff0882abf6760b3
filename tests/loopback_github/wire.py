"""HTTP at the edge: reads requests whatever their framing, writes answers, hands the rest to the server."""

import base64
import binascii
import gzip
import json
import socket
import ssl
import sys
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from tests.loopback_github.server import LoopbackGitHub


class Listener(ThreadingHTTPServer):
    """A thread per connection; remembers them, so that the end of a test closes what a client keeps open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], github: "LoopbackGitHub", certificate: Path | None) -> None:
        self.github = github
        self.open: set[socket.socket] = set()
        super().__init__(address, Wire)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate.with_name("key.pem"))
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def close_all(self) -> None:
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what broke in the server itself, for the end of the test."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            self.github.violations.append("the loopback GitHub broke: " + traceback.format_exc())


class Wire(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Listener
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing: the server keeps a log of its own."""

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        self.server.github.answer(self, unquote(split.path), split.query)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

    # ------------------------------------------------------------------ reading

    @property
    def host(self) -> str:
        """Return host and port as the client wrote them."""
        return self.headers.get("Host") or "{}:{}".format(*self.server.server_address[:2])

    def chunks(self) -> Iterator[bytes]:
        """Yield the body, sent whole or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                continue
        elif length := int(self.headers.get("Content-Length") or 0):
            while length > 0 and (chunk := self.rfile.read(min(length, 65536))):
                length -= len(chunk)
                yield chunk

    def body(self) -> bytes:
        data = b"".join(self.chunks())
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def credentials(self) -> str | None:
        """Return the token of the Authorization header, None without one."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return value.strip() or None
        try:
            name, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "unreadable"
        return password if password and password != "x-oauth-basic" else name

    # ------------------------------------------------------------------ writing

    def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Answer with JSON, text, bytes or nothing."""
        data = b"" if body is None else body.encode() if isinstance(body, str) else body
        data = data if isinstance(data, bytes) else json.dumps(body).encode()
        kind = "text/html" if isinstance(body, str) else "application/json; charset=utf-8"
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(data)

    def stream(self, status: int, headers: list[tuple[str, str]], chunks: Iterator[bytes]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def drop(self) -> None:
        """Close without an answer."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
