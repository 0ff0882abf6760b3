"""The settings of a run: defaults, then the repository's file from the base commit, then the command line."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from ay_bot.errors import UsageError
from ay_bot.protocol.conversation import Value

CONFIG_FILE = ".github/ay-bot.yml"
SandboxPreference = Literal["auto", "docker", "bubblewrap"]
Line = Annotated[str, Field(max_length=4000)]


class Settings(Value):
    """Everything that a run can be told. Money is US dollars, times are seconds, 0 means no cap where it says so."""

    model: Line = ""
    """The model for the main role, as litellm names it: `provider/name`."""
    weak_model: Line = ""
    """The model that writes commit messages; empty for the same as `model`."""
    test: Line = ""
    """The command that runs the repository's tests; empty to detect it."""
    setup: Line = ""
    """A command to run in each box before anything else, without network."""
    sandbox: SandboxPreference = "auto"
    """Which wall to use; `auto` takes Docker if an engine answers, else bubblewrap."""
    image: Line = ""
    """The box image; empty for ay-bot's own, with Python and pytest."""
    max_cost: Annotated[float, Field(ge=0)] = 5.0
    """The most that model calls may cost; 0 for no cap."""
    max_tokens: Annotated[int, Field(ge=0)] = 2_000_000
    """The most tokens that model calls may use, sent and received; 0 for no cap."""
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


class Overrides(Value):
    """What the command line says; None where it is silent."""

    model: str | None = None
    weak_model: str | None = None
    test: str | None = None
    setup: str | None = None
    sandbox: str | None = None
    image: str | None = None
    max_cost: float | None = None
    max_tokens: int | None = None
    max_steps: int | None = None
    timeout: float | None = None
    repair_rounds: int | None = None


def load_settings(file: bytes | None, overrides: Overrides) -> Settings:
    """Return the settings, or raise UsageError that names every problem at once.

    `file` is the content of CONFIG_FILE in the base commit, None where there is none.
    """
    given = _parse_file(file) if file else {}
    said = overrides.model_dump(exclude_none=True)
    try:
        settings = Settings.model_validate({**given, **said})
    except ValidationError as error:
        problems = [_describe(problem["loc"], problem["msg"], said) for problem in error.errors()]
        known = ", ".join(Settings.model_fields)
        raise UsageError("\n".join(problems), hint=f"the settings are: {known}") from None
    if not settings.model:
        raise UsageError(
            "no model was given",
            hint=f"say which with `--model PROVIDER/NAME` (as litellm names it), or `model:` in {CONFIG_FILE}",
        )
    return settings


def _describe(location: tuple[int | str, ...], message: str, said: Mapping[str, object]) -> str:
    name = ".".join(str(part) for part in location)
    source = f"--{name.replace('_', '-')}" if name in said else f"`{name}` in {CONFIG_FILE}"
    return f"{source}: {message[0].lower()}{message[1:]}"


def _parse_file(file: bytes) -> dict[str, object]:
    import yaml

    try:
        content = yaml.safe_load(file.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{CONFIG_FILE} of the base commit can't be read: {error}"
        raise UsageError(msg, hint="it has to be YAML, in UTF-8") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        msg = f"{CONFIG_FILE} of the base commit is not a table of settings"
        raise UsageError(msg, hint="write one `name: value` a line")
    return content
