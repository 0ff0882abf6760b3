"""The inputs of the Action: `Inputs.model_fields` is their one list, which action.yml has to match."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError

from ay_bot.host.config import Overrides, SandboxPreference, Settings
from ay_bot.host.models.packs import PackName
from ay_bot.host.permissions import HARMLESS_OUTPUTS, WRITE_OUTPUTS, Admission
from ay_bot.host.sandbox.guarantees import Guarantee
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import ReviewMode
from ay_bot.protocol.outputs import OutputType

PREFIX = "INPUT_"
MOST_CHARACTERS = 65_536


def _split(value: object) -> object:
    """A list is written with commas, spaces or lines between its items."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


Text = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$")]
Count = Annotated[int, Field(ge=0)] | None
Logins = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}(\[bot\])?$")], ...], BeforeValidator(_split)
]
Outputs = Annotated[tuple[OutputType, ...], BeforeValidator(_split)]


class Inputs(Value):
    """What a workflow hands to the Action. None, or nothing, leaves it to the repository's configuration file."""

    github_token: SecretStr = Field(
        SecretStr(""),
        description="Token that reads the repository and, where the mode writes, publishes.",
    )
    ci_token: SecretStr = Field(
        SecretStr(""),
        description="Token that pushes, so that CI starts on the bot's commits; the workflow's own starts none.",
    )
    app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,100}$")] = Field(
        "", description="Id or client id of a GitHub App to act as, in place of `github-token`."
    )
    app_private_key: SecretStr = Field(SecretStr(""), description="Private key of that App, in PEM.")
    model: Text | None = Field(
        None, description="The model, as litellm names it: `provider/name`. Its key comes from the environment."
    )
    weak_model: Text | None = Field(
        None, description="The model that writes commit messages; the same as `model` by default."
    )
    api_base: Text | None = Field(
        None, description="Address of the model's server, where it is not the provider's own."
    )
    test: Text | None = Field(None, description="The command that runs the tests; found by default.")
    setup: Text | None = Field(
        None, description="A command that installs what the tests need; it runs once, in a box of its own."
    )
    sandbox: SandboxPreference | None = Field(
        None, description="The wall around the agent: `auto`, `docker` or `bubblewrap`."
    )
    image: Text | None = Field(None, description="The box image; by default ay-bot's own, with Python and pytest.")
    runtime: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = Field(
        None, description="The engine's runtime that boxes run in, such as `runsc` or `kata`; the engine's default."
    )
    require: Annotated[tuple[Guarantee, ...] | None, BeforeValidator(_split)] = Field(
        None, description="What the wall must give, beside what the file requires, such as `memory,cpu,kernel`."
    )
    pack: PackName | None = Field(None, description="The pack of `models:` that counts.")
    review: ReviewMode | None = Field(
        None, description="Whether a reviewer looks at the change: `off`, `on` or `strict`; the file can ask for more."
    )
    max_cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="The most that model calls may cost, in US dollars; 0 for no cap."
    )
    max_tokens: Count = Field(None, description="The most tokens that model calls may use; 0 for no cap.")
    max_steps: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="How often the agent may ask the model."
    )
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="How long a run may take, in seconds."
    )
    repair_rounds: Annotated[int, Field(ge=0, le=10)] | None = Field(
        None, description="How often a change whose tests fail goes back to the agent."
    )
    who: Literal["read", "triage", "write", "maintain", "admin", "*"] | None = Field(
        None,
        description="The weakest role that may ask, `write` by default; `*` for anybody, with harmless outputs only.",
    )
    bots: Logins = Field((), description="Apps and bot accounts that may ask, separated by commas or lines.")
    mention: Name = Field("ay", description="The name that is called, without `@`.")
    label: Name = Field("ay", description="The label that asks for a fix; `LABEL:VERB` asks for something else.")
    outputs: Outputs = Field(
        (), description="What a run may do on GitHub, separated by commas or lines; everything by default."
    )
    mode: Literal["run", "work", "publish"] = Field(
        "run",
        description="`run` does everything in one job; `work` writes a bundle, `publish` publishes one.",
    )
    bundle: Text = Field("", description="Directory of the bundle: where `work` writes it and `publish` finds it.")
    cache_directory: Text = Field(
        "",
        description="Directory of what is known of the files of the repository, for `actions/cache`.",
    )

    def overrides(self) -> Overrides:
        """Return what is said of the run's settings, as the command line would say it."""
        shared = Overrides.model_fields.keys() & type(self).model_fields.keys()
        return Overrides.model_validate({name: getattr(self, name) for name in shared})

    def admission(self, settings: Settings | None = None) -> Admission:
        """Return who may ask for what. What the base commit's file says wins: a pull request can change a workflow."""
        said = settings.model_fields_set if settings else frozenset()
        who = settings.who if settings and "who" in said else self.who or Admission().minimum
        bots = settings.bots if settings and "bots" in said else self.bots
        outputs = settings.outputs if settings and "outputs" in said else self.outputs
        return Admission(who, tuple(bots), frozenset(outputs) or HARMLESS_OUTPUTS | WRITE_OUTPUTS)


def input_name(field: str) -> str:
    """Return how action.yml spells an input."""
    return field.replace("_", "-")


def parse_inputs(environment: Mapping[str, str]) -> tuple[Inputs, tuple[str, ...]]:
    """Return the inputs and every problem with them; the inputs are to be used only if there is none."""
    given = {name: value for name in Inputs.model_fields if (value := _given(environment, name))}
    if "github_token" not in given and (token := environment.get("GITHUB_TOKEN", "").strip()):
        given["github_token"] = token
    problems = [f"the input `{input_name(name)}` is too long" for name in given if len(given[name]) > MOST_CHARACTERS]
    try:
        inputs = Inputs.model_validate(given)
    except ValidationError as error:
        problems += [_describe(problem["loc"], problem["msg"]) for problem in error.errors(include_input=False)]
        inputs = Inputs()
    else:
        problems += inputs.admission().problems()
    return inputs, tuple(dict.fromkeys((*problems, *_contradictions(given))))


def secret_inputs() -> tuple[str, ...]:
    """Return the names of the inputs that are secrets, as fields."""
    return tuple(name for name, field in Inputs.model_fields.items() if field.annotation is SecretStr)


def spellings(field: str) -> tuple[str, str]:
    """Return the variables that hold an input: the runner keeps hyphens, a shell can't."""
    return f"{PREFIX}{input_name(field).upper()}", f"{PREFIX}{field.upper()}"


def _given(environment: Mapping[str, str], field: str) -> str:
    return next((value for name in spellings(field) if (value := environment.get(name, "").strip())), "")


def _describe(location: tuple[int | str, ...], message: str) -> str:
    return f"the input `{input_name(str(location[0]))}`: {message[0].lower()}{message[1:]}"


def _contradictions(given: Mapping[str, str]) -> Iterator[str]:
    if ("app_id" in given) != ("app_private_key" in given):
        yield "the inputs `app-id` and `app-private-key` go together, and only one of them is given"
    elif "app_id" not in given and "github_token" not in given:
        yield "there is no token: the inputs `github-token` and `app-id` are both empty"
    if given.get("mode") == "publish" and "bundle" not in given:
        yield "the input `bundle` has to name the directory to publish when `mode` is `publish`"
