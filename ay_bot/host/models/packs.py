"""What a configuration says of models: packs, each with the models of every role and how one is chosen."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import ReasoningEffort

ModelName = Annotated[str, Field(min_length=1, max_length=256)]
PackName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
DEFAULT_PACK = "default"


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


ModelNames = Annotated[
    tuple[ModelName, ...],
    Field(max_length=16),
    BeforeValidator(_listed, json_schema_input_type=ModelName | tuple[ModelName, ...]),
]


class ModelPack(Value):
    """The models of each role, as litellm names them. A role without any has those of another."""

    main: ModelNames = ()
    """Who works on the task. Of several, `strategy` says which."""
    planner: ModelNames = ()
    """Who lays out the work; `main` without it."""
    editor: ModelNames = ()
    """Who writes what was laid out; `main` without it."""
    reviewer: ModelNames = ()
    """Who looks at the change with fresh eyes; `main` without it."""
    weak: ModelNames = ()
    """Who writes titles and commit messages; `main` without it."""
    summary: ModelNames = ()
    """Who condenses a long conversation; `weak` without it."""
    strategy: Literal["explicit", "task", "context", "price"] = "explicit"
    """Which of a role's models is asked: the first; by how hard the task is (name the simplest first); the one with the
    smallest window that fits; the cheapest that fits and can do what is asked."""
    fallbacks: ModelNames = ()
    """Who is asked, in order, when a role's own models fail."""
    larger: ModelNames = ()
    """Who is asked when a conversation stays too long for the others."""
    stronger: ModelNames = ()
    """Who is asked once when the agent is stuck."""
    reasoning: ReasoningEffort = "default"
    """How long models think that can; `default` leaves that to them."""
    on_refusal: Literal["stop", "next"] = "stop"
    """What becomes of a request that a model, or a filter before it, refuses."""
    on_payment: Literal["stop", "next"] = "next"
    """What becomes of a request when an account has no credit left; `next` asks another provider."""
