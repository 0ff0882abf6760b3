"""Words of a model or of an issue, made harmless before they stand in a commit or a pull request.

Nothing is known here of who asked and what a repository allows; `outputs.words` is for texts where that is known.
"""

import html
import re
from collections.abc import Callable
from typing import Final

from ay_bot.host.plain_text import clean_text

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ADDRESS = re.compile(r"(?P<scheme>https?|ftp)\\?:\\?/\\?/(?P<host>[^\s<>/?#()\[\]\"'`]*)", re.IGNORECASE)


def _defang(found: re.Match[str]) -> str:
    scheme = found["scheme"].lower().replace("http", "hxxp").replace("ftp", "fxp")
    host = re.sub(r"(?<!\[)\.", "[.]", found["host"])
    return f"{scheme}://{host}"


_REPLACEMENTS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    # Hidden from the reader of a page, but not from a reader of its source.
    (re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL), ""),
    (re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE), ""),
    # An image is fetched by whoever looks at the page; a reference definition can make one later.
    (re.compile(r"!\[([^\]\n]{0,500})\]\s*(?:\([^)]*\)?|\[[^\]]*\]?)"), r"\1"),
    (re.compile(r"!\["), "["),
    (re.compile(r"^[ \t]{0,3}\[[^\]\n]+\]:.*$", re.MULTILINE), ""),
    # Markup that a forge would render; an entity in its place would show in code as it stands.
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    # Services leave out their checks where they read these words.
    (re.compile(r"\[\s*(?:skip|no)[\s_-]+[\w\s-]{1,40}\]|\[[\w\s-]{1,40}[\s_-]+skip\s*\]", re.IGNORECASE), ""),
    (re.compile(r"(?<!\*)\*{2,}+\s*no_ci\s*\*{2,}+", re.IGNORECASE), ""),
    (re.compile(r"^[^\S\n]*skip-checks\s*:.*$", re.MULTILINE | re.IGNORECASE), ""),
    # Numbers and addresses of issues, which a keyword before them would close and which notify in any case.
    (re.compile(r"https?://(?=[^\s/]+/[^\s/]+/[^\s/]+/(?:issues|pull|discussions)/\d)", re.IGNORECASE), ""),
    # A link leads away, and what it carries with it; words and a path within the page's own site are left.
    (_ADDRESS, _defang),
    (re.compile(r"www\.(?=\S)", re.IGNORECASE), "www[.]"),
    (re.compile(r"\]\((?=\s*<?\s*(?:[a-z][a-z0-9+.-]*:|[/\\]))", re.IGNORECASE), "] ("),
    (re.compile(r"(?<![a-z0-9])GH-(?=\d)", re.IGNORECASE), "no. "),
    (re.compile(r"(?<=\w)#(?=\d)"), " no. "),
    (re.compile(r"#(?=\d)"), "no. "),
    # Nobody is called by name.
    (re.compile(r"@(?=[\w-])"), "@ "),
    # Lines that a log takes for commands.
    (re.compile(r"^([^\S\n]*)(?:::|##\[)", re.MULTILINE), r"\1"),
)
_FLAT = str.maketrans({"[": "(", "]": ")", "@": "(at)", "#": "no. ", "&": "+", "<": "(", ":": ";"})


def neutralise(text: str) -> str:
    """Return text that notifies nobody, closes nothing, loads nothing, hides nothing and steers no service."""
    for _ in range(4):  # what one removal joins, the next round takes out
        before = text
        text = clean_text(_ENTITY.sub(lambda found: html.unescape(found[0]), clean_text(text)))
        for pattern, replacement in _REPLACEMENTS:
            text = pattern.sub(replacement, text)
        if text == before:
            return text
    return text.translate(_FLAT)
