"""The runner's environment: everything that is read, all problems at once, and the secrets that have to go."""

import json
import re
from pathlib import Path

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.config import Settings
from ay_bot.host.github.action_inputs import Inputs, input_name, secret_inputs, spellings
from ay_bot.host.github.runner_context import RunnerContext, names_to_forget, parse_runner_context
from ay_bot.host.github.runner_files import OUTPUT_NAMES
from ay_bot.host.github.tracking_marker import STATES

RUNNER = {
    "GITHUB_EVENT_NAME": "issue_comment",
    "GITHUB_EVENT_PATH": "/github/workflow/event.json",
    "GITHUB_REPOSITORY": "octo/spoon",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_API_URL": "https://github.example/api/v3",
    "GITHUB_GRAPHQL_URL": "https://github.example/api/graphql",
    "GITHUB_WORKSPACE": "/github/workspace",
    "GITHUB_OUTPUT": "/github/file_commands/set_output_x",
    "GITHUB_STEP_SUMMARY": "/github/file_commands/step_summary_x",
    "GITHUB_ACTOR": "alice",
    "GITHUB_TRIGGERING_ACTOR": "dependabot[bot]",
    "GITHUB_WORKFLOW_REF": "octo/spoon/.github/workflows/ay.yml@refs/heads/main",
    "RUNNER_TEMP": "/github/runner_temp",
    "INPUT_GITHUB-TOKEN": "ghs_secret",
}


def problems_of(environment: dict[str, str]) -> list[str]:
    with pytest.raises(UsageError) as refused:
        parse_runner_context(environment)
    assert refused.value.hint
    return refused.value.message.splitlines()


def test_everything_that_the_runner_says_is_read() -> None:
    context = parse_runner_context(RUNNER)
    assert context.run == "4711.2"
    assert context.run_url == "https://github.example/octo/spoon/actions/runs/4711"
    facts = context.model_dump(exclude={"inputs"}, mode="json")
    assert all(facts.values())
    assert {str(value) for value in facts.values()} == {v for k, v in RUNNER.items() if not k.startswith("INPUT_")}


def test_what_the_runner_does_not_say_is_optional_where_it_may_be() -> None:
    needed = {name for name, field in RunnerContext.model_fields.items() if field.is_required()}
    assert needed == {"event_name", "event_path", "repository", "run_id", "inputs"}
    few = {name: RUNNER[name] for name in RUNNER if name.removeprefix("GITHUB_").lower() in needed}
    assert parse_runner_context({**few, "INPUT_GITHUB-TOKEN": "t"}).output is None


@pytest.mark.parametrize("spelled", ["INPUT_MAX-COST", "INPUT_MAX_COST"])
def test_hyphens_stay_and_underscores_do_too(spelled: str) -> None:
    assert parse_runner_context({**RUNNER, spelled: " 2.50 "}).inputs.max_cost == 2.5


def test_an_empty_input_was_not_given() -> None:
    empty = {spellings(name)[0]: "" for name in Inputs.model_fields if name != "github_token"}
    context = parse_runner_context({**RUNNER, **empty})
    assert context.inputs.model_copy(update={"github_token": Inputs().github_token}) == Inputs()
    assert context.inputs.overrides().model_dump(exclude_none=True) == {}


def test_inputs_become_overrides_of_the_settings() -> None:
    given = {"INPUT_MODEL": "a/b", "INPUT_REPAIR-ROUNDS": "3", "INPUT_TIMEOUT": "60", "INPUT_SANDBOX": "docker"}
    overrides = parse_runner_context({**RUNNER, **given}).inputs.overrides().model_dump(exclude_none=True)
    assert overrides == {"model": "a/b", "repair_rounds": 3, "timeout": 60.0, "sandbox": "docker"}


def test_what_the_wall_must_give_is_split_and_checked_where_it_enters() -> None:
    given = {
        "INPUT_REQUIRE": "memory, cpu\nkernel",
        "INPUT_RUNTIME": "runsc",
        "INPUT_PACK": "cheap",
        "INPUT_REVIEW": "strict",
    }
    overrides = parse_runner_context({**RUNNER, **given}).inputs.overrides()
    assert overrides.require == ("memory", "cpu", "kernel")
    assert (overrides.runtime, overrides.pack, overrides.review) == ("runsc", "cheap", "strict")
    bad = {"INPUT_REQUIRE": "memory, magic", "INPUT_RUNTIME": "--x", "INPUT_PACK": "a b", "INPUT_REVIEW": "perhaps"}
    said = "\n".join(problems_of({**RUNNER, **bad}))
    for name in ("require", "runtime", "pack", "review"):
        assert f"the input `{name}`: " in said


