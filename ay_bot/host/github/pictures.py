"""The images of passages: found where a reader of the page sees them, marked, and told of once they came or not."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ay_bot.host.github.thread import Passage, Picture
from ay_bot.host.sanitize_blocks import Trust
from ay_bot.host.sanitize_elements import image_words
from ay_bot.host.shown_images import shown_images
from ay_bot.protocol.messages import Image

MOST_OF_A_PASSAGE: Final = 50
_ANY = re.compile(r"!\[|<img", re.IGNORECASE)
_RANKS: Final = (Trust.REQUESTER, Trust.MAINTAINER, Trust.AUTHOR, Trust.OUTSIDER)


class Seen(NamedTuple):
    """What became of the images of a task: those that go along, in order, and what is said of all of them.

    `notes` says by mark what stands in an image's place, `listing` whose they are, `notices` tells people.
    """

    images: tuple[Image, ...] = ()
    notes: Mapping[str, str] = {}
    listing: str = ""
    notices: tuple[str, ...] = ()


NOT_SEEN: Final = Seen()


class Marked(NamedTuple):
    """A passage with marks in the places of its images, and these images."""

    passage: Passage
    pictures: tuple[Picture, ...]


def mark_pictures(passage: Passage, nonce: str) -> Marked:
    """Mark the images that a reader of the page sees and whose address is in the text; only this run can write marks.

    Our own words hold none, and neither does what has no place of its own, such as a title.
    """
    if passage.trust is Trust.TOOL_OUTPUT or not passage.place or not _ANY.search(passage.text):
        return Marked(passage, ())
    parts: list[str] = []
    pictures: list[Picture] = []
    end = 0
    for removal, address in shown_images(passage.text, MOST_OF_A_PASSAGE):
        picture = _picture(passage, address, nonce)
        words = image_words(removal.decoded).removeprefix("[image")
        parts += (passage.text[end : removal.start], f"[image {picture.mark}{words}")
        pictures.append(picture)
        end = removal.end
    text = "".join([*parts, passage.text[end:]])
    return Marked(passage.model_copy(update={"text": text}), tuple(pictures))


def _picture(passage: Passage, address: str, nonce: str) -> Picture:
    mark = hashlib.sha256(f"{nonce} {address}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Picture(
        mark=mark,
        address=address,
        trust=passage.trust,
        author=passage.author,
        where=passage.where,
        place=passage.place,
    )


def rank(picture: Picture) -> int:
    """Return how far an image stands behind others where not all can go along: the requester's come first."""
    return _RANKS.index(picture.trust) if picture.trust in _RANKS else len(_RANKS)


def as_quoted(picture: Picture) -> Picture:
    """Return an image of a request as what it is in a quotation: somebody else's."""
    return picture.model_copy(update={"trust": Trust.OUTSIDER, "where": "a quotation in the request"})


def settle(pictures: Sequence[Picture], text: str, notes: Mapping[str, str]) -> str:
    """Return a text with a note in the place of each mark; `image` alone where there is no note."""
    for picture in pictures:
        note = notes.get(picture.mark, "image")
        ends = "; its words: " if note.startswith("image left out") else ": "
        text = text.replace(f"image {picture.mark}: ", f"{note}{ends}").replace(f"image {picture.mark}", note)
    return text
