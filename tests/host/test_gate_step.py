"""The Action's first step, run as the runner does: on a bare Python, quick, and with few requests or none."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ay_bot.host.gate_step import is_none_of_ours
from tests.host.payloads import issue_comment, thread
from tests.loopback_github.server import LoopbackGitHub

ROOT = Path(__file__).parent.parent.parent
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin") or shutil.which("python3") or "python3"
REPOSITORY = "octo/spoon"


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository(REPOSITORY)
    loopback_github.add_user("alice", "write")
    loopback_github.add_user("mallory")
    return loopback_github


class Step:
    """The step on one machine."""

    def __init__(self, directory: Path, github: LoopbackGitHub) -> None:
        self.directory, self.github = directory, github
        self.output = directory / "output"
        self.token = github.add_actions_token()

    def __call__(self, event: dict[str, Any], name: str = "issue_comment", **more: str) -> dict[str, str]:
        (self.directory / "event.json").write_text(json.dumps(event))
        self.output.write_text("")
        self.ran = self.run({"GITHUB_EVENT_NAME": name, **more})
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    def run(self, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        given = {
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_EVENT_PATH": str(self.directory / "event.json"),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": "4711",
            "INPUT_GITHUB_TOKEN": self.token,
        }
        command = [PYTHON, "-I", "-S", str(ROOT / "scripts" / "bare.py"), "ay_bot.host.gate_step"]
        environment = {name: value for name, value in {**given, **more}.items() if value}
        return subprocess.run(command, env=environment, cwd=self.directory, capture_output=True, text=True, check=False)


@pytest.fixture
def step(tmp_path: Path, github: LoopbackGitHub) -> Step:
    return Step(tmp_path, github)


def comment(github: LoopbackGitHub, body: str, login: str) -> dict[str, Any]:
    github.open_issue()
    return github.payload_for_comment(github.comment(1, body, login=login))


def reactions(github: LoopbackGitHub) -> list[tuple[str, str]]:
    return [(request.method, request.path.rpartition("/")[2]) for request in github.requests]


def test_what_is_not_for_us_asks_nobody_and_says_so(step: Step, github: LoopbackGitHub) -> None:
    told = step(comment(github, "Thank you", "mallory"))
    assert (told["decision"], told["reason"]) == ("ignore", "no-mention")
    assert github.requests == []
    assert step.ran.returncode == 0


def test_who_may_is_heard_at_once(step: Step, github: LoopbackGitHub) -> None:
    told = step(comment(github, "@ay fix this", "alice"))
    assert (told["decision"], told["verb"], told["greeted"]) == ("run", "fix", "true")
    assert reactions(github) == [("GET", "permission"), ("POST", "reactions")]
    assert github.requests[-1].body == {"content": "eyes"}


def test_who_may_not_gets_one_reaction_and_no_red_cross(step: Step, github: LoopbackGitHub) -> None:
    told = step(comment(github, "@ay fix this", "mallory"))
    assert (told["decision"], told["reason"]) == ("deny", "permission-too-low")
    assert reactions(github) == [("GET", "permission"), ("POST", "reactions")]
    assert github.requests[-1].body == {"content": "-1"}
    assert step.ran.returncode == 0


def test_a_refusal_costs_two_requests_whoever_had_a_hand_in_it(step: Step, github: LoopbackGitHub) -> None:
    told = step(comment(github, "@ay fix this", "alice"), GITHUB_TRIGGERING_ACTOR="mallory")
    assert told["decision"] == "deny"
    assert len(github.requests) == 2


def test_a_reaction_that_github_refuses_changes_nothing(step: Step, github: LoopbackGitHub) -> None:
    github.fail("POST", "reactions", 502)
    told = step(comment(github, "@ay fix this", "alice"))
    assert (told["decision"], told["greeted"]) == ("run", "")


def test_without_a_token_nobody_may(step: Step) -> None:
    told = step(issue_comment(), INPUT_GITHUB_TOKEN="")
    assert (told["decision"], told["reason"]) == ("deny", "permission-unknown")


def test_the_workflow_says_who_may_and_how_the_bot_is_called(step: Step, github: LoopbackGitHub) -> None:
    github.add_user("tom", "triage")
    assert step(comment(github, "@robo fix this", "tom"), INPUT_MENTION="robo")["decision"] == "deny"
    assert step(comment(github, "@robo fix this", "tom"), INPUT_MENTION="robo", INPUT_WHO="triage")["decision"] == "run"
    step(issue_comment(), INPUT_WHO="*")
    assert step.ran.returncode == 2
    assert "may not be given outputs that write" in step.ran.stderr


def test_nothing_that_somebody_wrote_is_told_to_later_steps(step: Step, github: LoopbackGitHub) -> None:
    body = "@ay fix this\nsecret-word=1\ndecision=run"
    told = step(comment(github, body, "mallory"))
    assert set(told) == {"decision", "reason", "verb", "greeted", "container"}
    assert told["decision"] == "deny"
    assert "secret-word" not in step.output.read_text() + step.ran.stdout + step.ran.stderr


@pytest.mark.parametrize("name", ["ay_bot", "json", "pathlib"])
def test_the_current_directory_gives_no_code(step: Step, github: LoopbackGitHub, name: str) -> None:
    """The workspace may hold a stranger's checkout."""
    (step.directory / name).mkdir()
    (step.directory / name / "__init__.py").write_text("raise SystemExit('a stranger ran')")
    assert step(issue_comment("hello"))["decision"] == "ignore"


