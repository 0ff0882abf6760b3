"""The events of a run: what happened, in order, as values that faces render and `events.jsonl` keeps."""

from typing import Annotated, Literal

from pydantic import Field

from ay_bot.protocol.conversation import Role, Usage, Value
from ay_bot.protocol.layers import Layer

Phase = Literal[
    "repository", "config", "image", "box", "seed", "context", "baseline", "session", "changes", "checks", "message",
    "publish",
]  # fmt: skip

# ----------------------------------------------------------------- told by the agent, and no more believed than it


class StepStarted(Value):
    """The agent asks the model for the `step`-th time."""

    type: Literal["step_started"] = "step_started"
    step: int
    estimated_tokens: int


class AssistantSaid(Value):
    """Text that the model wrote beside its tool calls."""

    type: Literal["assistant_said"] = "assistant_said"
    text: str


class ToolStarted(Value):
    """A tool call begins; `summary` is one line for people."""

    type: Literal["tool_started"] = "tool_started"
    tool: str
    summary: str


class ToolFinished(Value):
    """A tool call ended; `outcome` is one line for people."""

    type: Literal["tool_finished"] = "tool_finished"
    tool: str
    ok: bool
    seconds: float
    outcome: str


class ModelErred(Value):
    """The model wrote something that can't be carried out, and was told why."""

    type: Literal["model_erred"] = "model_erred"
    problem: str


class ContextReduced(Value):
    """The conversation was made shorter.

    By masking old results, by a summary that a model wrote or a bare outline of what was done, or by cutting results.
    """

    type: Literal["context_reduced"] = "context_reduced"
    before_tokens: int
    after_tokens: int
    how: Literal["masked", "summarised", "outlined", "cut"] = "cut"


PlanStepState = Literal["open", "doing", "done"]
MOST_PLAN_STEPS = 20


class PlanStep(Value):
    """One step of the agent's plan, in its words."""

    text: str
    state: PlanStepState = "open"


class PlanChanged(Value):
    """The agent's plan, whole."""

    type: Literal["plan_changed"] = "plan_changed"
    steps: Annotated[tuple[PlanStep, ...], Field(max_length=MOST_PLAN_STEPS)]


Part = Literal["explore", "review", "fix"]
"""What an agent may do for another: look, judge a change, or make one."""


class DelegateFinished(Value):
    """An agent that worked for the main one has ended."""

    type: Literal["delegate_finished"] = "delegate_finished"
    agent: int
    part: Part
    status: str
    steps: int
    summary: str


class Delegated(Value):
    """What an agent that works for the main one tells; `agent` counts them from 1."""

    type: Literal["delegated"] = "delegated"
    agent: int
    part: Part
    event: Annotated[
        StepStarted | AssistantSaid | ToolStarted | ToolFinished | ModelErred | ContextReduced | PlanChanged,
        Field(discriminator="type"),
    ]


AgentEvent = Annotated[
    StepStarted
    | AssistantSaid
    | ToolStarted
    | ToolFinished
    | ModelErred
    | ContextReduced
    | PlanChanged
    | DelegateFinished
    | Delegated,
    Field(discriminator="type"),
]

# ----------------------------------------------------------------- told by the host


class RunStarted(Value):
    """A run began."""

    type: Literal["run_started"] = "run_started"
    version: str
    repository: str
    base: str
    model: str
    sandbox: str


class PhaseStarted(Value):
    """A phase of the pipeline began."""

    type: Literal["phase_started"] = "phase_started"
    phase: Phase
    detail: str = ""


class PhaseFinished(Value):
    """A phase of the pipeline ended."""

    type: Literal["phase_finished"] = "phase_finished"
    phase: Phase
    seconds: float
    detail: str = ""


class BoxOpened(Value):
    """A box runs: its purpose, its driver's name for it, and the digest of its image."""

    type: Literal["box_opened"] = "box_opened"
    purpose: str
    box: str
    image: str


