"""The settings of a run, and what the repository may say of them in its configuration file."""

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ay_bot.host.egress.rules import Network
from ay_bot.host.limits import Limits
from ay_bot.host.models.packs import DEFAULT_PACK, ModelName, ModelPack, PackName
from ay_bot.host.permissions import Admission
from ay_bot.host.policy.rules import FileRule
from ay_bot.host.sandbox.guarantees import Guarantee
from ay_bot.protocol.command_rules import CommandPolicy, CommandRule, Decision
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import EditFormat, ReviewMode
from ay_bot.protocol.model_facts import Capabilities
from ay_bot.protocol.outputs import MOST_OUTPUTS, OutputType

CONFIG_FILE = ".github/ay-bot.yml"
SandboxPreference = Literal["auto", "docker", "bubblewrap"]
Line = Annotated[str, Field(max_length=4000)]


Name = Annotated[str, Field(min_length=1, max_length=256)]
ChoreKind = Literal[
    "task", "dependencies", "dependency_pull_requests", "lint", "flaky_tests", "slow_tests", "stale_docs",
    "red_default_branch",
]  # fmt: skip


def _as_word(value: object) -> object:
    """What YAML took for a truth value, as it was written."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


class Publishing(Value):
    """How a proven change is published."""

    draft: Literal["auto", "always", "never"] = "auto"
    """`auto` makes a draft of what a person has to look at first."""
    commits: Literal["auto", "api", "git"] = "auto"
    """`api` lets GitHub make and sign the commit, `git` pushes; `auto` takes the first where the change allows it."""
    labels: tuple[Name, ...] = ()
    reviewers: tuple[Name, ...] = ()
    team_reviewers: tuple[Name, ...] = ()
    assignees: tuple[Name, ...] = ()
    close_issue: bool = True
    """Whether the pull request closes the issue that it was asked for on."""
    max_open_pull_requests: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many pull requests of the bot's may be open at once."""


class Chore(Value):
    """A piece of scheduled maintenance."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    kind: ChoreKind = "task"
    task: Line = ""
    """What to do in words; required for the kind `task`, an addition for the others."""
    schedule: Name | None = None
    """A cron expression in UTC, empty for only by hand. `H` in a field is a fixed value of the chore's own."""
    command: Line = ""
    """The command that updates, lints or finds; empty to detect it."""
    max_cost: Annotated[float, Field(ge=0)] | None = None
    paths: tuple[Name, ...] = ()
    """Patterns, as in .gitignore, of what the chore may change; empty for everything."""
    max_pull_requests: Annotated[int, Field(ge=1, le=100)] = 1
    """How many pull requests of the chore may be open at once."""

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        if self.kind == "task" and not self.task.strip():
            raise ValueError(f"the chore `{self.name}` needs a `task:`, or a `kind:` other than `task`")
        if self.schedule is not None and not _is_cron(self.schedule):
            raise ValueError(f"the schedule `{self.schedule}` of `{self.name}` is no cron expression of five fields")
        if problem := _find_pattern_fault(self.paths):
            raise ValueError(f"the `paths` of `{self.name}` hold no pattern as in .gitignore: {problem}")
        return self