def test_a_machine_without_the_runners_variables_is_told_what_is_missing(step: Step) -> None:
    ran = step.run({"GITHUB_EVENT_PATH": "", "GITHUB_REPOSITORY": ""})
    assert ran.returncode == 2
    assert "GITHUB_EVENT_NAME, GITHUB_EVENT_PATH, GITHUB_REPOSITORY" in ran.stderr


def test_a_label_on_an_issue_reacts_on_the_issue(step: Step, github: LoopbackGitHub) -> None:
    github.open_issue(login="mallory")
    github.label(1, "ay", login="alice")
    told = step(github.payload_for_thread(1, action="labeled", sender="alice", label="ay"), name="issues")
    assert (told["decision"], told["verb"]) == ("run", "fix")
    assert github.requests[-1].path.endswith("/issues/1/reactions")


def test_the_step_is_quick(step: Step) -> None:
    """The fastest of five: the machine may be busy, the step may not be."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        step(thread("opened", title="Nothing"), name="issues")
        times.append(time.monotonic() - began)
    assert min(times) < 0.3


def test_the_image_itself_ends_for_what_is_none_of_ours_before_it_loads_anything(step: Step) -> None:
    (step.directory / "event.json").write_text(json.dumps(issue_comment("Thanks")))
    code = "import sys; from ay_bot.__main__ import main; sys.argv = ['ay-bot', 'action']; main(); print(*sys.modules)"
    given = {"GITHUB_EVENT_NAME": "issue_comment", "GITHUB_EVENT_PATH": str(step.directory / "event.json")}
    ran = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not {"pydantic", "typer", "github", "docker", "urllib.request"} & set(ran.stdout.split())


def test_what_may_be_ours_is_left_to_the_gate(step: Step) -> None:
    event = step.directory / "event.json"
    given = {"GITHUB_EVENT_NAME": "issue_comment", "GITHUB_EVENT_PATH": str(event)}
    assert not is_none_of_ours(given), "an event that can't be read is told, not passed over"
    event.write_text(json.dumps(issue_comment("@ay fix this", author="mallory")))
    assert not is_none_of_ours(given), "who may not ask is told so"
    event.write_text(json.dumps(issue_comment("@robo fix this")))
    assert is_none_of_ours(given)
    assert not is_none_of_ours({**given, "INPUT_MENTION": "@robo"})


def test_the_gate_as_a_command_asks_github_where_nobody_answers_for_it(step: Step, github: LoopbackGitHub) -> None:
    event = step.directory / "event.json"
    event.write_text(json.dumps(comment(github, "@ay fix this", "alice")))
    command = [
        sys.executable,
        "-m",
        "ay_bot.host.gate",
        "--event-name",
        "issue_comment",
        "--event",
        str(event),
        "--json",
    ]
    given = {"GITHUB_API_URL": github.api_url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": step.token}

    def decide(*more: str, **environment: str) -> tuple[int, str]:
        ran = subprocess.run([*command, *more], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        return ran.returncode, json.loads(ran.stdout)["reason"]

    assert decide(**given) == (0, "mention")
    assert len(github.requests) == 1
    assert decide("--permission", "read", **given) == (3, "permission-too-low")
    assert decide() == (3, "permission-unknown")
    assert len(github.requests) == 1
