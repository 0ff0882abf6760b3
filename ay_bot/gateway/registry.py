"""What is known of each model: litellm's own table, read without importing litellm, and what people say over it."""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from ay_bot.protocol.model_facts import Capabilities, ModelFacts

SAMPLE = "sample_spec"  # an entry of the table that explains the others
TABLE_FILE = "model_prices_and_context_window_backup.json"
TALKING = frozenset({"chat", "responses", "completion"})
"""The modes of models that hold a conversation."""
MILLION = 1_000_000

Entry = Mapping[str, JsonValue]
Table = Mapping[str, Entry]


def read_table() -> Table:
    """Return litellm's table, from the file in its wheel; an empty one if there is no litellm."""
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    table: dict[str, Entry] = json.loads((Path(found.origin).parent / TABLE_FILE).read_bytes())
    return table


class Registry:
    """Facts by litellm's name of a model."""

    def __init__(self, table: Table, capabilities: Mapping[str, Capabilities]) -> None:
        self._table = {name: entry for name, entry in table.items() if name != SAMPLE}
        self._said = capabilities
        self._known: dict[str, ModelFacts] = {}

    def facts(self, model: str) -> ModelFacts:
        """Return what is known of a model."""
        if model not in self._known:
            self._known[model] = self._look_up(model)
        return self._known[model]

    def repriced(self, model: str) -> bool:
        """Say whether a person knows the price better than the table."""
        said = self._said.get(model)
        return bool(said and (said.input_price is not None or said.output_price is not None))

    def all(self) -> Iterator[ModelFacts]:
        """Yield every model that holds a conversation, by name."""
        names = {full_name(name, entry) for name, entry in self._table.items() if entry.get("mode") in TALKING}
        for name in sorted(names | set(self._said)):
            yield self.facts(name)

    def _look_up(self, model: str) -> ModelFacts:
        entry = self._entry(model)
        provider = _text(entry, "litellm_provider") if entry else model.partition("/")[0] if "/" in model else ""
        facts = _facts_of(model, provider, entry) if entry else ModelFacts(model=model, provider=provider)
        said = self._said.get(model)
        if said is None:
            return facts
        over = said.model_dump(exclude_none=True)
        if {"input_price", "output_price"} & over.keys():
            over["cached_price"] = None  # the table's has nothing to do with the new one
        return facts.model_copy(update={**over, "known": True})

    def _entry(self, model: str) -> Entry | None:
        provider, _, name = model.partition("/")
        if provider == "openai" and name.startswith("responses/"):
            return self._entry(f"openai/{name.removeprefix('responses/')}")
        if model in self._table:
            return self._table[model]
        found = self._table.get(name)
        return found if found is not None and _is_of(_text(found, "litellm_provider"), provider) else None


def full_name(name: str, entry: Entry) -> str:
    """Return the name that a configuration gives a model of the table."""
    provider = _family(_text(entry, "litellm_provider"))
    return name if name.startswith(f"{provider}/") or not provider else f"{provider}/{name}"


def _family(provider: str) -> str:
    """Google's models of others are listed apart, and named alike."""
    return "vertex_ai" if provider.startswith("vertex_ai-") else provider


def _is_of(known: str, provider: str) -> bool:
    return provider in (known, _family(known)) or (provider == "bedrock" and known.startswith("bedrock"))


def _facts_of(model: str, provider: str, entry: Entry) -> ModelFacts:
    tools = entry.get("supports_function_calling") is True
    return ModelFacts(
        model=model,
        provider=provider,
        known=True,
        context_window=_count(entry, "max_input_tokens"),
        output_limit=_count(entry, "max_output_tokens"),
        tools=tools,
        parallel_tools=tools and entry.get("supports_parallel_function_calling") is not False,
        vision=entry.get("supports_vision") is True,
        reasoning=entry.get("supports_reasoning") is True,
        caching=entry.get("supports_prompt_caching") is True,
        input_price=_price(entry, "input_cost_per_token"),
        output_price=_price(entry, "output_cost_per_token"),
        cached_price=_price(entry, "cache_read_input_token_cost"),
    )


def _text(entry: Entry, name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _count(entry: Entry, name: str) -> int:
    value = entry.get(name)
    return int(value) if isinstance(value, int | float) and value > 0 else 0


def _price(entry: Entry, name: str) -> float | None:
    value = entry.get(name)
    return round(float(value) * MILLION, 9) if isinstance(value, int | float) and value >= 0 else None
