"""What `ay-bot context` prints: JSON lines for files in order, and maps."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

from ay_bot.errors import AyBotError, UsageError
from ay_bot.outline.counting import Counter
from ay_bot.outline.outlining import Outline
from ay_bot.outline.tree_source import Source

_LONGEST_LINE: Final = 4 * 1024 * 1024
_LINE_HINT: Final = 'give lines like {"id": "1", "rev": "HEAD", "query": "what to look for"}'

Opened = TypeVar("Opened", bound=Source)


class Request(NamedTuple):
    """One line of a batch."""

    id: str
    rev: str
    query: str


def parse_request(line: bytes, rev: str) -> Request:
    """Return what a line of a batch asks for; `rev` stands where it names none."""
    if len(line) > _LONGEST_LINE:
        raise UsageError(f"a line has {len(line)} bytes; {_LONGEST_LINE} are the most", hint=_LINE_HINT)
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError("a line is no JSON", hint=_LINE_HINT) from None
    if not isinstance(given, dict):
        raise UsageError("a line is no JSON object", hint=_LINE_HINT)
    query, name = given.get("query", ""), given.get("rev", rev)
    if not isinstance(query, str) or not isinstance(name, str):
        raise UsageError("`query` and `rev` of a line are texts", hint=_LINE_HINT)
    return Request(str(given.get("id", "")), name, query)


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
        except AyBotError as error:
            yield json.dumps({"id": request.id, "rev": request.rev, "error": str(error)})
