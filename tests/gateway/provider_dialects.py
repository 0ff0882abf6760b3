"""Servers that answer in OpenAI's, Anthropic's and Gemini's dialect of a stream, always the same, and keep requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Json = dict[str, object]


def _openai() -> list[Json]:
    frame = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "shell", "arguments": '{"com'}}
    return [
        chunk({"role": "assistant", "content": "Let me "}),
        chunk({"content": "look."}),
        chunk({"tool_calls": [call]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": 'mand": "ls"}'}}]}),
        chunk({}, "tool_calls"),
        {
            **frame,
            "choices": [],
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 50,
                "total_tokens": 1050,
                "prompt_tokens_details": {"cached_tokens": 600},
            },
        },
    ]


def _anthropic() -> list[Json]:
    counted = {
        "input_tokens": 400,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 600,
        "output_tokens": 1,
    }
    opening = {"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": counted}
    tool = {"type": "tool_use", "id": "call_1", "name": "shell", "input": {}}
    return [
        {"type": "message_start", "message": opening},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Let me "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "look."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": tool},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"com'}},
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": 'mand": "ls"}'},
        },
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 50}},
        {"type": "message_stop"},
    ]


def _gemini() -> list[Json]:
    def part(content: Json, **rest: object) -> Json:
        return {
            "candidates": [{"content": {"parts": [content], "role": "model"}, "index": 0, **rest}],
            "modelVersion": "m",
        }

    counted = {
        "promptTokenCount": 1000,
        "candidatesTokenCount": 50,
        "totalTokenCount": 1050,
        "cachedContentTokenCount": 600,
    }
    call = {"functionCall": {"name": "shell", "args": {"command": "ls"}}}
    return [
        part({"text": "Let me "}),
        part({"text": "look."}),
        {**part(call, finishReason="STOP"), "usageMetadata": counted},
    ]


STREAMS = {"/chat/completions": _openai, "/v1/messages": _anthropic, "streamGenerateContent": _gemini}


class Provider:
    """What a server was asked: path, headers and body of each request."""

    def __init__(self) -> None:
        self.address = ""
        self.asked: list[tuple[str, dict[str, str], Json]] = []


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: Provider


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.provider.asked.append((self.path, headers, body))
        events = next(stream() for end, stream in STREAMS.items() if end in self.path)
        lines = [f"event: {event['type']}\n" if "type" in event else "" for event in events]
        text = "".join(f"{line}data: {json.dumps(event)}\n\n" for line, event in zip(lines, events, strict=True))
        data = (text + ("data: [DONE]\n\n" if "chat" in self.path else "")).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(data)}\r\n\r\n"
        self.wfile.write(head.encode() + data)

    def log_message(self, *arguments):
        """Be silent."""


@contextmanager
def serve() -> Iterator[Provider]:
    """Serve all three dialects on one port."""
    provider = Provider()
    with _Server(("127.0.0.1", 0), _Exchange) as server:
        server.provider = provider
        provider.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield provider
        finally:
            server.shutdown()
