"""The one sanitiser for text that comes in: what a person doesn't see, the model doesn't get, and the report tells.

It is pure, it uses the standard library alone, and sanitising twice changes nothing more.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from ay_bot.host.sanitize_characters import HIDDEN, decode, hidden_characters
from ay_bot.host.sanitize_draft import Draft, Edit, Kind, Removal
from ay_bot.host.sanitize_elements import hidden_elements
from ay_bot.host.sanitize_links import encoded, hidden_links
from ay_bot.host.sanitize_spans import code_mask, comment_spans

MOST_CHARACTERS: Final = 524_288
_ROUNDS: Final = 8
FORGED: Final = "[forged marker]"
_HOMOGLYPHS: Final = str.maketrans(
    "\u2039\u3008\u27e8\u276e\u00ab\u203a\u3009\u27e9\u276f\u00bb\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
    "\u0430\u0251\u03b1\u13aa\u0443\u04af\u03b3\u028f\u043e\u03bf\u0435\u044c\u0184\u0442\u03c4",
    "<<<<<>>>>>-------aaaayyyyooebbtt",
)
_MARKER = re.compile(
    r"<!-{1,2}\s*+ay[-_ ]?bot\b[^\n]*?(?:-{1,2}!?>|$)|(?<!<)<{2,}+\s*+/?\s*+ay\b[^\n]*?(?:>{2,}|$)",
    re.IGNORECASE | re.MULTILINE,
)
_FLAT: Final = str.maketrans("<>&[]`~", "()+()'-")


@dataclass(frozen=True, slots=True)
class Summary:
    """All removals of one kind: how many, how many characters they were, and what they say."""

    kind: Kind
    count: int
    length: int
    decoded: str


@dataclass(frozen=True, slots=True)
class Sanitized:
    """Text as a person sees it, and all that was taken out of it, in the order of its places."""

    text: str
    removals: tuple[Removal, ...]

    def as_json(self) -> str:
        """Return text and removals as JSON, in ASCII whatever they hold."""
        return json.dumps({"text": self.text, "removals": [asdict(removal) for removal in self.removals]}, indent=2)

    def report(self) -> tuple[str, ...]:
        """Return a line for each kind of removal, for the people on the thread; decoded words need cleaning, too."""
        return tuple(
            f"{found.kind}: {found.count}, {found.length} characters"
            + (f": {found.decoded[:300]}{'…' if len(found.decoded) > 300 else ''}" if found.decoded else "")
            for found in self.summaries()
        )

    def summaries(self) -> tuple[Summary, ...]:
        """Return one summary for each kind of removal; decoded words are those of whoever hid them."""
        return tuple(self._summary(kind) for kind in sorted({removal.kind for removal in self.removals}))

    def _summary(self, kind: Kind) -> Summary:
        own = [removal for removal in self.removals if removal.kind is kind]
        words = " ".join(" ".join(filter(None, (removal.decoded for removal in own))).split())
        if kind is Kind.TAGS:  # one between every two letters is a message, too
            words = "".join(removal.decoded for removal in own)
        elif not words and len(own) > 1:
            words = decode(kind, "".join(_hidden_of(removal) for removal in own))
        return Summary(kind, len(own), sum(removal.end - removal.start for removal in own), words)


def _hidden_of(removal: Removal) -> str:
    numbers = re.findall(r"<U\+([0-9A-F]{4,6})>", removal.shown)
    return "".join(chr(int(number, 16)) for number in numbers)


def sanitize(text: str, most: int = MOST_CHARACTERS) -> Sanitized:
    """Return what a person sees of `text`, at most `most` characters, and everything that was taken out."""
    draft = Draft(text)
    for _ in range(_ROUNDS):
        before = draft.text
        _round(draft, most)
        if draft.text == before:
            break
    else:
        _flatten(draft, most)
    return Sanitized(draft.text, tuple(sorted(draft.removals, key=lambda removal: (removal.start, removal.end))))


def strip_characters(text: str, most: int = MOST_CHARACTERS) -> Sanitized:
    """Like `sanitize`, but without reading markup: for files, logs and what tools print."""
    draft = Draft(text)
    for _ in range(_ROUNDS):
        before = draft.text
        _cut(draft, most)
        draft.apply(_line_ends(draft.text))
        draft.apply(hidden_characters(draft.text))
        draft.apply(forgeries(draft.text))
        if draft.text == before:
            break
    else:
        _flatten(draft, most)
    return Sanitized(draft.text, tuple(draft.removals))


def _round(draft: Draft, most: int) -> None:
    _cut(draft, most)
    draft.apply(_line_ends(draft.text))
    draft.apply(hidden_characters(draft.text))
    draft.apply(encoded(draft.text, code_mask(draft.text)) if "&" in draft.text else ())
    draft.apply(forgeries(draft.text))
    if "<" in draft.text:
        code = code_mask(draft.text)
        draft.apply(_comments(draft.text, code))
        draft.apply(hidden_elements(draft.text, code_mask(draft.text)))
    if any(mark in draft.text for mark in ("[", "```", "~~~")):
        draft.apply(hidden_links(draft.text, code_mask(draft.text)))
    _cut(draft, most)


def _cut(draft: Draft, most: int) -> None:
    if len(draft.text) > most:
        draft.apply([Edit(most, len(draft.text), Kind.TRUNCATED)])


def _line_ends(text: str) -> Iterator[Edit]:
    for found in re.finditer(r"\r\n?", text):
        yield Edit(*found.span(), None, "", "\n")


def _comments(text: str, code: bytearray) -> Iterator[Edit]:
    for start, end in comment_spans(text, code):
        inner = re.sub(r"^<!---?>$|^<!--|--!?>$", "", text[start:end])
        yield Edit(start, end, Kind.COMMENT, inner.strip())


def fold(text: str) -> str:
    """Return text with look-alikes as what they look like, character by character, in lower case."""
    foreign = {character for character in text if not character.isascii()}
    simple = {character: unicodedata.normalize("NFKC", character) for character in foreign}
    table = str.maketrans({character: one for character, one in simple.items() if len(one) == 1})
    lowered = text.translate(table).translate(_HOMOGLYPHS)
    return "".join(low if len(low := one.lower()) == 1 else one for one in lowered)


def forgeries(text: str) -> Iterator[Edit]:
    """Yield what looks like a marker of ours, whatever it is written with."""
    for found in _MARKER.finditer(fold(text)):
        yield Edit(*found.span(), Kind.FORGERY, text[found.start() : found.end()], FORGED)


def _flatten(draft: Draft, most: int) -> None:
    """Leave no markup at all, and no character that may be hidden: the end for text that is built to come apart."""
    draft.apply([Edit(found.start(), found.end(), Kind.INVISIBLE) for found in HIDDEN.finditer(draft.text)])
    draft.apply(forgeries(draft.text))
    flat = draft.text.translate(_FLAT)
    if flat != draft.text:
        draft.apply([Edit(0, len(draft.text), Kind.FLATTENED, "", flat)])
    _cut(draft, most)
