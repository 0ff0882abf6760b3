"""Counting tokens with the vocabularies of the models, and what to do where none is at hand."""

import re
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from ay_bot.outline.tree_source import Source
from ay_bot.protocol.memory import give_back_memory

Counter = Callable[[str], int]

# As litellm names the files of the vocabularies that it carries: the SHA-1 of the address each was published at.
VOCABULARIES: Final = {
    "cl100k_base": ("9b5ad71b2ce5302211f9c61530b329a4922fc6a4", "cl100k"),
    "o200k_base": ("fb374d419588a4632f3f557e76b4b70aebbca790", "o200k"),
}
_LARGEST: Final = 4 * 1024 * 1024
_BYTES_PER_TOKEN: Final = 2.0  # pessimistic: a map that was estimated stays within its budget all the same


def _load_counter(directory: Path, encoding: str = "o200k_base") -> Counter:
    """Return what counts tokens as the model does. Raises OSError or ImportError where that can't be had."""
    from gigatoken.gigatoken_rs import BPETokenizer

    name, scheme = VOCABULARIES[encoding]
    if not (directory / name).is_file():
        raise FileNotFoundError(str(directory / name))
    backend = BPETokenizer.from_tiktoken(str(directory / name), scheme, {})
    return lambda text: len(backend.encode(text.encode("utf-8", "replace")))


def encodings_of(model: str) -> tuple[str, ...]:
    """Return the encoding of a model by its name, or nothing where it isn't one of those that are at hand."""
    name = model.rpartition("/")[2].lower()
    if re.match(r"gpt-(?:4o|4\.[15]|[5-9]|oss)|chatgpt|codex|o\d", name):
        return ("o200k_base",)
    return ("cl100k_base",) if re.match(r"gpt-(?:4|3\.5)|text-embedding", name) else ()


def estimate(text: str) -> int:
    """Return more tokens than a text has in any but a contrived case."""
    return round(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN + 0.5)


def vocabulary_directory() -> Path | None:
    """Return where litellm keeps its vocabularies, without importing it."""
    from importlib.util import find_spec

    spec = find_spec("litellm")
    places = spec.submodule_search_locations if spec else None
    directory = Path(next(iter(places), "")) / "litellm_core_utils" / "tokenizers" if places else None
    return directory if directory and directory.is_dir() else None


@cache
def best_counter(encoding: str = "o200k_base") -> Counter:
    """Return the best counter that there is on this machine."""
    directory = vocabulary_directory()
    try:
        return _load_counter(directory, encoding) if directory else estimate
    except (OSError, ImportError):
        return estimate


def count_most(encodings: Sequence[str] = ()) -> Counter:
    """Return what counts the most tokens that a text has in any of some encodings, or of all.

    Their vocabularies take 50 MB each: they are loaded when the first text is counted.
    """
    chosen = tuple(encodings) or tuple(VOCABULARIES)
    return lambda text: max(best_counter(encoding)(text) for encoding in chosen)


def draw_within(draw: Callable[[Counter], str], tokens: int, encodings: Sequence[str] = ()) -> str:
    """Return what `draw` makes with a counter, and no more tokens of it by any of some encodings, or of all.

    One vocabulary is in memory at a time, and none until something is counted; what is too much by another one than
    the first is cut, line by line.
    """
    first, *others = tuple(encodings) or tuple(VOCABULARIES)
    text = draw(count_most((first,)))
    for encoding in others:
        best_counter.cache_clear()
        give_back_memory()
        text = cut_lines(text, tokens, best_counter(encoding))
    return text


def cut_lines(text: str, tokens: int, count: Counter) -> str:
    """Return the first lines of a text, as many as have no more tokens."""
    lines = text.splitlines(keepends=True)
    while lines and count("".join(lines)) > tokens:
        lines.pop()
    return "".join(lines)


def count_tree(source: Source, encoding: str = "o200k_base") -> int:
    """Return how many tokens all text files of a tree have, twice where two files are equal."""
    many = Tally(entry.blob for entry in source.entries())
    count = best_counter(encoding)
    total = 0
    for blob, text in source.blobs(sorted(many), _LARGEST):
        if text and b"\0" not in text[:8_000]:
            total += many[blob] * count(text.decode("utf-8", "replace"))
    return total
