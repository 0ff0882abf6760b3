"""The closed unions of messages on the two pipes: host and box, host and gateway.

A message is one line of JSON. A message that has a `body_size` is followed by that many raw bytes.
Everything that comes out of a box is hostile data: sizes are bounded here, meaning is judged by the host.
"""

from typing import Annotated, Literal

from pydantic import Field

from ay_bot.protocol.box_policy import BoxPolicy
from ay_bot.protocol.conversation import ImagePart, Message, Role, Thought, ToolCall, ToolSpec, Usage, Value
from ay_bot.protocol.events import AgentEvent, SwitchCause
from ay_bot.protocol.layers import Layer
from ay_bot.protocol.model_facts import Capabilities, ModelFacts
from ay_bot.protocol.outputs import MOST_OF_EACH, MOST_OUTPUTS, Output, OutputType
from ay_bot.protocol.plain_messages import BoxFailed, Check, Checked, Exit, Hello, Keep, Kept, Seed, Seeded, Wrote

# ----------------------------------------------------------------- model calls: agent -> host -> gateway and back


class ModelRequest(Value):
    """Ask the model behind `role` for the next message of a conversation.

    `escalate` asks the role's stronger model, if there is one, for this request alone. `agent` is 0 for the main one;
    several requests of others may be on their way at once.
    """

    kind: Literal["model_request"] = "model_request"
    request_id: int
    role: Role = "main"
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    escalate: bool = False
    agent: Annotated[int, Field(ge=0)] = 0
    layers: dict[Layer, Annotated[int, Field(ge=0)]] = {}  # estimated tokens of its parts


class Budget(Value):
    """What the run has spent of what it may spend: `spent` is the greatest share over money and tokens, 0 to 1."""

    spent: float = 0.0
    cost_usd: float | None = 0.0
    tokens: int = 0


class ModelReply(Value):
    """The model's next message. `usage` is this call's alone, `budget` the run's so far.

    `model` is who answered. `content_filter` means that it refused, or was kept from answering.
    """

    kind: Literal["model_reply"] = "model_reply"
    request_id: int
    model: str = ""
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    thoughts: tuple[Thought, ...] = ()
    finish_reason: Literal["stop", "tool_calls", "length", "content_filter"] = "stop"
    usage: Usage = Usage()
    budget: Budget = Budget()


FailureCause = Literal[
    "budget",  # the next call could cost more than what is left
    "configuration",  # unknown model or provider, no key
    "authentication",  # 401
    "payment",  # 402
    "permission",  # 403
    "not_found",  # 404
    "invalid_request",  # 400 and the like
    "rate_limit",  # 429 that did not go away
    "context_window",  # the conversation is longer than the model takes
    "timeout",  # no byte for too long
    "unreachable",  # no connection
    "malformed",  # garbage, or half a stream
    "provider",  # 5xx that did not go away
    "refused",  # a content filter stood before the model
]


class ModelFailure(Value):
    """The model gave no message, and retrying did not help. `message` is for people."""

    kind: Literal["model_failure"] = "model_failure"
    request_id: int
    cause: FailureCause
    message: str
    budget: Budget = Budget()


# ----------------------------------------------------------------- host -> gateway


class ModelSetting(Value):
    """Which model stands behind a role. `api_base` is None for the provider's own address."""

    model: str
    api_base: str | None = None


ReasoningEffort = Literal["default", "none", "low", "medium", "high"]


class RoleModels(Value):
    """Who answers for a role. Which of `models` is first is up to `strategy`, the others and `fallbacks` stand behind.

    `explicit` takes them in order; `context` the smallest window that fits, `price` the cheapest that fits.
    `larger` are for a conversation that is too long, `stronger` for a request that asks for more.
    """

    models: Annotated[tuple[ModelSetting, ...], Field(min_length=1)]
    strategy: Literal["explicit", "context", "price"] = "explicit"
    fallbacks: tuple[ModelSetting, ...] = ()
    larger: tuple[ModelSetting, ...] = ()
    stronger: tuple[ModelSetting, ...] = ()
    reasoning: ReasoningEffort = "default"
    on_refusal: Literal["stop", "next"] = "stop"
    on_payment: Literal["stop", "next"] = "next"


class Image(Value):
    """An image with its bytes: from the host to the gateway, and nowhere else."""

    part: ImagePart
    data: Annotated[bytes, Field(max_length=8_000_000)]


class Configure(Value):
    """The first message to the gateway: roles and caps. A cap of 0 means no cap. Times are seconds.

    A role of which nothing is said is `main`'s.
    """

    kind: Literal["configure"] = "configure"
    roles: dict[Role, ModelSetting | RoleModels]
    capabilities: dict[str, Capabilities] = {}
    images: tuple[Image, ...] = ()
    stream: bool = True
    max_cost_usd: float = 0.0
    max_tokens: int = 0
    idle_timeout: float = 300.0
    total_timeout: float = 600.0
    max_retries: int = 4
    max_retry_wait: float = 120.0
    first_retry_wait: float = 2.0
    rest: float = 300.0
    """How long a model that failed is left alone before it is asked again."""


class DescribeModels(Value):
    """The first message to a gateway that is only asked what it knows of models: all, or those of these names."""

    kind: Literal["describe_models"] = "describe_models"
    names: tuple[str, ...] = ()
    capabilities: dict[str, Capabilities] = {}


# ----------------------------------------------------------------- gateway -> host


class GatewayReady(Value):
    """The gateway has loaded what it needs and takes requests; prices are known for `priced` roles.

    `facts` are those of the model that each role begins with; roles without a window that is known have none in
    `context_windows`, which says how long a request to the role may be at all, its larger models included.
    """

    kind: Literal["gateway_ready"] = "gateway_ready"
    priced: tuple[Role, ...] = ()
    context_windows: dict[Role, int] = {}
    facts: dict[Role, ModelFacts] = {}


