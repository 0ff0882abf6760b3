"""How an agent would begin a task: its first messages, counted layer by layer, for people who want to see that."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from ay_bot.agent import prompt
from ay_bot.agent.dialect import Dialect
from ay_bot.agent.first_message import Count, LoadedFile, lay_out
from ay_bot.agent.tools.registry import choose_tools
from ay_bot.protocol.layers import SHARES, Layer, limit_of
from ay_bot.protocol.messages import Work

MARK: Final = "│"


class LayerSize(NamedTuple):
    """A layer: how many tokens it may have and has, and which files it shows; whole ones with their tokens."""

    layer: Layer
    limit: int
    tokens: int
    files: tuple[tuple[str, int], ...] = ()


class Opening(NamedTuple):
    """The layers, and the text that they make; `limit` is that of the whole conversation."""

    limit: int
    layers: tuple[LayerSize, ...]
    text: str

    @property
    def tokens(self) -> int:
        """How many tokens all layers have."""
        return sum(layer.tokens for layer in self.layers)

    def as_line(self, identifier: object, rev: str) -> str:
        """Return it as one line of JSON."""
        layers = [
            {**layer._asdict(), "files": [{"path": path, "tokens": size} for path, size in layer.files]}
            for layer in self.layers
        ]
        told = {"id": identifier, "rev": rev, "limit": self.limit, "tokens": self.tokens, "layers": layers}
        return json.dumps(told)


def lay_out_opening(work: Work, files: Sequence[tuple[str, str, int]], count: Count) -> Opening:
    """Return what an agent that does `work` is told first; `files` are paths, texts and tokens."""
    dialect = Dialect(choose_tools(work.mode), work.edit_format, native=work.native_tools)
    standing = prompt.choose_instructions(work.mode, dialect.instructions)
    tools = "\n".join(spec.model_dump_json() for spec in dialect.specs)
    sections = lay_out(work, [LoadedFile(*file) for file in files], count)
    shown: dict[Layer, tuple[tuple[str, int], ...]] = {section.layer: section.files for section in sections}
    shown["map"] = tuple((path, 0) for path in dict.fromkeys(_paths(work.map)))
    sizes = {"standing": count(standing) + count(tools), **{section.layer: section.tokens for section in sections}}
    layers = tuple(
        LayerSize(layer, limit_of(layer, work.max_context_tokens), sizes.get(layer, 0), shown.get(layer, ()))
        for layer in SHARES
    )
    return Opening(work.max_context_tokens, layers, "\n\n".join((standing, *(section.text for section in sections))))


def _paths(drawn: str) -> list[str]:
    return [line.removesuffix(":") for line in drawn.splitlines() if line and MARK not in line]
