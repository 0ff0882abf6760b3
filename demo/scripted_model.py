"""A model that follows a script: an OpenAI-compatible chat-completions server on the loopback, standard library only.

    python demo/scripted_model.py SCRIPT.json [--port 0]      prints the address to use as --api-base

A script is a JSON object (or just its list of turns):

    {"turns": [TURN, ...], "side": [TURN or "text", ...]}

Requests that offer tools get the turns in order; requests without tools (titles, commit messages) get the side
answers in order. When a list runs out, the answer is a text that says so. A turn may have

    text        what the model says
    tool_calls  [{"name": ..., "arguments": {...} or "raw text"}, ...]
    usage       {"prompt_tokens": ..., "completion_tokens": ...} instead of an estimate by size
    finish      the finish reason, instead of "tool_calls" or "stop"
    delay       seconds to wait before the answer
    status      an HTTP status of 400 or more: an error answer, with `text` as its message
    headers     extra headers, such as {"Retry-After": "1"}
    fault       "garbage" (not a stream), "half_stream" (breaks off before the end), "hang" (sends nothing for `delay`
                seconds after its headers, then closes), "disconnect" (closes without an answer)
"""

import argparse
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

Json = dict[str, Any]  # as it comes from a stranger
Fault = Literal["", "garbage", "half_stream", "hang", "disconnect"]
PIECE = 2000  # characters of text or arguments in one event
GARBAGE = b"<html><body>It works!</body></html>\n"


@dataclass(frozen=True)
class Turn:
    """One answer of the model."""

    text: str = ""
    tool_calls: tuple[Json, ...] = ()
    usage: Json = field(default_factory=dict)
    finish: str = ""
    delay: float = 0.0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault = ""


@dataclass
class Script:
    """The turns that are still to come."""

    turns: list[Turn]
    side: list[Turn]

    def next_for(self, request: Json) -> Turn:
        """Take the next answer for a request."""
        waiting, name = (self.turns, "turns") if request.get("tools") else (self.side, "side answers")
        if waiting:
            return waiting.pop(0)
        return Turn(text=f"scripted model: the script has no more {name}, but was asked again")


def parse_script(script: object) -> Script:
    """Read a script in its JSON form, and say what is wrong with it."""
    whole = {"turns": script} if isinstance(script, list) else script
    if not isinstance(whole, dict) or not set(whole) <= {"turns", "side"}:
        msg = "a script is a list of turns, or an object with `turns` and `side`"
        raise ValueError(msg)
    return Script(
        [parse_turn(turn) for turn in whole.get("turns", [])], [parse_turn(turn) for turn in whole.get("side", [])]
    )


def parse_turn(turn: object) -> Turn:
    """Read one turn: a text, an object, or a Turn already."""
    if isinstance(turn, Turn):
        return turn
    if isinstance(turn, str):
        return Turn(text=turn)
    if not isinstance(turn, dict):
        msg = f"not a turn: {turn!r}"
        raise ValueError(msg)  # noqa: TRY004 - the script is wrong, not the program
    try:
        return Turn(**{**turn, "tool_calls": tuple(turn.get("tool_calls", ()))})
    except TypeError as error:
        msg = f"not a turn: {json.dumps(turn)[:200]} ({error})"
        raise ValueError(msg) from None


# ----------------------------------------------------------------- answers in OpenAI's dialect


