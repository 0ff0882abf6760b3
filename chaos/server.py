"""The hostile model: a server of chat completions on the loopback that answers with whatever bytes it is told to."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What is sent: a head, then pieces with a pause before each; `reset` breaks the connection at the end."""

    pieces: Iterable[bytes] = ()
    status: int = 200
    kind: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    reset: bool = False


def say(text: str = "", *calls: tuple[str, object], finish: str = "", usage: object = None) -> Answer:
    """A well-formed answer: text, and calls as (name, arguments); arguments that are text stay as they are."""
    return Answer(tuple(stream(text, calls, finish=finish, usage=usage)))


def stream(
    text: str, calls: Iterable[tuple[str, object]], *, finish: str = "", usage: object = None
) -> Iterable[bytes]:
    """The events of a well-formed answer."""
    made = [
        {"index": at, "id": f"call_{time.monotonic_ns()}_{at}", "type": "function",
         "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)}}
        for at, (name, given) in enumerate(calls)
    ]  # fmt: skip
    yield delta({"role": "assistant", "content": text})
    for call in made:
        yield delta({"tool_calls": [call]})
    yield delta({}, finish or ("tool_calls" if made else "stop"))
    counted = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120} if usage is None else usage
    yield event({"id": "x", "object": "chat.completion.chunk", "model": "chaos", "choices": [], "usage": counted})
    yield b"data: [DONE]\n\n"


def delta(content: Json, finish: str | None = None) -> bytes:
    """One event of one choice."""
    choice = {"index": 0, "delta": content, "finish_reason": finish}
    return event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "chaos", "choices": [choice]})


def event(data: Json) -> bytes:
    """One event."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def refuse(status: int, message: str, **headers: str) -> Answer:
    """An error, as providers send it."""
    body = json.dumps({"error": {"message": message, "type": "chaos", "code": None}}).encode()
    return Answer(
        (body,), status, "application/json", {name.replace("_", "-"): value for name, value in headers.items()}
    )


class HostileModel:
    """Serves answers in order, the last one for ever; requests without tools (messages, summaries) get `aside`."""

    def __init__(self, answers: Iterable[Answer | Callable[[Json], Answer]], aside: Answer | None = None) -> None:
        self._answers = list(answers)
        self._aside = aside or say("fix: add instead of subtracting")
        self._lock = threading.Lock()
        self.requests = 0
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._server.model = self

    @property
    def api_base(self) -> str:
        """The address to use as --api-base."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, request: Json) -> Answer:
        """Return what a request gets."""
        with self._lock:
            self.requests += 1
            if not request.get("tools"):
                return self._aside
            chosen = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return chosen if isinstance(chosen, Answer) else chosen(request)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    model: HostileModel

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are no news."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        answer = self.server.model.answer(request)
        self.close_connection = True
        head = {"Content-Type": answer.kind, "Connection": "close", **answer.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.connection.sendall(f"HTTP/1.1 {answer.status} Chaos\r\n{lines}\r\n".encode())
        for piece in answer.pieces:
            time.sleep(answer.pause)
            self.connection.sendall(piece)
        if answer.reset:  # with nothing in its queue, the kernel sends a reset instead of an end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the base class
        """Be silent."""