def test_all_problems_are_told_at_once() -> None:
    broken = {
        "GITHUB_REPOSITORY": "octo/spoon\n::set-env name=a::b",
        "GITHUB_RUN_ID": "0",
        "GITHUB_API_URL": "http://example.com",
        "GITHUB_ACTOR": "a b",
        "INPUT_MAX-COST": "nan",
        "INPUT_WHO": "everybody",
        "INPUT_OUTPUTS": "comment, fly",
        "INPUT_MENTION": "@ay",
        "INPUT_APP-ID": "12",
    }
    problems = "\n".join(problems_of({**RUNNER, **broken, "GITHUB_EVENT_NAME": ""}))
    for name in ("max-cost", "who", "outputs", "mention", "app-private-key"):
        assert f"`{name}`" in problems
    for name in ("EVENT_NAME: it is missing", "REPOSITORY", "RUN_ID", "API_URL", "ACTOR"):
        assert f"GITHUB_{name}" in problems


def test_no_problem_shows_a_secret() -> None:
    told = "\n".join(problems_of({**RUNNER, "INPUT_CI-TOKEN": "s3cr3t\n" * 20_000, "GITHUB_RUN_ID": "x"}))
    assert "ci-token` is too long" in told
    assert "s3cr3t" not in told
    assert "ghs_secret" not in repr(parse_runner_context(RUNNER))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        pytest.param({"INPUT_GITHUB-TOKEN": ""}, "there is no token", id="no token"),
        pytest.param({"INPUT_APP-PRIVATE-KEY": "k"}, "go together", id="key without app"),
        pytest.param({"INPUT_MODE": "publish"}, "`bundle` has to name", id="publish without bundle"),
        pytest.param({"INPUT_MODE": "steal"}, "`mode`", id="no such mode"),
        pytest.param({"INPUT_WHO": "*"}, "outputs that write", id="anybody may write"),
        pytest.param({"INPUT_BOTS": "*"}, "`bots`", id="all bots"),
    ],
)
def test_contradictions_are_refused(given: dict[str, str], problem: str) -> None:
    assert any(problem in line for line in problems_of({**RUNNER, **given}))


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254.example.com", "ftp://a", "https://u@h", "https://", "https://a b"]
)
def test_a_token_goes_to_no_odd_address(url: str) -> None:
    assert "GITHUB_API_URL" in problems_of({**RUNNER, "GITHUB_API_URL": url})[0]


def test_an_app_needs_no_token() -> None:
    app = {"INPUT_GITHUB-TOKEN": "", "INPUT_APP-ID": "12", "INPUT_APP-PRIVATE-KEY": "-----BEGIN\nKEY\n"}
    assert parse_runner_context({**RUNNER, **app}).inputs.app_private_key.get_secret_value() == "-----BEGIN\nKEY"


# ------------------------------------------------------------------------------------------------ who may ask


def test_the_base_commit_wins_over_a_workflow_that_a_pull_request_can_change() -> None:
    inputs = Inputs.model_validate({"who": "read", "bots": "evil", "outputs": "comment"})
    said = Settings.model_validate({"who": "admin", "bots": ("renovate",), "outputs": ("noop",)})
    assert inputs.admission(said).minimum == "admin"
    assert inputs.admission(said).bots == ("renovate",)
    assert inputs.admission(said).outputs == {"noop"}


def test_where_the_base_commit_is_silent_the_workflow_says_who() -> None:
    inputs = Inputs.model_validate({"who": "maintain", "bots": "a, b[bot]\nc"})
    assert inputs.admission(Settings()).minimum == "maintain"
    assert inputs.admission().bots == ("a", "b[bot]", "c")
    assert "create_pull_request" in inputs.admission().outputs
    assert Inputs().admission().minimum == "write"


# ------------------------------------------------------------------------------------------------ secrets, payload


def test_secrets_and_steering_files_leave_the_environment_but_model_keys_stay() -> None:
    secret = {"INPUT_CI_TOKEN", "INPUT_APP-PRIVATE-KEY", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GITHUB_ENV"}
    environment = {**RUNNER, **dict.fromkeys(secret, "x"), "OPENAI_API_KEY": "k", "PATH": "/bin"}
    wanted = secret | {"INPUT_GITHUB-TOKEN", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    assert set(names_to_forget(environment)) == wanted


def test_every_input_that_sounds_secret_is_one() -> None:
    assert set(secret_inputs()) == {name for name in Inputs.model_fields if name.endswith(("_token", "_key"))}


def test_every_input_says_what_it_is_for() -> None:
    for name, field in Inputs.model_fields.items():
        assert (field.description or "").endswith("."), name
        assert "_" not in input_name(name)


def test_the_payload_is_read_and_a_broken_one_is_told(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    context = parse_runner_context({**RUNNER, "GITHUB_EVENT_PATH": str(event)})
    event.write_text(json.dumps({"action": "created"}))
    assert context.read_event() == {"action": "created"}
    for content in ("", "{", "[" * 100_000, "\xff"):
        event.write_text(content, encoding="latin-1")
        with pytest.raises(UsageError, match="GITHUB_EVENT_PATH"):
            context.read_event()
    event.unlink()
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH"):
        context.read_event()


# ------------------------------------------------------------------------------------------------ documents


def test_the_page_names_every_variable_output_and_state() -> None:
    page = (Path(__file__).parents[3] / "docs" / "what-people-see.md").read_text()
    assert {name for name in RUNNER if not name.startswith("INPUT_")} <= set(re.findall(r"`([A-Z_]+)`", page))
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == {*STATES, *OUTPUT_NAMES}
