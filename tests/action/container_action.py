"""The bot's image as a plain container action, started by the very command that the runner makes of one."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.action.composite import read_outputs
from tests.action.stage import Stage

COMMANDS = ("set_output", "set_env", "add_path", "save_state", "step_summary")


@dataclass
class Ended:
    """How the container ended, and what it left in the runner's files."""

    exit_code: int
    log: str
    outputs: dict[str, str]
    summary: str


def container_command(
    stage: Stage, image: str, inputs: Mapping[str, str], words: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return docker's arguments and its environment: names on the command line, values beside it."""
    commands = stage.temporary / "_runner_file_commands"
    for directory in (commands, stage.temporary / "_github_home", stage.temporary / "_github_workflow"):
        directory.mkdir(parents=True, exist_ok=True)
    for name in COMMANDS:
        (commands / f"{name}_0f1e").write_text("")
    shutil.copy(stage.certificates()["SSL_CERT_FILE"], stage.temporary / "authority.pem")
    facts = {
        **stage.facts(),
        "HOME": "/github/home",
        "GITHUB_WORKSPACE": "/github/workspace",
        "GITHUB_EVENT_PATH": "/github/workflow/event.json",
        "GITHUB_OUTPUT": "/github/file_commands/set_output_0f1e",
        "GITHUB_ENV": "/github/file_commands/set_env_0f1e",
        "GITHUB_PATH": "/github/file_commands/add_path_0f1e",
        "GITHUB_STATE": "/github/file_commands/save_state_0f1e",
        "GITHUB_STEP_SUMMARY": "/github/file_commands/step_summary_0f1e",
        "RUNNER_TEMP": "/github/runner_temp",
        "ACTIONS_RUNTIME_URL": "http://127.0.0.1:9/",
        "ACTIONS_RUNTIME_TOKEN": "trap-runtime",
        "ACTIONS_CACHE_URL": "http://127.0.0.1:9/",
        "ACTIONS_RESULTS_URL": "http://127.0.0.1:9/",
        **stage.certificates("/github/runner_temp/authority.pem"),
        "OPENAI_API_KEY": "sk-scripted-model-key",
        **{f"INPUT_{name.upper().replace(' ', '_')}": value for name, value in inputs.items()},
    }
    folders = {
        "/var/run/docker.sock": "/var/run/docker.sock",
        str(stage.temporary): "/github/runner_temp",
        str(stage.temporary / "_github_home"): "/github/home",
        str(stage.temporary / "_github_workflow"): "/github/workflow",
        str(commands): "/github/file_commands",
        str(stage.workspace): "/github/workspace",
    }
    options = [word for name in facts if name not in ("GITHUB_ACTIONS", "CI") for word in ("-e", name)]
    mounts = [word for outside, inside in folders.items() for word in ("-v", f"{outside}:{inside}")]
    name = f"aybotaction_{stage.run_id}"
    begin = ["docker", "run", "--name", name, "--label", "4f0e1a", "--workdir", "/github/workspace", "--rm"]
    return [*begin, *options, "-e", "GITHUB_ACTIONS=true", "-e", "CI=true", *mounts, image, *words], facts


def run_container_action(
    stage: Stage, image: str, inputs: Mapping[str, str], *words: str, timeout: float = 300
) -> Ended:
    """Run it to its end."""
    command, environment = container_command(stage, image, inputs, words)
    stage.give_to_runner()
    ran = subprocess.run(
        command,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )
    commands = stage.temporary / "_runner_file_commands"
    return Ended(
        ran.returncode,
        ran.stdout.decode("utf-8", "replace"),
        read_outputs((commands / "set_output_0f1e").read_text()),
        (commands / "step_summary_0f1e").read_text(),
    )
