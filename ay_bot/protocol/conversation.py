"""A conversation with a model, in the one form that all rooms understand; providers' forms stay in the gateway."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Role = Literal["main", "planner", "editor", "reviewer", "weak", "summary"]
"""Whom the agent asks: it names a role, never a model or a key.

`main` works on the task, `planner` lays out what `editor` then writes, `reviewer` looks at a change with fresh eyes,
`weak` writes titles and commit messages, `summary` condenses a long conversation.
"""


class Value(BaseModel):
    """The base of everything that crosses a wall: frozen, closed against unknown fields, its numbers finite."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64", val_json_bytes="base64"
    )


class Thought(Value):
    """What a model thought on the way to an answer, as its provider wants it back: sealed, and kept as it is.

    `by` is the model that thought it; `data` is for the gateway alone, which sends it back to that model and no other.
    """

    by: Annotated[str, Field(max_length=256)]
    data: Annotated[str, Field(max_length=4_000_000)]


class ImagePart(Value):
    """An image that belongs to a message. It is named by its digest: the bytes never come into a box."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    width: Annotated[int, Field(ge=1, le=16_384)]
    height: Annotated[int, Field(ge=1, le=16_384)]
    name: Annotated[str, Field(max_length=200)] = ""

    @property
    def tokens(self) -> int:
        """About as many tokens as providers count for it: they shrink what is larger than 1568 pixels."""
        return min(1_600, self.width * self.height // 750 + 1)


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
    images: Annotated[tuple[ImagePart, ...], Field(max_length=16)] = ()


class AssistantMessage(Value):
    """What the model said and asked for. `thoughts` are those of the reply, unchanged, or none at all."""

    role: Literal["assistant"] = "assistant"
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    thoughts: tuple[Thought, ...] = ()


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
