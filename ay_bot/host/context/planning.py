"""Which map a task is given, and which files it begins with."""

from typing import Final, NamedTuple

from ay_bot.host.context import Plan, Wish
from ay_bot.outline.counting import Counter, best_counter, count_most, estimate
from ay_bot.outline.outlining import Outline
from ay_bot.outline.picking import choose_entries, pick
from ay_bot.outline.tree_source import Entry, Source
from ay_bot.protocol.layers import Layer

LARGEST_MAP: Final = 4096
MAP_OF_NAMED: Final = 1024  # tokens, where the task names files itself
LEAST_MEASURED: Final = 4_000  # bytes of text that say how many tokens a byte has


def plan(outline: Outline, source: Source, wish: Wish) -> Plan:
    """Return what fits a task best within the numbers of tokens."""
    count = count_most(wish.encodings)
    ordered = _order(outline, source, wish) if wish.load else []
    picked = list(pick(source, ordered, wish.file_tokens, count))
    text = _draw(outline, source, wish, count, frozenset(file.path for file in picked))
    files = Measured(sum(file.bytes for file in picked), sum(file.tokens for file in picked))
    planned = Plan(
        map=text,
        load=tuple(file.path for file in picked),
        asked_for=len(ordered),
        sizes=tuple(file.tokens for file in picked),
    )
    return rate(planned, wish, files)


class Measured(NamedTuple):
    """The bytes and the tokens of a text."""

    bytes: int = 0
    tokens: int = 0


def rate(planned: Plan, wish: Wish, files: Measured = Measured()) -> Plan:  # noqa: B008 - a value that never changes
    """Return a plan with the tokens of a byte in each layer, where it is the model's own encoding that counts."""
    if len(wish.encodings) != 1 or best_counter(*wish.encodings) is estimate:
        return planned
    count = count_most(wish.encodings)
    texts: dict[Layer, str] = {"task": wish.task, "instructions": wish.instructions, "map": planned.map}
    sizes = {layer: Measured(len(text.encode("utf-8", "replace")), count(text)) for layer, text in texts.items()}
    sizes["files"] = files
    own = [size for layer, size in sizes.items() if layer != "task"]  # of the repository, as what is read later is
    whole = Measured(sum(size.bytes for size in own), sum(size.tokens for size in own))
    rates = {layer: min(size.tokens / size.bytes, 1.0) for layer, size in sizes.items() if size.bytes and size.tokens}
    known = min(whole.tokens / whole.bytes, 1.0) if whole.bytes >= LEAST_MEASURED else 0.0
    return planned.model_copy(update={"layer_rates": rates, "tokens_per_byte": known})


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
