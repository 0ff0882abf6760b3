"""Stage 3 for one text: nothing hidden, no markup that a page would carry out, no image from elsewhere, no commands."""

import html
import re
from typing import Final

from ay_bot.host.redact.redactor import SHAPES_ALONE
from ay_bot.host.sanitize import FORGED, strip_characters
from ay_bot.host.sanitize_spans import fence_lines

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_RELATIVE = rf"(?:\./)?{_NAME}(?:/{_NAME})*/?(?:#[A-Za-z0-9_-]+)?"
_ADDRESS = r"https?://[A-Za-z0-9.-]+(?:[/?#][A-Za-z0-9._~/?#=&%+,;:!*'$-]*)?"
_IMAGE_OF_OURS = rf"[^\[\]\n]*\]\({_RELATIVE}\)"

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_OUTSIDE_OF_CODE: Final = (
    # Hidden from the reader of a page, but not from a reader of its source.
    (re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL), ""),
    (re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE), ""),
    # An escape shows what it hides from a rule below.
    (re.compile(r"\\(?=[:/.@#&-])"), ""),
    # An image is fetched by whoever looks at the page; what lies in the repository may be.
    (re.compile(rf"!\[(?!{_IMAGE_OF_OURS})([^\[\]\n]*)\]\s*(?:\([^()\n]*\)?|\[[^\[\]\n]*\]?)"), r"\1"),
    (re.compile(rf"!\[(?!{_IMAGE_OF_OURS})"), "["),
    # A definition makes a link or an image of words somewhere else.
    (re.compile(r"\]:"), "] :"),
    # A link whose address isn't plain is no link.
    (re.compile(rf"\]\((?!(?:{_ADDRESS}|{_RELATIVE}|#[A-Za-z0-9_-]+)\))"), "] ("),
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    (re.compile(r"\\(?=(?:href|url|includegraphics|require|class|cssId|style|html\w*)\b)"), ""),
)
_SKIPS: Final = (
    # Services leave out their checks where they read these words, and a title may become a commit's.
    (re.compile(r"\[\s*(?:skip|no)[\s_-]+[\w\s-]{1,40}\]|\[[\w\s-]{1,40}[\s_-]+skip\s*\]", re.IGNORECASE), ""),
    (re.compile(r"(?<!\*)\*{2,}+\s*no_ci\s*\*{2,}+", re.IGNORECASE), ""),
    (re.compile(r"^[^\S\n]*skip-checks\s*:.*$", re.MULTILINE | re.IGNORECASE), ""),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_COMMANDS: Final = (
    # Lines that a log takes for commands.
    (re.compile(r"^([^\S\n]*)::", re.MULTILINE), r"\1: :"),
    (re.compile(r"##\["), "## ["),
    # Formulas can hold addresses, and this kind of them looks like code.
    (re.compile(r"\$`"), "$ `"),
)
_KEY: Final = "(redacted)"
"""In place of what looks like somebody's key, wherever the agent found it; in brackets it could begin a link."""
_FENCE = re.compile(r"(?P<lead>.*?(?:`{3,}|~{3,}))(?P<info>.*)")
_PLAIN_INFO = re.compile(r"[ \t]*[A-Za-z0-9_+#.-]*[ \t]*")
_DRAWN: Final = frozenset({"mermaid", "geojson", "topojson", "stl", "math"})


def sanitise_all(text: str) -> str:
    """Return text without what has no place even in code: hidden characters, markers of ours, keys, commands."""
    text = _CONTROL.sub("", strip_characters(text).text.replace(FORGED, ""))
    text = SHAPES_ALONE.redact(text, _KEY)
    for pattern, replacement in _COMMANDS:
        text = pattern.sub(replacement, text)
    for start, end in sorted(fence_lines(text), reverse=True):
        text = text[:start] + _plain_fence(text[start:end]) + text[end:]
    return text


def sanitise_markup(text: str) -> str:
    """Return text without live markup; for text that is not code."""
    text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    for pattern, replacement in (*_OUTSIDE_OF_CODE, *_SKIPS):
        text = pattern.sub(replacement, text)
    return text


def _plain_fence(line: str) -> str:
    """Return the line that opens a code block without a language that pages draw, and without hidden words."""
    found = _FENCE.fullmatch(line)
    if not found or (_PLAIN_INFO.fullmatch(found["info"]) and found["info"].strip().lower() not in _DRAWN):
        return line
    return found["lead"]