class EgressAttempted(Value):
    """A box asked its proxy for a host. `fix` is the one line of configuration that would allow what was refused."""

    type: Literal["egress_attempted"] = "egress_attempted"
    box: Literal["setup", "agent"]
    host: str
    port: int
    method: str
    path: str = ""
    allowed: bool
    rule: str
    why: str = ""
    fix: str = ""
    sent: int = 0
    received: int = 0


class SetupRan(Value):
    """A set-up command ran in a box of its own; `output` is the end of what it wrote."""

    type: Literal["setup_ran"] = "setup_ran"
    command: str
    exit_code: int
    seconds: float
    output: str = ""


class ModelAsked(Value):
    """A model request was relayed; `layers` are the tokens of its parts, as whoever asked estimates them."""

    type: Literal["model_asked"] = "model_asked"
    request_id: int
    role: Role
    messages: int
    layers: dict[Layer, int] = {}


class ModelAnswered(Value):
    """A model request was answered."""

    type: Literal["model_answered"] = "model_answered"
    request_id: int
    seconds: float
    usage: Usage
    total: Usage
    tool_calls: tuple[str, ...] = ()
    model: str = ""


SwitchCause = Literal[
    "rate_limit", "provider", "timeout", "unreachable", "malformed", "context_window", "authentication", "payment",
    "permission", "not_found", "configuration", "invalid_request", "refused", "escalation", "context", "price",
    "output", "return",
]  # fmt: skip
"""Why another model answers: what the one before it failed of, or whose choice it was."""


class ModelSwitched(Value):
    """Another model than before answers for a role."""

    type: Literal["model_switched"] = "model_switched"
    request_id: int
    role: Role
    before: str
    after: str
    cause: SwitchCause
    reason: str = ""


class ModelChosen(Value):
    """The strategy `task` chose models: `features` are what it measured, `score` (0 to 1) what it made of them."""

    type: Literal["model_chosen"] = "model_chosen"
    features: dict[str, float]
    score: float
    models: dict[Role, str]


class ModelRetried(Value):
    """A model request is tried again after a wait."""

    type: Literal["model_retried"] = "model_retried"
    request_id: int
    retry_in: float
    reason: str


class ModelGaveUp(Value):
    """A model request failed for good."""

    type: Literal["model_gave_up"] = "model_gave_up"
    request_id: int
    cause: str
    message: str


class Noticed(Value):
    """Something that a person should know."""

    type: Literal["noticed"] = "noticed"
    text: str


class PathRefused(Value):
    """A path of the proposed tree may not leave the box."""

    type: Literal["path_refused"] = "path_refused"
    path: str
    rule: str


class TestsRan(Value):
    """The tests ran once on one tree."""

    type: Literal["tests_ran"] = "tests_ran"
    purpose: Literal["baseline", "candidate", "base_tests", "new_tests", "rerun"]
    tree: str
    exit_code: int
    timed_out: bool
    seconds: float
    passed: int
    failed: int
    skipped: int


class RunFinished(Value):
    """The run ended; always the last event."""

    type: Literal["run_finished"] = "run_finished"
    status: str
    reason: str
    exit_code: int


HostEvent = Annotated[
    RunStarted
    | PhaseStarted
    | PhaseFinished
    | BoxOpened
    | EgressAttempted
    | SetupRan
    | ModelAsked
    | ModelAnswered
    | ModelRetried
    | ModelSwitched
    | ModelChosen
    | ModelGaveUp
    | Noticed
    | PathRefused
    | TestsRan
    | RunFinished,
    Field(discriminator="type"),
]


class Record(Value):
    """One line of events.jsonl. `source` says whether the host saw it or only the agent told of it."""

    seq: int
    time: str
    run: str
    source: Literal["host", "agent"]
    event: Annotated[HostEvent | AgentEvent, Field(discriminator="type")]
