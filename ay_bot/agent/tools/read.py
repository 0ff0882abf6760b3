"""The `read` tool: a file's text by line ranges, or what is in a directory."""

import os
import stat
from collections import deque
from pathlib import Path

from pydantic import Field

from ay_bot.agent.edits.text import decode
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, plural, refused
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Workbench

MAX_FILE = 64 * 1024 * 1024
MAX_LINE = 4_000
MAX_ENTRIES = 200
CLOSED = frozenset({"__pycache__", "node_modules", ".venv", "venv", ".tox", ".mypy_cache", ".pytest_cache"})


class ReadArguments(Arguments):
    """Lines count from 1; `end` is included."""

    path: str = Field(description="string")
    start: int | None = Field(default=None, description="first line")
    end: int | None = Field(default=None, description="last line")


def read(arguments: ReadArguments, bench: Workbench) -> ToolResult:
    """Give lines of a file, or list a directory."""
    path = bench.readable(arguments.path)
    if path.is_dir():
        return _list(path)
    try:
        content = _content(path)
    except FileNotFoundError:
        return refused("missing", f"error: {arguments.path} does not exist{_similar(path, bench)}")
    if isinstance(content, str):
        return refused("unreadable", f"error: {arguments.path} {content}")
    name = bench.shown(path)
    bench.failed_edits.read(name)
    return _lines(content, arguments, bench, name)


def _content(path: Path) -> bytes | str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        at = os.fstat(descriptor)
        if not stat.S_ISREG(at.st_mode):
            return "is neither a file nor a directory"
        if at.st_size > MAX_FILE:
            return f"has {at.st_size:,} bytes, too many to read; use search or shell"
        content = file.read(MAX_FILE)
    if b"\0" in content[:8192]:
        return f"is a binary file of {plural(len(content), 'byte')}"
    return content


def _lines(content: bytes, arguments: ReadArguments, bench: Workbench, name: str) -> ToolResult:
    lines = decode(content).text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    total = len(lines)
    first = max(arguments.start or 1, 1)
    last = min(arguments.end or total, total)
    if first > last:
        text = "(empty file)" if not total else f"error: {name} has {plural(total, 'line')}; {first} to {last} is none"
        return ToolResult(text, outcome=text, ok=not total, failure="range" if total else "", read=name)
    shown, end = _fit(lines, first, last, bench.output_limit)
    outcome = plural(len(shown), "line")
    if first == 1 and end == total:
        return ToolResult("\n".join(shown), outcome=outcome, read=name)
    more = f"; go on with start={end + 1}" if end < total else ""
    return ToolResult(f"[lines {first}-{end} of {total}{more}]\n" + "\n".join(shown), outcome=outcome, read=name)


def _fit(lines: list[str], first: int, last: int, limit: int) -> tuple[list[str], int]:
    shown: list[str] = []
    room = limit
    for line in lines[first - 1 : last]:
        text = line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} [… cut, the line has {len(line):,} characters]"
        room -= len(text.encode("utf-8", "replace")) + 1
        if room < 0 and shown:
            break
        shown.append(text)
    return shown, first + len(shown) - 1


def _list(top: Path) -> ToolResult:
    """List breadth first, so that a small tree comes whole and a large one shows its top."""
    found: list[str] = []
    cut = False
    pending = deque([(top, "")])
    while pending and not cut:
        directory, prefix = pending.popleft()
        with os.scandir(directory) as scanned:
            entries = sorted((entry for entry in scanned if entry.name != ".git"), key=lambda entry: entry.name)
        for entry in entries:
            if len(found) >= MAX_ENTRIES:
                cut = True
                break
            name = prefix + entry.name
            if not entry.is_dir(follow_symlinks=False):
                found.append(name)
            elif entry.name in CLOSED or prefix.count("/") >= 3:
                found.append(name + "/ (not listed)")
            else:
                pending.append((Path(entry.path), name + "/"))
    closed = [prefix + " (not listed)" for _, prefix in pending if prefix]
    text = "\n".join(sorted(found) + closed) or "(empty directory)"
    return ToolResult(f"{text}\n[cut at {MAX_ENTRIES} entries]" if cut else text, outcome=plural(len(found), "file"))


def _similar(path: Path, bench: Workbench) -> str:
    import difflib

    names: list[str] = []
    for directory, below, files in os.walk(bench.root):
        below[:] = [name for name in below if name != ".git" and name not in CLOSED]
        names += [bench.shown(Path(directory, name)) for name in files]
        if len(names) > 5_000:
            break
    same = [name for name in names if name.rpartition("/")[2] == path.name]
    close = same or difflib.get_close_matches(bench.shown(path), names, n=3, cutoff=0.7)
    return f"; is it {' or '.join(close[:3])}?" if close else ""


def _summary(arguments: ReadArguments) -> str:
    if arguments.start is None and arguments.end is None:
        return arguments.path
    return f"{arguments.path}:{arguments.start or 1}-{arguments.end or ''}"


READ = Tool(
    build_spec("read", "Show a file, or list a directory", {"path": "string"}, {"start": "integer", "end": "integer"}),
    ReadArguments,
    read,
    _summary,
    parallel=True,
)
