"""JSON as editors write it: with comments, and with commas after the last member."""

import json
import re
from typing import Final

LARGEST: Final = 256 * 1024
DEEPEST: Final = 40

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA: Final = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)


def parse_jsonc(content: bytes) -> object:
    """Return what the text says. Raises ValueError, also for what is too large, too deep, or says a name twice."""
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1024} KiB")
    text = content.decode("utf-8-sig")
    bare = _TOKEN.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)
    plain = _LAST_COMMA.sub(lambda found: found[0] if found[0].startswith('"') else "", bare)
    if _depth(plain) > DEEPEST:
        raise ValueError(f"it is nested deeper than {DEEPEST}")
    return json.loads(plain, object_pairs_hook=_once, parse_constant=_refuse)


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it says a name twice")
    return found


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")
