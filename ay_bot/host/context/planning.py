"""Which map a task is given, and which files it begins with."""

from typing import Final

from ay_bot.host.context import Plan, Wish
from ay_bot.outline.counting import Counter, count_most
from ay_bot.outline.outlining import Outline
from ay_bot.outline.picking import choose_entries, pick
from ay_bot.outline.tree_source import Entry, Source

LARGEST_MAP: Final = 4096
MAP_OF_NAMED: Final = 1024  # tokens, where the task names files itself
LEAST_MEASURED: Final = 4_000  # bytes of text that say how many tokens a byte has


def plan(outline: Outline, source: Source, wish: Wish) -> Plan:
    """Return what fits a task best within the numbers of tokens."""
    count = count_most(wish.encodings)
    ordered = _order(outline, source, wish) if wish.load else []
    picked = list(pick(source, ordered, wish.file_tokens, count))
    text = _draw(outline, source, wish, count, frozenset(file.path for file in picked))
    size = len(text.encode("utf-8", "replace"))
    measured = len(wish.encodings) == 1 and size >= LEAST_MEASURED
    return Plan(
        map=text,
        load=tuple(file.path for file in picked),
        asked_for=len(ordered),
        file_tokens=sum(file.tokens for file in picked),
        tokens_per_byte=min(count(text) / size, 1.0) if measured else 0.0,
    )


def _draw(outline: Outline, source: Source, wish: Wish, count: Counter, loaded: frozenset[str]) -> str:
    tokens = min(wish.map_tokens, LARGEST_MAP)
    if tokens and outline.names_files(source, wish.task):
        tokens = min(tokens, MAP_OF_NAMED)
    return outline.map(source, wish.task, tokens, count, loaded) if tokens else ""


def _order(outline: Outline, source: Source, wish: Wish) -> list[Entry]:
    """Return the files that may be loaded, the likeliest first."""
    entries = source.entries()
    asked_for = choose_entries(entries, wish.load)
    ranked = outline.rank(source, wish.task, len(entries))
    places = {file.path: place for place, file in enumerate(ranked)}
    return sorted(asked_for, key=lambda entry: (places.get(entry.path, len(places)), entry.path))
