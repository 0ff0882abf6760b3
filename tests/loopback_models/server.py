"""The server: it tells the four formats apart by the path, judges each request, and plays a script or a fault."""

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType

from tests.loopback_models import anthropic, chat, gemini, responses
from tests.loopback_models.turns import Json, Memory, Misasked, Turn

FORMATS: dict[str, ModuleType] = {"chat": chat, "responses": responses, "anthropic": anthropic, "gemini": gemini}
PATHS = {
    r"/v1/chat/completions$": "chat",
    r"/v1/responses$": "responses",
    r"^/v1/messages$": "anthropic",
    r"/models/[^/]+:(?:streamGenerateContent\?alt=sse|generateContent)$": "gemini",
}
BASES = {"chat": "/v1", "responses": "/v1", "anthropic": "", "gemini": ""}
MODELS = {
    "chat": "openai/gpt-4.1",
    "responses": "openai/responses/gpt-5-mini",
    "anthropic": "anthropic/claude-sonnet-4-5",
    "gemini": "gemini/gemini-3-flash-preview",
}
"""A model of each format, as litellm names it."""


class LoopbackModels:
    """What was asked, in order, and what is still to be answered: `turns` to requests with tools, `side` to others.

    A model that is not `native` is never offered tools: there the side answers come after the turns.
    """

    def __init__(self, turns: Sequence[Turn], side: Sequence[Turn] = (), *, native: bool = True) -> None:
        self.native = native
        self.address = ""
        self.turns = list(turns)
        self.side = list(side)
        self.asked: list[tuple[str, str, Json]] = []
        self.refused: list[str] = []
        self.memory = Memory()
        self.lock = threading.Lock()
        self._answers = 0

    def base(self, wire: str) -> str:
        """Return the address that a format is spoken at."""
        return self.address + BASES[wire]

    def take(self, wire: str, path: str, body: Json) -> tuple[int, Turn]:
        """Log a request, and return its number and what answers it."""
        with self.lock:
            self.asked.append((wire, path, body))
            left = self.turns if body.get("tools") or (self.turns and not self.native) else self.side
            self._answers += 1
            return self._answers, left.pop(0) if left else Turn("There is nothing left to say.")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    models: LoopbackModels

    def handle_error(self, request, client_address):
        """Say nothing: clients that are tested hang up when they please."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wire = next((wire for pattern, wire in PATHS.items() if re.search(pattern, self.path)), "")
        if not wire:
            self._send(404, {"error": {"message": f"nothing at {self.path}"}})
            return
        models, form = self.server.models, FORMATS[wire]
        try:
            form.judge(self.path, {name.lower(): value for name, value in self.headers.items()}, body, models.memory)
        except (Misasked, KeyError, TypeError, AttributeError, ValueError, IndexError) as problem:
            models.refused.append(f"{wire}: {problem!r}")
            self._send(400, form.error_body({**form.ERRORS["invalid"][1], "message": f"refused: {problem!r}"}))
            return
        number, turn = models.take(wire, self.path, body)
        time.sleep(turn.wait)
        self._answer(form, turn, number, body)

    def _answer(self, form, turn, number, body):
        if turn.fails and not turn.midway:
            status, error = form.ERRORS[turn.fails]
            self._send(status, form.error_body(error), {"Retry-After": turn.retry_after} if turn.retry_after else {})
        elif turn.fault in ("closed", "hang", "garbage"):
            self._break(turn)
        elif form.streams(self.path, body):
            self._stream(form, turn, number, body)
        else:
            self._send(200, form.whole(turn, number, body, self.server.models.memory))

    def _break(self, turn):
        if turn.fault == "garbage":
            self._send(200, "<html>It works!</html>")
        elif turn.fault == "hang":
            time.sleep(turn.wait)
        self.close_connection = True

    def _stream(self, form, turn, number, body):
        said = form.events(turn, number, body, self.server.models.memory)
        lines = [
            (f"event: {name}\n" if name else "") + f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"
            for name, data in said
        ]
        if turn.fails:
            lines = [
                *lines[: len(lines) // 2],
                f"event: error\ndata: {json.dumps(form.error_body(form.ERRORS[turn.fails][1]))}\n\n",
            ]
        text = "".join(lines).encode()
        length = "" if turn.fault or turn.fails else f"Content-Length: {len(text)}\r\n"
        self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{length}\r\n".encode())
        if turn.fault == "drip":
            for byte in text:
                self.wfile.write(bytes([byte]))
                time.sleep(0.1)
        self.wfile.write(text[: len(text) // 2] if turn.fault == "reset" else text)
        self.close_connection = bool(turn.fault or turn.fails)

    def _send(self, status, body, headers=None):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(data), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        """Say nothing."""


@contextmanager
def serve(turns: Sequence[Turn] = (), side: Sequence[Turn] = (), *, native: bool = True) -> Iterator[LoopbackModels]:
    """Serve all formats on one port of the loopback until the end of the with block."""
    models = LoopbackModels(turns, side, native=native)
    with _Server(("127.0.0.1", 0), _Exchange) as server:
        server.models = models
        models.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield models
        finally:
            server.shutdown()
