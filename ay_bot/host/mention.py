"""The grammar of a mention: where `@ay` counts in a comment, and what it asks for. Only the standard library."""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from ay_bot.host.sanitize_spans import LONGEST_TAG, SURELY, TAG, code_mask, comment_spans


class Verb(StrEnum):
    """What a person can ask for with one word."""

    FIX = "fix"
    IMPLEMENT = "implement"
    TEST = "test"
    REVIEW = "review"
    EXPLAIN = "explain"
    PLAN = "plan"
    APPROVE = "approve"
    RETRY = "retry"
    REBASE = "rebase"
    STOP = "stop"
    HELP = "help"


class Mention(NamedTuple):
    """A mention that counts. Without a verb, the instruction is free text; it is as written, not sanitised."""

    verb: Verb | None
    instruction: str
    start: int


_VERBS = "|".join(Verb)
_QUOTED = re.compile(r"^[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+>")
_ELEMENTS = (
    "details pre code samp kbd tt xmp blockquote q del s strike script style template textarea title select option "
    "datalist a svg math noscript iframe object audio video canvas head button"
)
_ELEMENT = re.compile(
    rf"<(?P<close>/?)(?P<name>{'|'.join(_ELEMENTS.split())}|(?P<styled>[a-z][a-z0-9-]*+)(?=[^<>]*?[\s\"'/]"
    r"(?:hidden|style|aria-hidden|color|size|width|height)\b))(?![\w-])",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"<!--(?=-?>)[\s\S]*?(?:-->|\Z)"  # a comment that some end at once, and others later
    r"|<[A-Za-z/!?][^<>]*>"  # tags with their attributes, declarations, autolinks
    r"|!\[[^\[\]]*\]"  # what stands for an image that can't be shown
    r"|\]\([^()]*(?:\([^()]*\)[^()]*){0,9}\)"  # address and title of a link
    r"|^[ ]{0,3}\[[^\[\]]+\]:[^\n]*(?:\n[ \t]*[\"'(][^\n]*)?"  # definition of a link
    r"|\b[a-z][a-z0-9+.-]{1,30}://\S+"
    r"|~~[^~\n]*~~",
    re.IGNORECASE | re.MULTILINE,
)
_VOID = "\0"
MOST_CHARACTERS: Final = 1_000_000


def find_mention(text: str, name: str = "ay") -> Mention | None:
    """Return the first mention of `name` that counts: at the start of a line, or anywhere before a verb."""
    text = _lines(text)
    if not mentions_somewhere(text, name):
        return None
    found = _pattern(name).search(_visible(text))
    if not found:
        return None
    verb = found["verb"] or found["later"]
    instruction = text[found.end() :].strip()
    start = max(found.start("name"), found.start("second")) - 1
    if not verb and not instruction:
        return Mention(Verb.HELP, "", start)
    return Mention(Verb(verb.lower()) if verb else None, instruction, start)


def mentions_somewhere(text: str, name: str = "ay") -> bool:
    """Whether the name is called at all, even where it doesn't count."""
    return bool(re.search(rf"[@/]{re.escape(name)}(?![\w-])", text, re.IGNORECASE))


def _pattern(name: str) -> re.Pattern[str]:
    called = rf"[@/](?P<%s>{re.escape(name)})(?![\w/@'=-]|[.:,;!?]++[^\s\w]|[.;!?]\w|:\d)[:,]?"
    asked = rf"[ \t]*(?:please[ \t]+)?(?P<%s>{_VERBS})(?![\w/@-]|\.\w)[:,]?"
    first = rf"^[ ]{{0,3}}{called % 'name'}(?:{asked % 'verb'})?"
    inside = rf"(?<=[\s(]){called % 'second'}{asked % 'later'}"
    return re.compile(f"{first}|{inside}", re.IGNORECASE | re.MULTILINE)


def _lines(text: str) -> str:
    return text[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").replace(_VOID, "\ufffd")


def _visible(text: str) -> str:
    """Return the text with all that is code, quoted, hidden or address made void, character by character."""
    code = code_mask(text)
    void = bytearray(bool(mark) for mark in code)
    for start, end in [*_quotes(text), *_hidden(text, code)]:
        void[start:end] = b"\1" * (end - start)
    pairs = zip(text, void, strict=True)
    return "".join(_VOID if blank and character != "\n" else character for character, blank in pairs)


def _quotes(text: str) -> list[tuple[int, int]]:
    """Return the quoted lines, and those after them that Markdown counts to the quote."""
    spans, start, quoted = [], 0, False
    for line in text.split("\n"):
        end = start + len(line)
        quoted = bool(_QUOTED.match(line)) or (quoted and bool(line.strip()))
        if quoted:
            spans.append((start, end))
        start = end + 1
    return spans


def _hidden(text: str, code: bytearray) -> list[tuple[int, int]]:
    comments = [(start, _contained(text, start, end)) for start, end in comment_spans(text, code)]
    tags = [found.span() for found in TAG.finditer(text)] if len(text) <= LONGEST_TAG else []
    literal = bytearray(bool(mark) for mark in code)
    for start, end in [*comments, *tags]:
        literal[start + 1 : end] = b"\1" * (end - start - 1)
    return [*comments, *tags, *(found.span() for found in _MARKUP.finditer(text)), *_elements(text, code, literal)]


def _contained(text: str, start: int, end: int) -> int:
    """Return where a comment ends; one that leaves the quote or list that it began in hides the rest of the page."""
    line = text[text.rfind("\n", max(start - 64, 0), start) + 1 : start]
    return len(text) if line and "\n" in text[start:end] and not line[:4].strip(" >-*+\t0123456789.)") else end


def _elements(text: str, code: bytearray, literal: bytearray) -> list[tuple[int, int]]:
    """Return the parts within elements whose words don't count; one that is not closed lasts to the end."""
    spans: list[tuple[int, int]] = []
    open_ones: dict[str, int] = {}
    start = 0
    for found in _ELEMENT.finditer(text):
        name = found["name"].lower()
        if found["close"]:
            if name not in open_ones or literal[found.start()] or text[found.start() - 1] == "\\":
                continue
            open_ones[name] -= 1
            if not open_ones[name]:
                del open_ones[name]
            if not open_ones:
                spans.append((start, found.end()))
        elif code[found.start()] != SURELY:
            start = start if open_ones else found.start()
            open_ones[name] = open_ones.get(name, 0) + 1
    return [*spans, (start, len(text))] if open_ones else spans
