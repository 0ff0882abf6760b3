"""Which parts of a Markdown text are code, comments or tags; where readers would disagree, it says so.

Only the standard library is imported: the gate, which runs on a bare Python, reads text with it too.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

POSSIBLY: Final = 1
SURELY: Final = 2

_SPACE = r"[ \t\n]"
_ATTRIBUTE = rf"(?:{_SPACE}++[A-Za-z_:][\w.:-]*+(?:{_SPACE}*+={_SPACE}*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++))?+)"
TAG: Final = re.compile(rf"<(?:[A-Za-z][A-Za-z0-9-]*+{_ATTRIBUTE}*+{_SPACE}*+/?>|/[A-Za-z][A-Za-z0-9-]*+{_SPACE}*+>)")
LONGEST_TAG: Final = 70_000
"""More than any text that GitHub stores, and a bound on the time that a tag without an end can cost."""

AUTOLINK: Final = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*+>|<[\w.+-]{1,80}@[\w.-]{1,250}>")
_COMMENT_EDGE = re.compile(r"<!--|--!?>")
_MARKERS = r"(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)"
_OPENER = re.compile(rf"(?P<lead>[ \t]*+{_MARKERS}*+)(?P<run>`{{3,}}|~{{3,}})(?P<info>.*)")
_QUOTE = re.compile(r" {0,3}>[ ]?")
_LIST = re.compile(rf"[ \t]*+{_MARKERS}")
_LIST_CODE = re.compile(rf"[ \t]*+{_MARKERS}*(?:[-*+]|\d{{1,9}}[.)])(?: {{5}}| *\t)")
_RAW_HTML = re.compile(
    r" {0,3}<(?:(?P<tag>script|pre|style|textarea)(?=[\s>]|$)|(?P<other>!--|\?|!\[CDATA\[|!(?=[A-Za-z])))",
    re.IGNORECASE,
)
_HTML = re.compile(r" {0,3}</?[A-Za-z]")
_RAW_ENDS = {"!--": "-->", "?": "?>", "![cdata[": "]]>", "!": ">"}
_INLINE = re.compile(r"\\[!-/:-@\[-`{-~]|(?P<run>`+)|<")
_TABLE = re.compile(r"^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\||$)", re.MULTILINE)
_MOST_STATES = 8
_DEEPEST_QUOTE = 4


class Span(NamedTuple):
    """A part of a text: from `start` up to, not including, `end`."""

    start: int
    end: int


class _Fence(NamedTuple):
    mark: str
    length: int
    column: int


class _Raw(NamedTuple):
    """Raw HTML up to `end`, or up to a blank line where that is empty."""

    end: str


_State = _Fence | _Raw | None


def columns(line: str) -> int:
    """Return how many columns of white space `line` begins with."""
    return len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip(" "))


class _Blocks:
    """Reads lines in order; where Markdown's containers leave it open what a line is, it follows all readings."""

    def __init__(self, depth: int = 0) -> None:
        self.states: set[_State] = {None}
        self.lost = depth > _DEEPEST_QUOTE
        self.depth = depth
        self.inner: _Blocks | None = None
        self.lists = False
        self.indented = True
        self.opened = False

    def feed(self, line: str) -> tuple[int, bool]:
        """Return how surely `line` is code, and whether it is ordinary text in every reading."""
        if self.lost:
            return POSSIBLY, False
        quoted = self._quoted(line)
        ways = [way for state in self.states for way in self._ways(state, line, quoted)]
        plain = self.states == {None} and not _RAW_HTML.match(line)
        before, self.states = self.states, {state for state, _ in ways}
        self.opened = any(isinstance(state, _Fence) for state in self.states - before) or bool(
            quoted is not None and self.inner and self.inner.opened
        )
        self.lost = len(self.states) > _MOST_STATES
        marks = {mark for _, mark in ways}
        mark = SURELY if marks == {SURELY} else POSSIBLY if marks - {0} else 0
        mark = max(mark, self._indented(line, plain=plain and self.states == {None}))
        return mark, plain and self.states == {None}

    def _quoted(self, line: str) -> int | None:
        match = _QUOTE.match(line)
        if not match:
            self.inner = None
            return None
        self.inner = self.inner or _Blocks(self.depth + 1)
        return self.inner.feed(line[match.end() :])[0]

    def _indented(self, line: str, *, plain: bool) -> int:
        self.lists = self.lists or bool(_LIST.match(line))
        if not line.strip():
            self.indented = True
            return 0
        sure = self.indented and plain and not self.lists  # in a list, the same columns may be text
        deep = columns(line) >= 4 or bool(_LIST_CODE.match(line))
        self.indented = deep and sure
        return (SURELY if sure else POSSIBLY) if deep else 0

    def _ways(self, state: _State, line: str, quoted: int | None) -> Iterator[tuple[_State, int]]:
        match state:
            case _Fence():
                yield from self._in_fence(state, line, quoted)
            case _Raw():
                ended = state.end in line.lower() if state.end else not line.strip()
                yield (None if ended else state), 0
            case None:
                yield from _outside(line, quoted)

    def _in_fence(self, fence: _Fence, line: str, quoted: int | None) -> Iterator[tuple[_State, int]]:
        indent = columns(line)
        if line.strip() and indent < fence.column:  # the list that the fence may stand in has ended
            yield from _outside(line, quoted)
        rest = line.strip()
        closes = len(rest) >= fence.length and set(rest) == {fence.mark} and indent <= fence.column + 3
        yield (None if closes else fence), SURELY


