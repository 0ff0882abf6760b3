"""What a request to the model is made of, and which share of what may be sent each part may have."""

from collections.abc import Mapping
from typing import Final, Literal

Layer = Literal["standing", "instructions", "task", "map", "files", "history"]
"""Standing instructions and tools; the repository's own instructions; the task with its thread; the map of the
repository; files that were loaded; and all that was said and done since."""
SHARES: Final[Mapping[Layer, float]] = {
    "standing": 0.10,
    "instructions": 0.05,
    "task": 0.15,
    "map": 0.05,
    "files": 0.40,
}
"""Of the tokens that a conversation may have. What the others leave is `history`'s."""
BYTES_PER_TOKEN: Final = 4
"""What a token is taken for until somebody has counted."""
LEAST: Final = 500
"""Tokens that a layer may have in the smallest of windows."""
LEAST_STANDING: Final = 1_100
"""The same for what can't be cut: the instructions with all tools that there are."""


FRAME: Final = 60
"""Tokens around a layer's text: the words that introduce it, its fence, the mark of a cut."""
FILE_FRAME: Final = 12
"""Tokens around a file within its layer: its path's line and its fence."""


FRAME_BYTES: Final = 16
"""The bytes of that, or a few more."""


def limit_of(layer: Layer, tokens: int) -> int:
    """Return how many tokens a layer may have in a conversation of so many."""
    return max(int(SHARES[layer] * tokens), LEAST_STANDING if layer == "standing" else LEAST)


def room_in(layer: Layer, tokens: int) -> int:
    """Return how many of these the layer's own text may have."""
    return limit_of(layer, tokens) - FRAME
