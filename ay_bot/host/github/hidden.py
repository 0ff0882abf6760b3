"""What a passage hid from whoever read it on the page: found and decoded, to be shown to the people on the thread."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ay_bot.host.github.thread import HiddenText, Passage
from ay_bot.host.plain_text import clean_line
from ay_bot.host.sanitize import Summary, sanitize
from ay_bot.host.sanitize_blocks import Trust
from ay_bot.host.sanitize_draft import Kind

LONGEST: Final = 500
_HARMLESS: Final = frozenset({Kind.TRUNCATED, Kind.FLATTENED})
_EVERYDAY: Final = frozenset(
    {Kind.IMAGE, Kind.ATTRIBUTE, Kind.ENTITY, Kind.FENCE_INFO, Kind.EMPTY_LINK, Kind.TITLE, Kind.CONTROL}
)
"""Found in honest texts all the time: told only where it holds words."""
_SHORT: Final = 60


class Cleaned(NamedTuple):
    """What a reader of the page sees of a passage, and what was hidden in it, one for each kind."""

    text: str
    hidden: tuple[HiddenText, ...]


def clean_passage(passage: Passage) -> Cleaned:
    """Return a passage's words as they are seen, and what was hidden; nothing is told of our own words."""
    cleaned = sanitize(passage.text)
    own = passage.trust is Trust.TOOL_OUTPUT
    return Cleaned(cleaned.text, () if own else tuple(_describe(passage, cleaned.summaries())))


def _describe(passage: Passage, summaries: Sequence[Summary]) -> Iterator[HiddenText]:
    for summary in summaries:
        if _is_worth_telling(summary):
            said = " ".join(clean_line(summary.decoded).split())
            yield HiddenText(
                author=passage.author,
                where=" ".join(clean_line(passage.where).split())[:200],
                kind=summary.kind,
                decoded=said[:LONGEST] + ("…" if len(said) > LONGEST else ""),
                url=passage.url,
                count=summary.count,
                length=summary.length,
            )


def _is_worth_telling(summary: Summary) -> bool:
    if summary.kind in _HARMLESS:
        return False
    return summary.kind not in _EVERYDAY or len(summary.decoded) > _SHORT