class ModelsDescribed(Value):
    """What the gateway knows of models."""

    kind: Literal["models_described"] = "models_described"
    models: tuple[ModelFacts, ...] = ()


class Switched(Value):
    """From now on another model answers for a role."""

    role: Role
    before: str
    after: str
    cause: SwitchCause


class ModelProgress(Value):
    """A sign of life while a request runs: characters received, a wait before the next try, or another model."""

    kind: Literal["model_progress"] = "model_progress"
    request_id: int
    received_characters: int = 0
    retry_in: float | None = None
    reason: str = ""
    switched: Switched | None = None


# ----------------------------------------------------------------- host -> box


WorkMode = Literal["change", "answer"]
"""Whether the agent may change the workspace, or reads it and answers; its tree is not asked for then."""


EditFormat = Literal["auto", "edit", "apply_patch", "search_replace", "udiff", "whole"]
"""How the model is asked to make edits; `auto` is by tools, or by SEARCH/REPLACE text where it has none."""


ReviewMode = Literal["off", "on", "strict"]
"""Whether an agent with fresh eyes looks at the change before it is proven; `strict` lets no objection stand."""


class ReviewFinding(Value):
    """One thing that the reviewer found; `line` is 0 where it is about the whole file."""

    path: Annotated[str, Field(max_length=500)] = ""
    line: Annotated[int, Field(ge=0)] = 0
    text: Annotated[str, Field(max_length=2_000)]


class Review(Value):
    """What the reviewer says of the final change. It comes out of the box, and is no more believed than the agent."""

    verdict: Literal["approve", "object", "none"]
    findings: Annotated[tuple[ReviewFinding, ...], Field(max_length=50)] = ()


TokensPerByte = Annotated[float, Field(gt=0, le=1)]


class Work(Value):
    """Start the agent: once per box, after `Seed`. Times are seconds.

    `outputs` names what the agent may propose beside its change; without any it isn't told of outputs at all.
    `output_limits` says how many of each type.
    """

    kind: Literal["work"] = "work"
    task: str
    instructions: str = ""  # AGENTS.md of the base commit
    deeper_instructions: tuple[str, ...] = ()  # paths of those that hold for a part of the repository
    test_command: str = ""
    max_steps: int = 100
    max_context_tokens: int = 100_000
    command_timeout: float = 600.0
    test_timeout: float = 1200.0
    images: tuple[ImagePart, ...] = ()  # of the task; they belong to its message
    models: dict[Role, ModelFacts] = {}  # who answers for each role, as far as that is known
    ignore: tuple[str, ...] = ()  # gitignore patterns on top of the repository's own
    mode: WorkMode = "change"
    outputs: tuple[OutputType, ...] = ()
    output_limits: dict[OutputType, int] = MOST_OF_EACH
    policy: BoxPolicy = BoxPolicy()
    edit_format: EditFormat = "auto"
    architect: bool = False  # whether one model plans and another, the role `editor`, writes the edits
    native_tools: bool = True  # whether the model takes tools; else it calls them by text
    delegation: bool = False  # whether the agent may have parts of the work done by others
    review: ReviewMode = "off"
    has_stronger: bool = False  # whether a stronger model can be asked once the agent goes round in circles
    map: str = ""  # what is defined where in the repository
    load: tuple[str, ...] = ()  # files that the work begins with, as far as they fit
    tokens_per_byte: TokensPerByte = 0.25  # of this repository's texts, until the model counts
    layer_rates: dict[Layer, TokensPerByte] = {}  # of what the work begins with, as far as the host could count it


class Feedback(Value):
    """The proposed change did not pass: what was wrong. The agent goes on and finishes again."""

    kind: Literal["feedback"] = "feedback"
    text: str
    max_steps: int


# ----------------------------------------------------------------- box -> host


class Happened(Value):
    """An event of the agent, for the log and for people."""

    kind: Literal["happened"] = "happened"
    event: AgentEvent


FileMode = Literal["100644", "100755", "120000"]


class ChangedFile(Value):
    """One file that differs from the seed. Its content (for 120000: the link's target) is `size` bytes of the body."""

    path: str
    mode: FileMode
    size: int = Field(ge=0)


EndReason = Literal["finished", "steps", "budget", "stuck", "model_failed", "context"]


class Finished(Value):
    """The agent has ended, and this is its tree: every file that is new or differs, and every one that is gone.

    The body is the contents of `changed`, one after another, in order.
    """

    kind: Literal["finished"] = "finished"
    reason: EndReason
    summary: str = ""
    steps: int = 0
    changed: tuple[ChangedFile, ...] = ()
    deleted: tuple[str, ...] = ()
    unrepresentable: tuple[str, ...] = ()  # repr of names that are not UTF-8, and of sockets, devices and the like
    failure: ModelFailure | None = None
    outputs: Annotated[tuple[Output, ...], Field(max_length=MOST_OUTPUTS)] = ()
    review: Review | None = None
    body_size: int = 0


HostToBox = Annotated[
    Seed | Work | Feedback | Check | Keep | ModelReply | ModelFailure | Exit, Field(discriminator="kind")
]
BoxToHost = Annotated[
    Hello | Seeded | Wrote | Happened | ModelRequest | Finished | Checked | Kept | BoxFailed,
    Field(discriminator="kind"),
]
HostToGateway = Annotated[Configure | DescribeModels | ModelRequest, Field(discriminator="kind")]
GatewayToHost = Annotated[
    GatewayReady | ModelsDescribed | ModelProgress | ModelReply | ModelFailure, Field(discriminator="kind")
]
