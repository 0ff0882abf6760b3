"""Rules for the parts of a Markdown text that are not code: code, where every reader agrees on it, stays as it is."""

import re
from collections.abc import Callable, Iterator

from ay_bot.host.sanitize_spans import SURELY, code_mask

_HELD = re.compile(r"\x00(\d+)\x01")


def outside_code(text: str, rule: Callable[[str], str]) -> str:
    """Apply a rule to all but what is surely code, which the rule sees as a token that it may only keep or drop."""
    mask = code_mask(text)
    if SURELY not in mask:
        return rule(text)
    kept: list[str] = []
    parts = []
    for part, is_code in _parts(text, mask):
        if is_code:
            parts.append(f"\x00{len(kept)}\x01")
            kept.append(part)
        else:
            parts.append(part)
    return _HELD.sub(lambda found: kept[int(found[1])], rule("".join(parts)))


def _parts(text: str, mask: bytearray) -> Iterator[tuple[str, bool]]:
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or (mask[position] == SURELY) != (mask[start] == SURELY):
            yield text[start:position], mask[start] == SURELY
            start = position


def without_code(text: str) -> str:
    """Return the parts of a text that are not surely code."""
    return " ".join(part for part, is_code in _parts(text, code_mask(text)) if not is_code)
