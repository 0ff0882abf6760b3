"""Words of a model or of an issue, made harmless before they stand in a commit or a pull request."""

import re

from ay_bot.host.plain_text import clean_text

_REPLACEMENTS = (
    # Hidden from the reader of a page, but not from a reader of its source.
    (re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL), ""),
    (re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE), ""),
    # An image is fetched by whoever looks at the page; a reference definition can make one later.
    (re.compile(r"!\[([^\]\n]*)\]\s*(?:\([^)]*\)?|\[[^\]]*\]?)"), r"\1"),
    (re.compile(r"!\["), "["),
    (re.compile(r"^[ \t]{0,3}\[[^\]\n]+\]:.*$", re.MULTILINE), ""),
    # Markup that a forge would render; an entity in its place would show in code as it stands.
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    # Services leave out their checks where they read these words.
    (re.compile(r"\[\s*(?:skip|no)[\s_-]+[\w\s-]{1,40}\]|\[[\w\s-]{1,40}[\s_-]+skip\s*\]", re.IGNORECASE), ""),
    (re.compile(r"\*{2,}\s*no_ci\s*\*{2,}", re.IGNORECASE), ""),
    (re.compile(r"^\s*skip-checks\s*:.*$", re.MULTILINE | re.IGNORECASE), ""),
    # Numbers and addresses of issues, which a keyword before them would close and which notify in any case.
    (re.compile(r"https?://(?=[^\s/]+/[^\s/]+/[^\s/]+/(?:issues|pull|discussions)/\d)", re.IGNORECASE), ""),
    (re.compile(r"(?<![a-z0-9])GH-(?=\d)", re.IGNORECASE), "no. "),
    (re.compile(r"(?<=\w)#(?=\d)"), " no. "),
    (re.compile(r"#(?=\d)"), "no. "),
    # Nobody is called by name.
    (re.compile(r"@(?=[\w-])"), "@ "),
    # Lines that a log takes for commands.
    (re.compile(r"^(\s*)(?:::|##\[)", re.MULTILINE), r"\1"),
)


def neutralise(text: str) -> str:
    """Return text that notifies nobody, closes nothing, loads nothing, hides nothing and steers no service."""
    text = clean_text(text)
    for _ in range(4):  # what one removal joins, the next round takes out
        before = text
        for pattern, replacement in _REPLACEMENTS:
            text = pattern.sub(replacement, text)
        if text == before:
            return text
    return text.replace("[", "(").replace("]", ")").replace("@", "(at)").replace("#", "no. ")
