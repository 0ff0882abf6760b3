"""A text while parts are taken out of it: every removal keeps its place in the text that came in."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter


class Kind(StrEnum):
    """What was taken out or replaced."""

    INVISIBLE = "invisible"
    TAGS = "tag-characters"
    VARIATION = "variation-selectors"
    BIDI = "bidi"
    FILLER = "filler"
    CONTROL = "control"
    ANSI = "ansi"
    ENTITY = "entity"
    COMMENT = "comment"
    ELEMENT = "hidden-element"
    FOLDED = "folded"
    ATTRIBUTE = "attribute"
    TITLE = "title"
    DEFINITION = "definition"
    IMAGE = "image"
    EMPTY_LINK = "empty-link"
    FENCE_INFO = "fence-info"
    FORGERY = "forgery"
    FLATTENED = "flattened"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that a person would not have seen: where it was in the text that came in, and what it says."""

    kind: Kind
    start: int
    end: int
    shown: str
    """How it stood there, with invisible characters by their numbers."""
    decoded: str
    """What it says, decoded; this is still the words of whoever hid it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A part of a draft to take out, or to replace; without a kind it isn't worth telling."""

    start: int
    end: int
    kind: Kind | None
    decoded: str = ""
    replacement: str = ""


class Draft:
    """The text as it stands, and for each of its characters where it came from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.origins = array("L", range(len(text)))
        self.removals: list[Removal] = []

    def apply(self, edits: Iterable[Edit]) -> None:
        """Carry out edits; of those that overlap the one that begins first, and the longer one of two."""
        parts: list[str] = []
        origins = array("L")
        position = 0
        for edit in sorted(sorted(edits, key=attrgetter("end"), reverse=True), key=attrgetter("start")):
            if edit.start < position or edit.end <= edit.start:
                continue
            parts += (self.text[position : edit.start], edit.replacement)
            origins += self.origins[position : edit.start]
            origins += array("L", [self.origins[edit.start]]) * len(edit.replacement)
            self._tell(edit)
            position = edit.end
        if position:
            origins += self.origins[position:]
            self.text, self.origins = "".join([*parts, self.text[position:]]), origins

    def _tell(self, edit: Edit) -> None:
        if edit.kind:
            start, end = self.origins[edit.start], self.origins[edit.end - 1] + 1
            shown = show(self.text[edit.start : edit.end])
            self.removals.append(Removal(edit.kind, start, max(start, end), shown, edit.decoded))


def show(text: str, most: int = 200) -> str:
    """Return text with what can't be seen as code points, shortened."""
    cut = text[:most] + ("…" if len(text) > most else "")
    if cut.isprintable():
        return cut
    return "".join(_seen(character) for character in cut)


def _seen(character: str) -> str:
    return (
        character
        if character.isprintable() and character not in "\u3164\uffa0\u115f\u1160\u2800"
        else f"<U+{ord(character):04X}>"
    )
