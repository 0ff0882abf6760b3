"""What the runner of GitHub Actions tells about a run, parsed once from the environment into one frozen value."""

import json
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError

from ay_bot.errors import UsageError
from ay_bot.host.github.action_inputs import Inputs, parse_inputs, secret_inputs, spellings
from ay_bot.protocol.conversation import Value

MOST_PAYLOAD_BYTES = 32 * 1024 * 1024
"""More than the 25 MB that GitHub delivers."""
HINT = "ay-bot action is started by its Action; docs/what-people-see.md lists what it reads"
_RUNNERS_OWN = (
    "GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_RUNTIME_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_CACHE_URL", "ACTIONS_RESULTS_URL", "GITHUB_ENV", "GITHUB_PATH",
    "GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY",
)  # fmt: skip
"""Tokens of the runner, and the files whose lines steer the job."""


def _check_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or re.search(r"\s", text):
        raise ValueError("it is no web address")
    if parts.scheme == "http" and not _is_near(parts.hostname):
        raise ValueError("a token is sent over https, or to an address of a private network")
    return text.rstrip("/")


def _is_near(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_private
    except ValueError:
        return False


Login = Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9_-]{1,100}(?:\[bot\])?)?$")]
Address = Annotated[str, Field(max_length=2000), AfterValidator(_check_address)]
Number = Annotated[int, Field(ge=1, lt=10**15)]


class RunnerContext(Value):
    """A run of a workflow. Paths that the runner did not give are None."""

    event_name: Annotated[str, Field(pattern=r"^[a-z_]{1,100}$")]
    event_path: Path
    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$")]
    run_id: Number
    run_attempt: Number = 1
    server_url: Address = "https://github.com"
    api_url: Address = "https://api.github.com"
    graphql_url: Address = "https://api.github.com/graphql"
    workspace: Path | None = None
    output: Path | None = None
    step_summary: Path | None = None
    actor: Login = ""
    triggering_actor: Login = ""
    workflow_ref: Annotated[str, Field(max_length=1000, pattern=r"^[^\s\x00]*$")] = ""
    runner_temp: Path | None = None
    inputs: Inputs

    @property
    def run(self) -> str:
        """Return what this attempt of the run is known by in markers."""
        return f"{self.run_id}.{self.run_attempt}"

    @property
    def run_url(self) -> str:
        """Return where people read the run's log."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"

    def read_event(self) -> object:
        """Return the payload as JSON that nobody has looked at yet."""
        try:
            with self.event_path.open("rb") as source:
                raw = source.read(MOST_PAYLOAD_BYTES + 1)
            if len(raw) > MOST_PAYLOAD_BYTES:
                raise UsageError(f"the event has more than {MOST_PAYLOAD_BYTES} bytes", hint=HINT)
            payload: object = json.loads(raw)
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"the event in GITHUB_EVENT_PATH can't be read: {error}", hint=HINT) from None
        return payload


def parse_runner_context(environment: Mapping[str, str]) -> RunnerContext:
    """Return the run's facts and inputs, or raise UsageError that names every problem at once."""
    inputs, problems = parse_inputs(environment)
    given = {name: value for name in _facts() if (value := environment.get(_variable(name), "").strip())}
    try:
        context = RunnerContext.model_validate({**given, "inputs": inputs})
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False)
        problems += tuple(_describe(str(problem["loc"][0]), problem["msg"]) for problem in told)
    else:
        if not problems:
            return context
    raise UsageError("\n".join(problems), hint=HINT)


def names_to_forget(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that have to leave the environment before any child is started.

    These are the Action's secrets in every spelling, the runner's own tokens, and the paths of the files by which a
    process steers the job. Keys of models are not among them: the gateway's process is given those by name.
    """
    wanted = {*_RUNNERS_OWN, *(name for field in secret_inputs() for name in spellings(field))}
    return tuple(name for name in environment if name.upper() in wanted)


def _facts() -> Iterable[str]:
    return (name for name in RunnerContext.model_fields if name != "inputs")


def _variable(fact: str) -> str:
    return fact.upper() if fact == "runner_temp" else f"GITHUB_{fact.upper()}"


def _describe(fact: str, message: str) -> str:
    wrong = "it is missing" if message == "Field required" else message.removeprefix("Value error, ")
    return f"{_variable(fact)}: {wrong[0].lower()}{wrong[1:]}"
