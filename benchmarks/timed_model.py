"""The demo's scripted model, with a clock: when each request began to come, and when its answer had gone."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from demo.scripted_model import Json, answer_of, events_of, parse_script


@dataclass
class Exchange:
    """One request and its answer. Times are those of the monotonic clock, in seconds."""

    request: Json
    arrived: float
    answered: float = 0.0

    @property
    def is_step(self) -> bool:
        """Whether the agent asked, and not somebody who wants a title."""
        return bool(self.request.get("tools"))


class TimedModel:
    """The server, as a context manager."""

    def __init__(self, script: object) -> None:
        self.script = parse_script(script)
        self.exchanges: list[Exchange] = []
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.model = self

    @property
    def api_base(self) -> str:
        """The address to use as --api-base."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def steps(self) -> list[Exchange]:
        """The agent's own exchanges, in order."""
        return [exchange for exchange in self.exchanges if exchange.is_step]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    model: TimedModel

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server  # type: ignore[mutable-override]
    arrived = 0.0

    def parse_request(self) -> bool:
        """Note when the first line was there."""
        self.arrived = time.monotonic()
        return super().parse_request()

    def do_POST(self) -> None:
        """Answer with the script's next turn."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = json.loads(body)
        model = self.server.model
        with model.lock:
            exchange = Exchange(request, self.arrived)
            model.exchanges.append(exchange)
            turn, number = model.script.next_for(request), len(model.exchanges)
        answer = answer_of(turn, number, len(body))
        if request.get("stream"):
            kind, data = "text/event-stream", b"".join(events_of(answer, with_usage=True))
        else:
            kind, data = "application/json", json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
        self.wfile.write(head.encode() + data)
        exchange.answered = time.monotonic()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the base class
        """Be silent."""
