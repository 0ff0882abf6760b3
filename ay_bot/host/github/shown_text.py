"""Words of others, made fit for a comment that the host writes itself: they call nobody, load nothing, end nothing."""

import re

from ay_bot.host.outgoing_text import neutralise
from ay_bot.host.plain_text import shorten

_LEADING = re.compile(r"^(?:[#>=~|+*_-]|\d+[.)])+\s*")
_FENCE = re.compile(r"`{3,}|~{3,}")


def show_block(text: str, limit: int) -> str:
    """Return text with its Markdown, but without links behind words, and without what only a page's source shows."""
    text = neutralise(shorten(text.strip(), limit)).replace("](", "] (")
    lines = shorten(text, limit).splitlines()  # what is made harmless can be longer than it was
    return "\n".join(line.rstrip() for line in lines).strip()


def show_line(text: str, limit: int = 300) -> str:
    """Return text as the rest of one line of Markdown, without anything that begins a block there."""
    line = " ".join(show_block(text, limit).split())
    line = _FENCE.sub("'''", _LEADING.sub("", line))
    return line + "`" if line.count("`") % 2 else line


def show_quote(text: str, limit: int) -> str:
    """Return text as a quotation, which ends whatever the text leaves open."""
    return "\n".join(f"> {line}".rstrip() for line in show_block(text, limit).splitlines())


def show_link(url: str, words: str = "") -> str:
    """Return a link to an address of ours or GitHub's; nothing for one that Markdown could misread."""
    if not re.fullmatch(r"https?://[\w.:-]+/[\w./#?=&%+-]*", url, re.ASCII):
        return ""
    return f"[{words or url}]({url})"


def show_duration(seconds: float) -> str:
    """Return a duration as people say it."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {rest}s" if minutes else f"{rest}s"
