"""Reading unified diffs as models write them: wrong or missing counts, missing marks, fences and prose around them."""

import re
from dataclasses import dataclass, field

from ay_bot.agent.edits.filenames import LOOK_BACK, find_name, is_fence, looks_like_path
from ay_bot.agent.edits.unified_hunk import DiffHunk, is_header, read_hunk

NOTHING = "/dev/null"
ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a diff says of one file: its paths before and after, None for no file, empty if it does not say."""

    old: str | None
    new: str | None
    hunks: tuple[DiffHunk, ...] = ()
    renamed: bool = False
    trouble: str = ""

    @property
    def path(self) -> str:
        """The file that the hunks are for."""
        return self.old or self.new or ""


def parse_diff(reply: str) -> tuple[FileDiff, ...]:
    """Read all files of all diffs in a reply."""
    reader = _Reader([line.removesuffix("\r") for line in reply.split("\n")])
    while reader.at < len(reader.lines):
        reader.step()
    reader.close()
    return tuple(reader.files)


@dataclass(slots=True)
class _Reader:
    lines: list[str]
    at: int = 0
    files: list[FileDiff] = field(default_factory=list)
    old: str | None = ""
    new: str | None = ""
    hunks: list[DiffHunk] = field(default_factory=list)
    renamed: bool = False
    fenced: bool = False
    trouble: str = ""

    def step(self) -> None:
        line = self.lines[self.at]
        if is_header(self.lines, self.at):
            self._header(line[4:], self.lines[self.at + 1][4:])
            return
        if line.startswith("@@"):
            self._hunk()
            return
        if line.startswith(("--- ", "+++ ")) and "".join(self.lines[self.at + 1 : self.at + 2]).startswith("@@"):
            self.close()
            self.old = self.new = parse_name(line[4:])  # the other line was left out
        if line.startswith("diff --git "):
            self.close()
        elif line.startswith("rename from "):
            self.old, self.renamed = parse_name(line[12:]), True
        elif line.startswith("rename to "):
            self.new = parse_name(line[10:])
        elif line.startswith(("Binary files ", "GIT binary patch")):
            self.trouble = "it is a binary diff, which can't be applied"
        elif is_fence(line):
            self._fence()
        self.at += 1

    def close(self) -> None:
        """Put what was read of a file away."""
        if self.hunks or self.renamed or self.trouble:
            self.files.append(FileDiff(self.old, self.new, tuple(self.hunks), self.renamed, self.trouble))
            self.hunks = []
        self.renamed, self.trouble = False, ""

    def _header(self, old: str, new: str) -> None:
        if self.hunks or not self.renamed:
            self.close()
        self.old, self.new = _without_prefixes(parse_name(old), parse_name(new))
        self.at += 2
        if self.at < len(self.lines) and self.lines[self.at][:1] in {"+", "-", " "}:
            self._hunk()  # its line with @@ was left out

    def _hunk(self) -> None:
        hunk, self.at = read_hunk(self.lines, self.at, fenced=self.fenced)
        if hunk.hunk.lines:
            self.hunks.append(hunk)

    def _fence(self) -> None:
        self.fenced = not self.fenced
        above = self.lines[max(self.at - LOOK_BACK, 0) : self.at]
        if self.fenced and looks_like_path(name := find_name(above)):
            self.close()
            self.old = self.new = name


def parse_name(text: str) -> str | None:
    """A path of a header; None for no file."""
    name = text.split("\t", 1)[0].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = ESCAPE.sub(_unescaped, name[1:-1].encode("utf-8", "replace")).decode("utf-8", "replace")
    return None if name == NOTHING else name


def _unescaped(found: re.Match[bytes]) -> bytes:
    code: bytes = found[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else LETTERS.get(code, code)


def _without_prefixes(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Both paths without git's a/ and b/, if both have them."""
    if all(name is None or name.startswith(prefix) for name, prefix in ((old, "a/"), (new, "b/"))):
        return old and old[2:], new and new[2:]
    return old, new