class Settings(Value):
    """Everything that a run can be told. Money is US dollars, times are seconds, 0 means no cap where it says so."""

    model: Line = ""
    """The model for the main role, as litellm names it: `provider/name`."""
    weak_model: Line = ""
    """The model that writes commit messages; empty for the same as `model`."""
    models: Annotated[dict[PackName, ModelPack], Field(max_length=50)] = {}
    """Packs of models by name. The one called `default` counts where nothing else is said."""
    pack: PackName | Literal[""] = ""
    """The pack that counts; what it leaves open is as `model` and `weak_model` say."""
    capabilities: Annotated[dict[ModelName, Capabilities], Field(max_length=500)] = {}
    """What models can do and what they cost, by litellm's name, where its table is wrong or knows nothing."""
    stream: bool = True
    """Whether models answer as they write; without it, all at once."""
    model_idle_timeout: Annotated[float, Field(gt=0)] = 300.0
    """How long a model may be silent in the midst of an answer."""
    model_timeout: Annotated[float, Field(gt=0)] = 600.0
    """How long one answer of a model may take."""
    test: Line = ""
    """The command that runs the repository's tests; empty to detect it."""
    setup: Line | Annotated[tuple[Line, ...], Field(max_length=100)] = ""
    """Commands that install what the tests need: they run once, and boxes are made of what they leave."""
    setup_timeout: Annotated[float, Field(gt=0)] = 1800.0
    """How long the set-up, or building the image, may take."""
    setup_for_changes: bool = False
    """Whether a change to lock files gets a set-up of its own, under `network.setup`: what it runs is the agent's."""
    sandbox: SandboxPreference = "auto"
    """Which wall to use; `auto` takes Docker if an engine answers, else bubblewrap."""
    image: Line = ""
    """The box image; `devcontainer` or `dockerfile:PATH` builds it; empty for ay-bot's own, with Python and pytest."""
    runtime: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$|^$")] = ""
    """The runtime of the engine that boxes run in, such as `runsc` or `kata`; empty for the engine's default."""
    require: tuple[Guarantee, ...] = ()
    """What the wall must give; a run is refused where it can't."""
    limits: Limits = Limits()
    """What each box may use."""
    network: Network = Network()
    """What boxes may reach; nothing, unless this says so."""
    files: Annotated[tuple[FileRule, ...], Field(max_length=200)] = ()
    """Files that the agent may not see or change, beside those that are guarded in any repository."""
    commands: Annotated[tuple[CommandRule, ...], Field(max_length=200)] = ()
    """Commands that the agent's tools run or refuse, by their first words; guidance, and no wall: that is the box."""
    other_commands: Decision = "allow"
    """What becomes of a command that no rule of `commands` matches."""
    max_cost: Annotated[float, Field(ge=0)] = 5.0
    """The most that model calls may cost; 0 for no cap."""
    max_tokens: Annotated[int, Field(ge=0)] = 2_000_000
    """The most tokens that model calls may use, sent and received; 0 for no cap."""
    review: Annotated[ReviewMode, BeforeValidator(_as_word)] = "off"
    """Whether an agent with fresh eyes looks at a change before it is proven: `on` makes what it objects to a draft,
    `strict` refuses it."""
    delegation: Annotated[Literal["auto", "on", "off"], BeforeValidator(_as_word)] = "auto"
    """Whether the agent may have parts of the work done by others; `auto` is in repositories of 500 files and more."""
    architect: bool = False
    """Whether the role `planner` works out the change and the role `editor` writes the edits."""
    edit_format: EditFormat = "auto"
    """How the model makes edits; `auto` is by tools, or by SEARCH/REPLACE text where the model takes none."""
    repository_map: Annotated[Literal["auto", "on", "off"], BeforeValidator(_as_word)] = "auto"
    """Whether the agent begins with a map of what is defined where; `auto` is in repositories of 200 files and more."""
    load: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    """Patterns, as in .gitignore, of files that the agent begins with: `.` for all; the likeliest, if not all fit."""
    instruction_files: tuple[Name, ...] = ()
    """Names of files that instruct agents where a directory has no AGENTS.md, in order, such as `CLAUDE.md`."""
    max_context_tokens: Annotated[int, Field(ge=4000)] = 100_000
    """The longest conversation that is sent to the model."""
    max_steps: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How often the agent may ask the model."""
    timeout: Annotated[float, Field(gt=0)] = 3600.0
    """How long the whole run may take."""
    test_timeout: Annotated[float, Field(gt=0)] = 1200.0
    """How long one run of the tests may take."""
    repair_rounds: Annotated[int, Field(ge=0, le=10)] = 1
    """How often a change whose tests fail goes back to the agent."""
    who: Literal["read", "triage", "write", "maintain", "admin", "*"] = "write"
    """The weakest role on GitHub that may ask; `*` for anybody, never together with an output that writes."""
    bots: tuple[Name, ...] = ()
    """Apps and bot accounts that may ask."""
    outputs: tuple[OutputType, ...] = get_args(OutputType)
    """What a run may do on GitHub."""
    output_limits: dict[OutputType, Annotated[int, Field(ge=0, le=MOST_OUTPUTS)]] = {}
    """How many outputs of a type one run may have, where the default is not right."""
    allowed_labels: tuple[Name, ...] = (
        "bug", "documentation", "duplicate", "enhancement", "good first issue", "help wanted", "invalid", "question",
        "wontfix",
    )  # fmt: skip
    """The labels that a run may put on a thread, as patterns with `*`; a label can start workflows."""
    domains: tuple[Name, ...] = ()
    """Hosts that the bot's texts may link to, beside this repository on GitHub; `*.example.org` for those below one."""
    publishing: Publishing = Publishing()
    """How a proven change is published."""
    maintenance: tuple[Chore, ...] = ()
    """Scheduled maintenance."""

    @property
    def model_pack(self) -> ModelPack:
        """The pack that counts, filled up from `model` and `weak_model`."""
        pack = self.models.get(self.pack or DEFAULT_PACK, ModelPack())
        flat = {"main": self.model, "weak": self.weak_model}
        return pack.model_copy(update={role: (one,) for role, one in flat.items() if one and not getattr(pack, role)})

    @property
    def main_model(self) -> str:
        """The first model of the role `main`, or nothing."""
        return next(iter(self.model_pack.main), "")

    @property
    def command_policy(self) -> CommandPolicy:
        """The rules on commands as one value."""
        return CommandPolicy(rules=self.commands, others=self.other_commands)

    @field_validator("load")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if problem := _find_pattern_fault(patterns):
            raise ValueError(f"this is no pattern as in .gitignore: {problem}")
        return patterns

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        problems = list(Admission(self.who, self.bots, frozenset(self.outputs)).problems())
        names = [chore.name for chore in self.maintenance]
        twice = sorted({name for name in names if names.count(name) > 1})
        problems += [f"there are two chores `{name}` in `maintenance`" for name in twice]
        if self.pack and self.pack not in self.models:
            problems.append(f"there is no pack `{self.pack}` in `models`: {', '.join(self.models) or 'it has none'}")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Overrides(Value):
    """What the command line says; None where it is silent."""

    model: str | None = None
    weak_model: str | None = None
    pack: str | None = None
    stream: bool | None = None
    test: str | None = None
    setup: str | None = None
    sandbox: str | None = None
    image: str | None = None
    runtime: str | None = None
    require: tuple[str, ...] | None = None
    review: ReviewMode | None = None
    load: tuple[str, ...] | None = None
    max_cost: float | None = None
    max_tokens: int | None = None
    max_steps: int | None = None
    timeout: float | None = None
    repair_rounds: int | None = None


def _is_cron(expression: str) -> bool:
    from croniter import croniter

    fields = expression.split()
    if len(fields) != 5 or any(re.match(r"r\b", field, re.IGNORECASE) for field in fields):
        return False  # `R` would be another time at each look
    return croniter.is_valid(expression, hash_id=b"any")


def _find_pattern_fault(patterns: tuple[str, ...]) -> str:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        return str(error)
    return ""
