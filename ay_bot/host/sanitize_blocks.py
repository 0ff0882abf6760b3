"""Words of others on their way to the model: each in a block with a label of trust that they can't end or forge."""

import re
import secrets
from enum import StrEnum
from typing import Final

from ay_bot.host.plain_text import shorten
from ay_bot.host.sanitize import fold, sanitize, strip_characters
from ay_bot.protocol.blocks import NONCE, begin_mark, end_mark


class Trust(StrEnum):
    """Whose words a block holds; none of them but the requester's is an instruction."""

    REQUESTER = "requester"
    MAINTAINER = "maintainer"
    AUTHOR = "author"
    OUTSIDER = "outsider"
    FILE = "file"
    TOOL_OUTPUT = "tool-output"
    LOG = "log"


PEOPLE: Final = frozenset({Trust.REQUESTER, Trust.MAINTAINER, Trust.AUTHOR, Trust.OUTSIDER})
MOST_CHARACTERS: Final = 100_000
_MIMICRY = re.compile(
    r"<(?=\||\s{0,9}[/|]?\s{0,9}[\w-]{0,40}(?:system|assistant|human|user|instruction|prompt|trusted|context|function"
    r"|invoke|tool|antml|end_of|im_start|im_end|role|developer))",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"^([ \t]*)(?:::(?=[A-Za-z])|##\[)", re.MULTILINE)


def new_nonce() -> str:
    """Return a nonce for the blocks of one run; nobody outside may learn it before the run ends."""
    return secrets.token_hex(12)


def build_block(text: str, trust: Trust, nonce: str, *, origin: str = "", most: int = MOST_CHARACTERS) -> str:
    """Return `text`, cleaned and shortened, between marks that only this run can write."""
    if not NONCE.fullmatch(nonce):
        raise ValueError("a nonce is 16 to 64 lower-case hexadecimal digits")
    words = sanitize(text).text if trust in PEOPLE else strip_characters(text).text
    words = shorten(words, most)
    words = _MIMICRY.sub("&lt;", words) if trust in PEOPLE else _COMMAND.sub(r"\1: :", words)
    where = " ".join(re.sub(r"[<>\n]", " ", strip_characters(origin).text).split())[:120]
    label = _without(f"{trust} {where}".strip(), nonce)
    return f"{begin_mark(nonce, label)}\n{_without(words, nonce)}\n{end_mark(nonce)}"


def _without(text: str, nonce: str) -> str:
    """Take the nonce out of text, as whatever it is written."""
    parts: list[str] = []
    position = 0
    for found in re.finditer(re.escape(nonce), fold(text)):
        parts += (text[position : found.start()], "[nonce]")
        position = found.end()
    return "".join([*parts, text[position:]])
