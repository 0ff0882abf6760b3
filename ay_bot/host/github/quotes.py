"""Quoted lines in a request: the words of somebody else, as a reply by mail or to a comment carries them."""

import re
from typing import Final

from ay_bot.host.sanitize_spans import SURELY, code_mask

_QUOTED: Final = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+>")


def split_quotes(text: str) -> tuple[str, str]:
    """Return what is somebody's own and what is quoted, with the lines that Markdown counts to the quote."""
    code = code_mask(text)
    own: list[str] = []
    quotes: list[str] = []
    start, quoted = 0, False
    for line in text.split("\n"):
        in_code = bool(line) and code[start] == SURELY
        quoted = not in_code and (bool(_QUOTED.match(line)) or (quoted and bool(line.strip())))
        (quotes if quoted else own).append(line)
        start += len(line) + 1
    return "\n".join(own).strip(), "\n".join(quotes).strip()
