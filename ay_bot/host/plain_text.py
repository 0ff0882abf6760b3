"""Text from a box or a model, made fit to be shown: no escape sequences, no invisible characters, bounded, fenced."""

import re
import unicodedata

from ay_bot.host.sanitize_characters import ESCAPES

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_text(text: str) -> str:
    """Return text without escape sequences and without control or format characters, but with its lines and tabs."""
    text = ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        character for character in text if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE
    )


def clean_line(text: str) -> str:
    """Return text as one line, with a question mark for each character that can't be seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("?" if unicodedata.category(character) in _INVISIBLE else character for character in text)


def shorten(text: str, limit: int) -> str:
    """Return text of at most `limit` characters: a third from its beginning, the rest from its end."""
    if len(text) <= limit:
        return text
    gap = f"\n[... {len(text) - limit} characters left out ...]\n"
    room = max(limit - len(gap), 0)
    head = room // 3
    return (text[:head] + gap + text[len(text) - (room - head) :])[:limit]


def fence(text: str, language: str = "") -> str:
    """Return text as a Markdown code block that the text itself can't end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"
