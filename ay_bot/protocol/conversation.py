"""A conversation with a model, in the one form that all rooms understand; providers' forms stay in the gateway."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Role = Literal["main", "weak"]
"""Whom the agent asks: it names a role, never a model or a key. `weak` writes titles and commit messages."""


class Value(BaseModel):
    """The base of everything that crosses a wall: frozen, and closed against unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class ToolCall(Value):
    """What a model wants done. `arguments` is the text that the model wrote, which need not be JSON."""

    id: str
    name: str
    arguments: str


class SystemMessage(Value):
    """The standing instructions."""

    role: Literal["system"] = "system"
    content: str


class UserMessage(Value):
    """What a person, or the harness in a person's place, says."""

    role: Literal["user"] = "user"
    content: str


class AssistantMessage(Value):
    """What the model said and asked for."""

    role: Literal["assistant"] = "assistant"
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class ToolMessage(Value):
    """The result of one tool call; each call of an assistant message has exactly one."""

    role: Literal["tool"] = "tool"
    tool_call_id: str
    content: str


Message = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class ToolSpec(Value):
    """A tool as a model is told of it: `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, JsonValue]


class Usage(Value):
    """What one or more model calls cost. `cost_usd` is None where a price is not known."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        """The sum; an unknown cost makes the sum unknown."""
        known = self.cost_usd is not None and other.cost_usd is not None
        return Usage(
            requests=self.requests + other.requests,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=(self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
        )
