"""Reading and writing whole files: fenced blocks that name their file above the fence or beside it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ay_bot.agent.edits.elision import find_lazy
from ay_bot.agent.edits.filenames import (
    FENCE,
    LOOK_BACK,
    WORD,
    after_fence,
    choose,
    find_meant,
    is_fence,
    looks_like_path,
    stripped,
)
from ay_bot.agent.edits.hunk import build_hunk
from ay_bot.agent.edits.matching import Match
from ay_bot.agent.edits.report import Report
from ay_bot.agent.edits.search_replace import Problem
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.edits.text import join, split
from ay_bot.agent.edits.writing import rewrite

LABEL = re.compile(r"^(?:file(?:name| path)?|path)\s*:\s*", re.IGNORECASE)
LINK = re.compile(r"^\[([^\]]+)\]\([^)]*\)$")
ANNOUNCING = frozenset({
    "here", "is", "the", "this", "new", "full", "whole", "complete", "updated", "modified", "revised", "final", "file",
    "filename", "path", "content", "contents", "of",
})  # fmt: skip
"""Words that may stand beside the path of a whole file."""
ELSEWHERE = re.compile(r"\s*(?:(?:<|&lt;){5,9} SEARCH|\*\*\* Begin Patch|diff --git )|--- .*\n\+\+\+ ")
"""How edits in the other formats begin."""
MARK = re.compile(
    r"\s*(?:<{5,9} SEARCH|>{5,9} REPLACE|\*\*\* (?:(?:Begin|End) Patch|(?:Update|Add|Delete) File: .*)"
    r"|@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*)\s*"
)


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file's text; an empty path is none."""

    path: str
    content: str


def parse_files(reply: str, known: Collection[str] = ()) -> tuple[WholeFile | Problem, ...]:
    """Read every fenced block that names a file; the only block may do without if only one file is known."""
    lines = [line.removesuffix("\r") for line in reply.split("\n")]
    found: list[WholeFile | Problem] = []
    at = 0
    while at < len(lines):
        if not is_fence(lines[at]):
            at += 1
            continue
        path = _name(lines, at, known)
        end = _end(lines, at)
        if end == len(lines):
            found.append(Problem(path, f"the block at line {at + 1} of the reply has no end; it may be cut off"))
        else:
            found.append(WholeFile(path, "".join(f"{line}\n" for line in lines[at + 1 : end])))
        at = end + 1
    if len(found) == len(known) == 1 and isinstance(only := found[0], WholeFile) and not only.path:
        return (WholeFile(next(iter(known)), only.content),)
    return tuple(item for item in found if item.path)


def _name(lines: list[str], at: int, known: Collection[str]) -> str:
    """The path beside the fence, or in the line above it."""
    beside = after_fence(lines[at]).replace("=", " ").replace(":", " ").split()
    above = next((line for line in lines[max(at - LOOK_BACK, 0) : at][::-1] if line.strip()), "")
    bare = LINK.sub(r"\1", LABEL.sub("", stripped(LABEL.sub("", stripped(above)))).strip("`*\"'"))
    names = [word.strip("\"'{}") for word in beside] + [bare]
    names = [name for name in names if name in known or looks_like_path(name)]
    return choose(names, known) or _announced(above, known)


def _announced(line: str, known: Collection[str]) -> str:
    """The known file that a line is about, if it says nothing but that the file follows."""
    words = [word.strip(".") for word in WORD.findall(line)]
    name = find_meant(line, known)
    others = {word.lower() for word in words if find_meant(word, known) != name and any(map(str.isalpha, word))}
    return name if name in known and others <= ANNOUNCING else ""


def _end(lines: list[str], at: int) -> int:
    """The line that closes the block; blocks with a language within it are part of it."""
    opened = FENCE.match(lines[at])
    mark = opened[1] if opened else None
    depth = 0
    for number in range(at + 1, len(lines)):
        fence = FENCE.match(lines[number])
        if not fence:
            continue
        if mark is None:
            if fence[1] is None and "</" in fence[0]:
                return number
        elif fence[1] and fence[1].startswith(mark):
            if after_fence(lines[number]):
                depth += 1
            elif depth:
                depth -= 1
            else:
                return number
    return len(lines)


def _is_elsewhere(content: str, lines: Sequence[str]) -> bool:
    return begins_elsewhere(content) or any(map(MARK.fullmatch, lines))


def begins_elsewhere(content: str) -> bool:
    """Whether this is no file, but an edit in another format."""
    return ELSEWHERE.match(content) is not None


def write_whole(stage: Stage, path: Path, name: str, content: str) -> Report:
    """Stage a file's new text; lines that stay keep their bytes. Raises StageError and UnicodeEncodeError."""
    if stage.open(path, name).after is None:
        stage.write(path, name, content.encode("utf-8", "replace"))
        return Report(name, f"created {name}", how="new file")
    decoded = stage.text(path, name)
    lines = split(decoded.text)
    old, new = [line.body for line in lines], [line.body for line in split(content)]
    if lazy := find_lazy(new, old) or ("..." if "..." in new and "..." not in old else ""):
        return Report(name, f"{name}: {lazy!r} stands for lines that are left out; give the whole file", ok=False)
    if _is_elsewhere(content, new) and not _is_elsewhere(decoded.text, old):
        return Report(name, f"{name}: that is an edit in another format, and not the whole file", ok=False)
    if old == new:
        return Report(name, f"{name}: already applied", how="exact", already=True)
    written = rewrite(lines, build_hunk(old, new), Match(tuple(range(len(old))))) or []
    stage.write(path, name, decoded.encode(join(written) if lines else content))
    return Report(name, f"wrote {name}", how="whole file")
