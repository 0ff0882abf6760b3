"""A model server on loopback: it gives scripted answers in the form that OpenAI's API has, or fails on purpose."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT_MESSAGE = "fix: do what the issue asks for\n\nThe scripted model has looked at the diff and says so."


@dataclass(frozen=True)
class Call:
    """One tool call of an answer."""

    tool: str
    arguments: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """One message of the model. `wait` is how many seconds it thinks."""

    calls: tuple[Call, ...] = ()
    text: str = ""
    wait: float = 0.0


def call(tool: str, **arguments: object) -> Answer:
    """Return an answer that is one tool call."""
    return Answer(calls=(Call(tool, arguments),))


def finish(summary: str = "Done.") -> Answer:
    """Return the answer that ends the agent's work."""
    return call("finish", summary=summary)


Fault = Callable[["_Handler"], None]


def fails_with(status: int, **headers: str) -> Fault:
    """Return a fault that answers every request with an HTTP status."""

    def fault(handler: "_Handler") -> None:
        body = json.dumps({"error": {"message": f"no, {status}", "type": "scripted", "code": str(status)}}).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return fault


def sends_garbage(handler: "_Handler") -> None:
    """Answer with bytes that are no event stream and no JSON."""
    handler.start_stream()
    handler.wfile.write(b"data: {\x00\xff this is not JSON\n\ndata: [1, 2\n\n<html>" + bytes(range(256)))


def sends_half_a_stream(handler: "_Handler") -> None:
    """Begin a good answer, and close the connection in the middle of a tool call."""
    handler.start_stream()
    handler.send_chunk({"role": "assistant", "content": None})
    handler.send_chunk({"tool_calls": [_piece(0, "call_1", "finish", '{"summary": "I was just about')]})


def _piece(index: int, identity: str, name: str, arguments: str) -> dict[str, object]:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": identity, "type": "function", "function": function}


class ScriptedModel:
    """What the server knows: the answers that are left, the requests that it got, and the fault it has, if any."""

    def __init__(self, answers: Sequence[Answer], fault: Fault | None) -> None:
        self.requests: list[dict[str, object]] = []
        self.fault = fault
        self.api_base = ""
        self.commit_message = Answer(text=COMMIT_MESSAGE)
        self._answers = list(answers)
        self._lock = threading.Lock()

    def next_answer(self, request: dict[str, object]) -> tuple[int, Answer]:
        """Return the number of the request and its answer; without tools, a commit message is what is asked for."""
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            if not request.get("tools"):
                return number, self.commit_message
            return number, self._answers.pop(0) if self._answers else finish("The script has run out.")

    def said_to_it(self) -> str:
        """Return everything that the model was ever told, as one text."""
        with self._lock:
            return json.dumps(self.requests, ensure_ascii=False)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    model: ScriptedModel

    def handle_error(self, request, client_address):
        """Say nothing: a run that is interrupted hangs up in the middle of an answer."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    number = 0

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = self.server.model
        if model.fault:
            model.fault(self)
            return
        self.number, answer = model.next_answer(request)
        time.sleep(answer.wait)
        if request.get("stream"):
            self._stream(answer, request)
        else:
            self._whole(answer, request)

    def start_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()

    def send_chunk(self, delta: dict[str, object], **rest: object) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": rest.pop("finish_reason", None)}
        self._send_event({"object": "chat.completion.chunk", "choices": [choice], **rest})

    def _send_event(self, event: dict[str, object]) -> None:
        frame = {"id": f"chatcmpl-{self.number}", "created": int(time.time()), "model": "scripted", **event}
        self.wfile.write(b"data: " + json.dumps(frame).encode() + b"\n\n")

    def _stream(self, answer: Answer, request: dict[str, object]) -> None:
        self.start_stream()
        self.send_chunk({"role": "assistant", "content": answer.text})
        for index, wanted in enumerate(answer.calls):
            text = json.dumps(wanted.arguments)
            middle = len(text) // 2
            self.send_chunk({"tool_calls": [_piece(index, f"call_{self.number}_{index}", wanted.tool, text[:middle])]})
            self.send_chunk({"tool_calls": [{"index": index, "function": {"arguments": text[middle:]}}]})
        self.send_chunk({}, finish_reason="tool_calls" if answer.calls else "stop")
        self._send_event({"object": "chat.completion.chunk", "choices": [], "usage": _usage(answer, request)})
        self.wfile.write(b"data: [DONE]\n\n")

    def _whole(self, answer: Answer, request: dict[str, object]) -> None:
        pieces = [
            _piece(index, f"call_{self.number}_{index}", wanted.tool, json.dumps(wanted.arguments))
            for index, wanted in enumerate(answer.calls)
        ]
        message = {"role": "assistant", "content": answer.text, **({"tool_calls": pieces} if pieces else {})}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if pieces else "stop"}
        reply = {"id": f"chatcmpl-{self.number}", "object": "chat.completion", "created": 0, "model": "scripted"}
        body = json.dumps({**reply, "choices": [choice], "usage": _usage(answer, request)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Say nothing."""


def _usage(answer: Answer, request: dict[str, object]) -> dict[str, int]:
    sent = len(json.dumps(request["messages"])) // 4
    received = 1 + sum(len(json.dumps(wanted.arguments)) for wanted in answer.calls) // 4
    return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}


@contextmanager
def serve(answers: Sequence[Answer] = (), fault: Fault | None = None) -> Iterator[ScriptedModel]:
    """Serve a script on a free port of loopback until the end of the with block."""
    model = ScriptedModel(answers, fault)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.model = model
        model.api_base = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield model
        finally:
            server.shutdown()
            thread.join()
