"""Characters that a person doesn't see: which they are, where they belong, and what they say when decoded."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from ay_bot.host.sanitize_draft import Edit, Kind

_KINDS: Final = (
    (Kind.TAGS, "\U000e0000-\U000e007f"),
    (Kind.VARIATION, "\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u180f"),
    (Kind.BIDI, "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"),
    (Kind.FILLER, "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"),
    (Kind.INVISIBLE, "\u00ad\u034f\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufff8"),
    (Kind.INVISIBLE, "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"),
    (
        Kind.CONTROL,
        "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef"
        + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)),
    ),
)
HIDDEN: Final = re.compile(f"[{''.join(members for _, members in _KINDS)}]")
ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]"
)
"""What a terminal takes for a command."""
_RUN = re.compile(f"(?P<ansi>{ESCAPES.pattern})|{HIDDEN.pattern}+")
_OF_KIND = [(kind, re.compile(f"[{members}]")) for kind, members in _KINDS]

_EMOJI = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u24c2\u25aa\u25ab"
    "\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff]"
)
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_IDEOGRAPH_SELECTORS = re.compile("[\ufe00-\ufe02\U000e0100-\U000e011f]")
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
_JOINING = re.compile(
    "[\u0600-\u074f\u0750-\u077f\u07c0-\u07ff\u0840-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17ff\u1800-\u18af\u1b00-\u1bff"
    "\ua840-\ua8ff\uaa00-\uaadf\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff]"
)
_BRAILLE = re.compile("[\u2801-\u28ff]")
_FLAGS: Final = frozenset(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f" for region in ("gbeng", "gbsct", "gbwls")
)


def hidden_characters(text: str) -> Iterator[Edit]:
    """Yield edits that take out every character that can't be seen, but where an emoji or a script needs it."""
    if text.isascii() and not _RUN.search(text):
        return
    for found in _RUN.finditer(text):
        start, end = found.span()
        if found["ansi"]:
            yield Edit(start, end, Kind.ANSI)
        elif not _belongs(text, start, end):
            yield from _groups(text, start, end)


def _belongs(text: str, start: int, end: int) -> bool:
    """Whether a run of such characters is a part of what is seen."""
    before, after, run = text[start - 1 : start] if start else "", text[end : end + 1], text[start:end]
    if not before:
        return False
    if run == "\ufe0f":
        return bool(_EMOJI.match(before)) or (before in "0123456789#*" and after == "\u20e3")
    if run in {"\u200d", "\ufe0f\u200d"} and _EMOJI.match(before):
        return bool(_EMOJI.match(after))
    if run in {"\u200c", "\u200d"}:
        return bool(_JOINING.match(before)) and unicodedata.category(before)[0] in "LM"
    return _belongs_by_script(before, run, after)


def _belongs_by_script(before: str, run: str, after: str) -> bool:
    if run == "\ufe0e":
        return bool(_EMOJI.match(before))
    if run in _FLAGS:
        return before == "\U0001f3f4"
    if len(run) == 1 and _IDEOGRAPH_SELECTORS.match(run):
        return bool(_IDEOGRAPH.match(before))
    if run in {"\u180b", "\u180c", "\u180d", "\u180f", "\u180e"}:
        return bool(_MONGOLIAN.match(before)) and run != "\u180e"
    return set(run) == {"\u2800"} and bool(_BRAILLE.match(before) or _BRAILLE.match(after))


def _groups(text: str, start: int, end: int) -> Iterator[Edit]:
    """Split a run where its way of saying something changes."""
    position = start
    while position < end:
        kind = _kind(text[position])
        single = kind in {Kind.TAGS, Kind.VARIATION}
        stop = position + 1
        while stop < end and (
            _kind(text[stop]) is kind if single else _kind(text[stop]) not in {Kind.TAGS, Kind.VARIATION}
        ):
            stop += 1
        run = text[position:stop]
        yield Edit(position, stop, kind, decode(kind, run), "\n" if "\u2028" in run or "\u2029" in run else "")
        position = stop


def _kind(character: str) -> Kind:
    return next(kind for kind, members in _OF_KIND if members.match(character))


def decode(kind: Kind, run: str) -> str:
    """Return what a run of hidden characters says, if it says something."""
    if kind is Kind.TAGS:
        return "".join(chr(ord(tag) - 0xE0000) for tag in run if 0xE0020 <= ord(tag) < 0xE007F)
    if kind is Kind.VARIATION:
        return _readable(bytes(_byte(selector) for selector in run if not "\u180b" <= selector <= "\u180f"))
    return _from_bits(run)


def _byte(selector: str) -> int:
    return ord(selector) - 0xFE00 if ord(selector) < 0xE0000 else ord(selector) - 0xE0100 + 16


def _readable(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    good = sum(character.isprintable() or character in "\n\t" for character in text)
    return text if good * 10 >= len(text) * 9 else ""


def _from_bits(run: str) -> str:
    """Read two characters as bits, three as bits with a separator, four as pairs of bits."""
    symbols = sorted(set(run))
    if len(symbols) == 2:
        return next(filter(None, (_bits(run, one, width) for one in symbols for width in (8, 7))), "")
    if len(symbols) == 3:
        ways = ((gap, one) for gap in symbols for one in symbols if one != gap)
        return next(filter(None, (_separated(run, gap, one) for gap, one in ways)), "")
    if len(symbols) == 4:
        pairs = "".join(f"{symbols.index(character):02b}" for character in run)
        return _bits(pairs, "1", 8)
    return ""


def _bits(run: str, one: str, width: int) -> str:
    if len(run) < 2 * width or len(run) % width:
        return ""
    bits = "".join("1" if character == one else "0" for character in run)
    values = [int(bits[at : at + width], 2) for at in range(0, len(bits), width)]
    text = _readable(bytes(values))
    return text if text.isprintable() else ""


def _separated(run: str, gap: str, one: str) -> str:
    words = [word for word in run.split(gap) if word]
    if len(words) < 2 or any(len(word) > 8 for word in words):
        return ""
    values = bytes(int("".join("1" if character == one else "0" for character in word), 2) for word in words)
    return values.decode() if all(32 <= value < 127 for value in values) else ""
