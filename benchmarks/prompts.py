"""Prompt tokens, counted with the vocabulary that litellm brings along: no download, the same for every client."""

import json
import os
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timed_model import Exchange
from demo.scripted_model import Json

if TYPE_CHECKING:
    from tiktoken import Encoding


@cache
def vocabulary() -> "Encoding":
    """Return cl100k_base."""
    from importlib.util import find_spec

    import tiktoken

    found = find_spec("litellm")
    places = list(found.submodule_search_locations or []) if found else []
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(places[0]) / "litellm_core_utils" / "tokenizers")
    return tiktoken.get_encoding("cl100k_base")


def count_tokens(text: str) -> int:
    """Return how many tokens a text is."""
    return len(vocabulary().encode(text, disallowed_special=()))


def text_of(request: Json) -> str:
    """Return a request as the text that a model is fed: tools, then messages, without ids."""
    parts = [f"<|tools|>{_compact(request['tools'])}"] if request.get("tools") else []
    for message in request["messages"]:
        calls = (call["function"] for call in message.get("tool_calls") or ())
        said = "".join(f"\n{call['name']}({call['arguments']})" for call in calls)
        parts.append(f"<|{message['role']}|>{_plain(message.get('content'))}{said}")
    return "\n".join(parts)


def least_kept_prefix(exchanges: Sequence[Exchange]) -> float:
    """Return the least share of one prompt that the next repeats from its start: 1 where prompts only grow."""
    texts = [text_of(exchange.request) for exchange in exchanges]
    pairs = pairwise(texts)
    return min((_common(a, b) / len(a) for a, b in pairs), default=1.0)


def _common(one: str, other: str) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


def _plain(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content or "")


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
