"""A runner's machine for one test: a GitHub and a model that containers can reach, an event, and the runner's folders."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.scripted_model import ScriptedModel
from tests.action.composite import RUNNER
from tests.loopback_github.server import LoopbackGitHub

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "demo"
REPOSITORY = "maria/evenly"
CONFIG = "model: openai/scripted\ntest: python3 -m pytest -q\nrepository_map: 'on'\n"
CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")
TRAPS = {
    "ACTIONS_RUNTIME_TOKEN": "trap-runtime",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "trap-identity",
    "SECRET_OF_ANOTHER_STEP": "trap-other",
}
"""What a job has in its environment and the bot has no business with."""


def docker(*words: str, seconds: float = 60, check: bool = True) -> str:
    ran = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=seconds)
    assert ran.returncode == 0 or not check, ran.stderr
    return ran.stdout.strip()


def engines_address() -> str:
    """Return the address at which containers of the default network reach this machine."""
    return docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")


@dataclass
class Stage:
    """One repository with a bug, an issue about it, and a comment that calls the bot."""

    directory: Path
    github: LoopbackGitHub
    model: ScriptedModel
    token: str
    files: dict[str, Path] = field(default_factory=dict)
    run_id: int = 4711

    @property
    def temporary(self) -> Path:
        return self.directory / "_temp"

    @property
    def workspace(self) -> Path:
        return self.directory / "evenly" / "evenly"

    def write_event(self, payload: Mapping[str, Any]) -> Path:
        """Write the payload where the runner does."""
        place = self.temporary / "_github_workflow" / "event.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(payload))
        return place

    def facts(self, event_name: str = "issue_comment") -> dict[str, str]:
        """Return what the runner tells of a run, as paths of this machine."""
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "maria",
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_EVENT_NAME": event_name,
            "GITHUB_EVENT_PATH": str(self.temporary / "_github_workflow" / "event.json"),
            "GITHUB_GRAPHQL_URL": self.github.graphql_url,
            "GITHUB_JOB": "ay-bot",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REPOSITORY_OWNER": "maria",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_SERVER_URL": self.github.url,
            "GITHUB_SHA": self.github.branch("main") or "",
            "GITHUB_TRIGGERING_ACTOR": "maria",
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/ay-bot.yml@refs/heads/main",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_ARCH": "X64",
            "RUNNER_ENVIRONMENT": "github-hosted",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temporary),
            "RUNNER_WORKSPACE": str(self.workspace.parent),
        }

    def certificates(self, place: str = "") -> dict[str, str]:
        """Return what a machine has whose GitHub is certified by an authority of its own."""
        assert self.github.certificate
        return dict.fromkeys(CERTIFICATES, place or str(self.github.certificate))

    def pull_branch(self) -> str:
        """Return the branch of the one pull request."""
        (pull,) = self.github.pulls()
        return str(pull.head_branch)

    def give_to_runner(self) -> None:
        """Make everything belong to the runner's user, as it does there; as another user, it is ours already."""
        if os.geteuid() == 0:
            for place, directories, files in os.walk(self.directory):
                for name in (".", *directories, *files):
                    os.chown(Path(place, name), RUNNER, RUNNER, follow_symlinks=False)


@contextmanager
def open_stage(directory: Path) -> Iterator[Stage]:
    """Set everything up; the comment on issue 1 asks for a fix."""
    address = engines_address()
    files = {str(path.relative_to(DEMO / "repository")): path.read_bytes() for path in _sources()}
    script = json.loads((DEMO / "script.json").read_text())
    # The folders are at the top, since those above a test's own are closed to other users.
    with (
        LoopbackGitHub(directory / "github", address, names=[address]) as github,
        ScriptedModel(script, host=address) as model,
    ):
        github.add_repository(REPOSITORY, {**files, ".github/ay-bot.yml": CONFIG})
        title, _, body = (DEMO / "issue.md").read_text().partition("\n")
        github.open_issue(title.lstrip("# "), body.strip(), login="maria")
        stage = Stage(directory, github, model, github.add_actions_token())
        stage.workspace.mkdir(parents=True)
        stage.temporary.mkdir()
        yield stage
        assert not github.violations


def _sources() -> Iterator[Path]:
    for path in sorted((DEMO / "repository").rglob("*")):
        if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts):
            yield path
