"""What `ay-bot context` prints: JSON lines for files in order, and maps."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final, NamedTuple, TypeVar

from ay_bot.errors import AyBotError, UsageError
from ay_bot.outline.counting import Counter
from ay_bot.outline.outlining import Outline
from ay_bot.outline.tree_source import Source

LONGEST: Final = 4 * 1024 * 1024
"""Bytes of a task, or of a line that holds one."""
_LINE_HINT: Final = 'give lines like {"id": "1", "rev": "HEAD", "query": "what to look for"}'

Opened = TypeVar("Opened", bound=Source)


class Request(NamedTuple):
    """One line of a batch. `id` is what the line has for one, whatever it is, to be given back."""

    id: object
    rev: str
    query: str


class _Unanswerable(UsageError):
    """A line that asks for nothing that could be done; `request` is what it says all the same."""

    def __init__(self, request: Request, message: str) -> None:
        super().__init__(message, hint=_LINE_HINT)
        self.request = request


def read_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream; of one that is too long only so much as shows that."""
    while line := stream.readline(LONGEST + 1):
        yield line
        while len(line) > LONGEST and not line.endswith(b"\n"):
            line = stream.readline(LONGEST + 1)


def read_query(stream: IO[bytes]) -> str:
    """Return the task that a stream holds. Raises UsageError for one that is too long."""
    text = stream.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise UsageError(f"the task has more than {LONGEST:,} bytes", hint="shorten it, and leave long logs out")
    return text.decode(errors="replace")


def parse_request(line: bytes, rev: str) -> Request:
    """Return what a line of a batch asks for; `rev` stands where it names none."""
    nothing = Request("", rev, "")
    if len(line) > LONGEST:
        raise _Unanswerable(nothing, f"a line has more than {LONGEST:,} bytes")
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        raise _Unanswerable(nothing, "a line is no JSON") from None
    if not isinstance(given, dict):
        raise _Unanswerable(nothing, "a line is no JSON object")
    query, name = given.get("query", ""), given.get("rev", rev)
    request = Request(given.get("id", ""), name if isinstance(name, str) else rev, "")
    if not isinstance(query, str) or not isinstance(name, str):
        raise _Unanswerable(request, "`query` and `rev` of a line are texts")
    return request._replace(query=query.encode("utf-8", "replace").decode())


def rank_line(outline: Outline, source: Source, request: Request, top: int) -> str:
    """Return the files that fit a task best as one line of JSON."""
    ranked = outline.rank(source, request.query, top)
    files = [{"path": file.path, "score": round(file.score, 6), "pinned": file.pinned} for file in ranked]
    return json.dumps({"id": request.id, "rev": request.rev, "files": files})


def map_line(outline: Outline, source: Source, request: Request, tokens: int, count: Counter) -> str:
    """Return a map as one line of JSON."""
    text = outline.map(source, request.query, tokens, count)
    return json.dumps({"id": request.id, "rev": request.rev, "tokens": count(text), "map": text})


def answer_batch(
    lines: Iterable[bytes], open_source: Callable[[str], Opened], rev: str, answer: Callable[[Opened, Request], str]
) -> Iterator[str]:
    """Yield a line for every line; one that can't be answered says why."""
    sources: dict[str, Opened] = {}
    for line in lines:
        if not line.strip():
            continue
        request = Request("", rev, "")
        try:
            request = parse_request(line, rev)
            if request.rev not in sources:
                sources = {request.rev: open_source(request.rev)}
            yield answer(sources[request.rev], request)
        except _Unanswerable as error:
            yield _refusal(error.request, error)
        except AyBotError as error:
            yield _refusal(request, error)


def _refusal(request: Request, error: AyBotError) -> str:
    return json.dumps({"id": request.id, "rev": request.rev, "error": str(error)})