def _outside(line: str, quoted: int | None) -> Iterator[tuple[_State, int]]:
    if quoted is not None:
        yield None, quoted
    elif raw := _RAW_HTML.match(line):
        end = "</" + raw["tag"].lower() if raw["tag"] else _RAW_ENDS[raw["other"].lower()]
        yield (None if end in line[raw.end() :].lower() else _Raw(end)), 0
    elif _HTML.match(line):
        yield None, 0
        yield _Raw(""), 0
    elif (opener := _OPENER.match(line)) and not (opener["run"][0] == "`" and "`" in opener["info"]):
        column = len(opener["lead"].expandtabs(4))
        if not opener["lead"].strip() and column > 3:
            yield None, 0
        yield _Fence(opener["run"][0], len(opener["run"]), column), SURELY
    else:
        yield None, 0


def code_mask(text: str) -> bytearray:
    """Return for each character whether it is code: 0, `POSSIBLY` or `SURELY`. Lines must end in a line feed alone."""
    mask = bytearray(len(text))
    blocks, start = _Blocks(), 0
    chunk: list[Span] = []
    ordinary = True
    for line in text.split("\n"):
        end = start + len(line)
        mark, plain = blocks.feed(line)
        if mark:
            mask[start:end] = bytes([mark]) * (end - start)
        if not line.strip() or mark == SURELY:
            _mark_inline(text, chunk, mask, sure=ordinary)
            chunk, ordinary = [], True
        else:
            chunk.append(Span(start, end))
            ordinary = ordinary and plain
        start = end + 1
    _mark_inline(text, chunk, mask, sure=ordinary)
    return mask


def fence_lines(text: str) -> Iterator[Span]:
    """Yield the lines that open a fence in any reading."""
    blocks, start = _Blocks(), 0
    for line in text.split("\n") if "```" in text or "~~~" in text else ():
        blocks.feed(line)
        if blocks.opened and not blocks.lost:
            yield Span(start, start + len(line))
        start += len(line) + 1


def _mark_inline(text: str, lines: list[Span], mask: bytearray, *, sure: bool) -> None:
    if not lines or "`" not in text[lines[0].start : lines[-1].end]:
        return
    whole = Span(lines[0].start, lines[-1].end)
    piece = text[whole.start : whole.end]
    by_chunk = set(_code_spans(piece, whole.start, aware=True))
    by_line = {span for line in lines for span in _code_spans(text[line.start : line.end], line.start, aware=True)}
    blind = set(_code_spans(piece, whole.start, aware=False))
    table = bool(_TABLE.search(piece)) and "|" in piece
    for span in by_chunk | by_line | blind:
        certain = sure and span in by_chunk and span in by_line and not (table and "|" in text[span.start : span.end])
        for index in range(span.start, span.end):
            mask[index] = max(mask[index], SURELY if certain else POSSIBLY)


def _code_spans(text: str, offset: int, *, aware: bool) -> Iterator[Span]:
    """Yield the code spans of a paragraph; `aware` of the tags and comments that bind as tightly."""
    closers = _next_runs(text)
    position = 0
    while found := _INLINE.search(text, position):
        position = found.end()
        if run := found["run"]:
            closer = closers.get(found.start())
            if closer is not None:
                position = closer + len(run)
                yield Span(offset + found.start(), offset + position)
        elif aware and found.group() == "<":
            position = _skip_markup(text, found.start())


def _next_runs(text: str) -> dict[int, int]:
    """Return for each run of backticks where the next run of the same length is."""
    later: dict[int, int] = {}
    following: dict[int, int] = {}
    for run in reversed(list(re.finditer(r"`+", text))):
        length = run.end() - run.start()
        if length in later:
            following[run.start()] = later[length]
        if length - 1 in later:  # a backslash before the run takes its first backtick away
            following[run.start() + 1] = later[length - 1]
        later[length] = run.start()
    return following


def _skip_markup(text: str, position: int) -> int:
    if text.startswith("<!--", position):
        end = text.find("-->", position + 2)
        return position + 4 if end < 0 else end + 3
    found = TAG.match(text, position, position + LONGEST_TAG) or AUTOLINK.match(text, position)
    return found.end() if found else position + 1


def comment_spans(text: str, code: bytearray) -> Iterator[Span]:
    """Yield the HTML comments that don't begin in what is surely code: nested, ended by `--!>`, or never ended."""
    edges = list(_COMMENT_EDGE.finditer(text))
    balanced = _balanced(edges)
    index = 0
    while index < len(edges):
        edge = edges[index]
        index += 1
        if edge.group() != "<!--" or code[edge.start()] == SURELY:
            continue
        end = _comment_end(text, edge.start(), edges, index, balanced)
        yield Span(edge.start(), end)
        while index < len(edges) and edges[index].start() < end:
            index += 1


def _comment_end(text: str, start: int, edges: list[re.Match[str]], index: int, balanced: dict[int, int]) -> int:
    if text.startswith(("<!-->", "<!--->"), start):
        return text.index(">", start) + 1
    if start in balanced:
        return balanced[start]
    while index < len(edges):  # unbalanced: it ends where HTML says, at the first end
        if edges[index].group() != "<!--":
            return edges[index].end()
        index += 1
    return len(text)


def _balanced(edges: list[re.Match[str]]) -> dict[int, int]:
    """Return where each comment ends if comments could be nested."""
    ends: dict[int, int] = {}
    open_ones: list[int] = []
    for edge in edges:
        if edge.group() == "<!--":
            open_ones.append(edge.start())
        elif open_ones:
            ends[open_ones.pop()] = edge.end()
    return ends