def answer_of(turn: Turn, number: int, request_size: int) -> Json:
    """Return the whole answer, as a server gives it to a client that doesn't stream."""
    calls = [
        {"id": f"call_{number}_{place}", "type": "function", "function": {**call, "arguments": _as_text(call)}}
        for place, call in enumerate(turn.tool_calls)
    ]
    message: Json = {"role": "assistant", "content": turn.text or None}
    if calls:
        message["tool_calls"] = calls
    said = len(turn.text) + sum(len(call["function"]["arguments"]) for call in calls)
    usage = {"prompt_tokens": request_size // 4, "completion_tokens": said // 4 + 1, **turn.usage}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_700_000_000 + number,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": turn.finish or _finish(turn)}],
        "usage": {**usage, "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]},
    }


def _as_text(call: Json) -> str:
    arguments = call.get("arguments", {})
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _finish(turn: Turn) -> str:
    return "tool_calls" if turn.tool_calls else "stop"


def events_of(answer: Json, *, with_usage: bool) -> Iterator[bytes]:
    """Cut a whole answer into the events of a stream."""
    choice = answer["choices"][0]
    message = choice["message"]
    frame = {key: answer[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}

    def event(delta: Json, finish: str | None = None) -> bytes:
        return _event({**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield event({"role": "assistant", "content": ""})
    for piece in _pieces(message["content"] or ""):
        yield event({"content": piece})
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        opening = {**call, "index": index, "function": {"name": function["name"], "arguments": ""}}
        yield event({"tool_calls": [opening]})
        for piece in _pieces(function["arguments"]):
            yield event({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield event({}, choice["finish_reason"])
    if with_usage:
        yield _event({**frame, "choices": [], "usage": answer["usage"]})
    yield b"data: [DONE]\n\n"


def _event(data: Json) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _pieces(text: str) -> Iterable[str]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def problem_with(request: object) -> str:
    """Say why a request is none that this server understands, or nothing."""
    if not isinstance(request, dict):
        return "the body is not a JSON object"
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        return "`messages` is not a list with something in it"
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        return "a message has no role"
    return ""


# ----------------------------------------------------------------- the server


class ScriptedModel:
    """The server, as a context manager. `requests` keeps the bodies of all requests, `heads` their headers."""

    def __init__(self, script: object, port: int = 0, host: str = "127.0.0.1") -> None:
        self.script = parse_script(script)
        self.requests: list[Json] = []
        self.heads: list[dict[str, str]] = []
        self.times: list[float] = []
        self._lock = threading.Lock()
        self._server = _Server((host, port), _Exchange)
        self._server.model = self
        self.host = host
        self.port: int = self._server.server_address[1]

    @property
    def api_base(self) -> str:
        """The address to use as --api-base."""
        return f"http://{self.host}:{self.port}/v1"

    def take(self, request: Json, head: dict[str, str]) -> tuple[Turn, int]:
        """Log a request, and return the turn that answers it, with its number."""
        with self._lock:
            self.requests.append(request)
            self.heads.append(head)
            self.times.append(time.monotonic())
            return self.script.next_for(request), len(self.requests)

    def serve(self) -> None:
        """Serve until stopped."""
        self._server.serve_forever(poll_interval=0.05)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    model: ScriptedModel

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are no news."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.endswith("/chat/completions"):
            self._refuse(404, f"scripted model: there is nothing at {self.path}, only /v1/chat/completions")
            return
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        if problem := problem_with(request):
            self._refuse(400, f"scripted model: {problem}")
            return
        turn, number = self.server.model.take(request, dict(self.headers))
        self._play(turn, number, request, len(body))

    def do_GET(self) -> None:
        self._refuse(404, f"scripted model: there is nothing at {self.path}, only POST /v1/chat/completions")

    def _play(self, turn: Turn, number: int, request: Json, size: int) -> None:
        if turn.fault == "hang":
            self._hang(turn)
        time.sleep(turn.delay)
        if turn.fault in ("hang", "disconnect"):
            self._disconnect()
        elif turn.status >= 400:
            self._refuse(turn.status, turn.text or f"scripted status {turn.status}", turn.headers)
        elif turn.fault == "garbage":
            self._send(200, "text/event-stream", GARBAGE, turn.headers)
        else:
            self._answer(turn, answer_of(turn, number, size), request)

    def _answer(self, turn: Turn, answer: Json, request: Json) -> None:
        if not request.get("stream"):
            self._send(200, "application/json", json.dumps(answer).encode(), turn.headers)
            return
        with_usage = bool((request.get("stream_options") or {}).get("include_usage"))
        events = list(events_of(answer, with_usage=with_usage))
        body = b"".join(events)
        if turn.fault == "half_stream":
            self.wfile.write(self._head(200, "text/event-stream", len(body), turn.headers) + body[: len(body) // 2])
            self._disconnect()
        else:
            self._send(200, "text/event-stream", body, turn.headers)

    def _hang(self, turn: Turn) -> None:
        self.wfile.write(self._head(200, "text/event-stream", 1_000_000, turn.headers))

    def _disconnect(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        error = {"error": {"message": message, "type": "scripted", "code": None}}
        self._send(status, "application/json", json.dumps(error).encode(), headers or {})

    def _send(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        """Send everything with one write, so that the client waits for nothing."""
        self.wfile.write(self._head(status, kind, len(body), headers) + body)

    def _head(self, status: int, kind: str, length: int, headers: dict[str, str]) -> bytes:
        fields = {"Content-Type": kind, "Content-Length": str(length), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"HTTP/1.1 {status} {self.responses.get(status, ('Scripted',))[0]}\r\n{lines}\r\n".encode()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the base class
        """Be silent."""


def main() -> None:
    """Serve a script until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, metavar="SCRIPT.json")
    parser.add_argument("--script", type=Path, help="the same, by name")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    path = arguments.script or arguments.file
    if path is None:
        parser.error("which script?")
    try:
        model = ScriptedModel(json.loads(path.read_text()), arguments.port)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{path}: {error}\n")
    print(model.api_base, flush=True)
    try:
        model.serve()
    except KeyboardInterrupt:
        parser.exit(130)


if __name__ == "__main__":
    main()
