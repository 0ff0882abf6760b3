"""Reading SEARCH/REPLACE blocks out of a reply: a malformed block is a problem of its own, the others stand."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ay_bot.agent.edits.filenames import LOOK_BACK, find_meant, find_name

HEAD = re.compile(r"(\s*)<{5,9} SEARCH>?\s*$")
DIVIDER = re.compile(r"\s*={5,9}\s*$")
UPDATED = re.compile(r"(\s*)>{5,9} REPLACE\s*$")
FARTHEST = 6  # lines
OTHER_HEAD = re.compile(
    r"^([ \t]*)(?:<{3,10}|-{3,10}) ?(?:SEARCH|ORIGINAL|OLD)\b:?[ \t]*([^\s:>]*):?>*[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
OTHER_END = re.compile(
    r"^([ \t]*)(?:>{3,10}|\+{3,10}) ?(?:REPLACE|UPDATED?|NEW)\b:?[ \t\r]*$", re.MULTILINE | re.IGNORECASE
)
USUAL_DIVIDER = "======="
SHELLS = ("bash", "sh", "shell", "cmd", "batch", "powershell", "ps1", "zsh", "fish", "ksh", "csh", "tcsh")
SHELL = re.compile(rf"\s*```(?:{'|'.join(SHELLS)})")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stand in a file, and what shall stand there; `occurrence` (from 1) says which of several is meant."""

    path: str
    search: str
    replace: str
    occurrence: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command that the model suggests; nothing runs it."""

    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of a reply that can't be read, and why."""

    path: str
    why: str


Item = Block | Command | Problem


def parse_blocks(reply: str, known: Collection[str] = (), *, strict: bool = True) -> tuple[Item, ...]:
    """Read all blocks in order; `known` are the files that may be meant by something like their name.

    Unless `strict`, other systems' marks are taken where a reply has none of the usual ones.
    """
    if not strict and not any(map(HEAD.match, reply.splitlines())):
        reply = OTHER_HEAD.sub(_usual_head, OTHER_END.sub(r"\1>>>>>>> REPLACE", reply))
    reader = _Reader(reply.splitlines(keepends=True), known)
    found: list[Item] = []
    while reader.at < len(reader.lines):
        if item := reader.read():
            found.append(item)
    return tuple(found)


def _usual_head(head: re.Match[str]) -> str:
    """The usual mark for another system's, below the path that may stand beside it."""
    named = f"{head[1]}{head[2]}\n" if head[2] else ""
    return f"{named}{head[1]}<<<<<<< SEARCH"


@dataclass(slots=True)
class _Reader:
    lines: list[str]
    known: Collection[str]
    path: str = ""
    at: int = 0
    done: int = 0  # where the last block ended

    def read(self) -> Item | None:
        """The item that begins at the present line, if one does; the present line is then the one after it."""
        line = self.lines[self.at]
        if SHELL.match(line) and not any(map(HEAD.match, self.lines[self.at + 1 : self.at + 3])):
            return self._command()
        if HEAD.match(line):
            return self._block(self.at)
        self.at += 1
        return None

    def _command(self) -> Command:
        start = self.at + 1
        end = self._next(start, lambda line: line.strip().startswith("```"))
        self.at = end + 1
        return Command("".join(self.lines[start:end]))

    def _block(self, head: int) -> Item:
        is_new = bool(self.lines[head + 1 : head + 2]) and _divides(self.lines[head + 1])
        name = find_name(self.lines[max(head - LOOK_BACK, 0) : head], () if is_new else self.known)
        name = name or self._far_name(head)
        self.path = name if name and not (self.path and is_prose(name)) else self.path
        limit = self._next(head + 1, _mark(HEAD, self.lines[head]))
        last = self._next(head + 1, _mark(UPDATED, self.lines[head]), limit)
        self.at = min(last + 1, limit)
        if not self.path:
            return self._problem(head, "no file is named above it; put the path on a line of its own before the block")
        divider, end = self._divider(head, last, limit)
        if divider >= last:
            return self._problem(head, f"expected `{USUAL_DIVIDER}` between the two parts")
        if end >= limit:
            return self._problem(head, "expected `>>>>>>> REPLACE` at the end")
        self.at = self.done = end + 1
        return Block(self.path, "".join(self.lines[head + 1 : divider]), "".join(self.lines[divider + 1 : end]))

    def _far_name(self, head: int) -> str:
        """A known file that is named farther above, over blank lines; or the only one there is."""
        start = max(self.done, head - FARTHEST)
        names = (find_meant(line.strip(), self.known) for line in reversed(self.lines[start:head]) if line.strip())
        only = next(iter(self.known), "") if len(self.known) == 1 else ""
        return next((name for name in names if name in self.known), "") or (only if not self.path else "")

    def _divider(self, head: int, last: int, limit: int) -> tuple[int, int]:
        """Where the parts meet and where the second ends; of several dividers, the only usual one is meant."""
        found = [at for at in range(head + 1, last) if _divides(self.lines[at])]
        usual = [at for at in found if self.lines[at].strip() == USUAL_DIVIDER]
        if len(found) > 1 and len(usual) == 1 and last < limit:
            return usual[0], last
        divider = found[0] if found else last
        return divider, self._next(divider + 1, lambda line: _divides(line) or bool(UPDATED.match(line)), limit)

    def _next(self, start: int, wanted: Callable[[str], bool], stop: int | None = None) -> int:
        stop = len(self.lines) if stop is None else stop
        return next((at for at in range(start, stop) if wanted(self.lines[at])), stop)

    def _problem(self, head: int, why: str) -> Problem:
        return Problem(self.path, f"the SEARCH/REPLACE block at line {head + 1} of the reply can't be read: {why}")


def is_prose(name: str) -> bool:
    """Whether a name is more likely words before a block than a path."""
    return " " in name and "." not in name and "/" not in name


def _divides(line: str) -> bool:
    return DIVIDER.match(line) is not None


def _mark(pattern: re.Pattern[str], head: str) -> Callable[[str], bool]:
    """Whether a line is a mark as deep as the block's head; deeper ones are part of the text."""
    opened = HEAD.match(head)
    indent = opened[1] if opened else ""

    def wanted(line: str) -> bool:
        found = pattern.match(line)
        return found is not None and found[1] == indent

    return wanted
