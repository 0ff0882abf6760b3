"""The images that a reader of a text in Markdown sees, and their addresses."""

from collections.abc import Iterator

from ay_bot.host.sanitize import sanitize
from ay_bot.host.sanitize_draft import Kind, Removal
from ay_bot.host.sanitize_elements import read_image
from ay_bot.host.sanitize_links import defined_addresses, image_address


def shown_images(text: str, most: int) -> Iterator[tuple[Removal, str]]:
    """Yield what the sanitiser takes out as images, `most` at most; it knows what is hidden, folded, or code."""
    end, found, removals = 0, 0, sanitize(text).removals
    defined = defined_addresses(text, (removal for removal in removals if removal.kind is Kind.COMMENT))
    for removal in removals:
        if removal.kind is not Kind.IMAGE or removal.start < end or found == most:
            continue
        source = text[removal.start : removal.end]
        if address := read_image(source) if source.startswith("<") else image_address(source, defined):
            end, found = removal.end, found + 1
            yield removal, address
