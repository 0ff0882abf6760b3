"""Words of others, made fit for a comment that the host writes itself: they call nobody, load nothing, end nothing."""

import re

from ay_bot.host.mention import Verb
from ay_bot.host.outgoing_text import neutralise
from ay_bot.host.plain_text import shorten

_LEADING = re.compile(r"^(?:[#>=~|+*_-]|\d+[.)])+\s*")
_FENCE = re.compile(r"`{3,}|~{3,}")
_COMMAND = re.compile(rf"\A@ ay (?=(?:{'|'.join(Verb)})\b)")


def show_block(text: str, limit: int) -> str:
    """Return text with its Markdown, but without links behind words, and without what only a page's source shows."""
    text = neutralise(shorten(text.strip(), limit)).replace("](", "] (")
    lines = shorten(text, limit).splitlines()  # what is made harmless can be longer than it was
    return "\n".join(line.rstrip() for line in lines).strip()


def show_line(text: str, limit: int = 300, *, mention: str = "ay") -> str:
    """Return text as the rest of one line of Markdown, without anything that begins a block there.

    Words that can be said to the bot, in code, are shown so that people can copy them.
    """
    line = " ".join(show_block(text, limit).split())
    line = _FENCE.sub("'''", _LEADING.sub("", line))
    return _show_commands(line + "`" if line.count("`") % 2 else line, mention)


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


def _show_commands(line: str, mention: str) -> str:
    """Return the line with our commands as they are said; only in code, where they call nobody."""
    if "``" in line or "\\`" in line:
        return line
    parts = line.split("`")
    parts[1::2] = [_COMMAND.sub(f"@{mention} ", code) for code in parts[1::2]]
    return "`".join(parts)
