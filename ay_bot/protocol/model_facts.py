"""What is known of a model: how much it takes, what it can do, what it costs; read by the gateway, told to the rest."""

from typing import Annotated

from pydantic import Field

from ay_bot.protocol.conversation import Value

Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]


class Capabilities(Value):
    """What a person says of a model, over what the table says of it; None says nothing."""

    context_window: Tokens | None = None
    """How many tokens a request may have."""
    output_limit: Tokens | None = None
    """How many tokens an answer may have."""
    tools: bool | None = None
    """Whether it takes native tool calls."""
    parallel_tools: bool | None = None
    """Whether it makes several tool calls in one answer."""
    vision: bool | None = None
    """Whether it sees images."""
    reasoning: bool | None = None
    """Whether it thinks before it answers."""
    caching: bool | None = None
    """Whether its provider caches the beginning of a request."""
    input_price: Dollars | None = None
    """US dollars for a million tokens sent."""
    output_price: Dollars | None = None
    """US dollars for a million tokens received."""


class ModelFacts(Value):
    """One model, by litellm's name. Zero and None mean that nobody knows; prices are dollars for a million tokens.

    A model that nobody knows is taken to be able to call tools, several at once, and nothing else.
    """

    model: str
    provider: str = ""
    known: bool = False
    context_window: int = 0
    output_limit: int = 0
    tools: bool = True
    parallel_tools: bool = True
    vision: bool = False
    reasoning: bool = False
    caching: bool = False
    input_price: float | None = None
    output_price: float | None = None
    cached_price: float | None = None

    @property
    def priced(self) -> bool:
        """Whether a budget in money can be held."""
        return self.input_price is not None and self.output_price is not None
