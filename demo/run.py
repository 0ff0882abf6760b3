"""Runs the main job on the demo repository: in a temporary copy, with a scripted model unless a real one is named."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
BOT = Path(sys.executable).with_name("ay-bot")
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def make_repository(directory: Path) -> Path:
    """Copy the demo repository and commit it, with nobody's git settings."""
    repository = directory / "evenly"
    shutil.copytree(HERE / "repository", repository, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.invalid", "-c", "init.defaultBranch=main"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "evenly 0.4.0"]):
        subprocess.run(["git", *identity, *command], cwd=repository, env=environment, check=True)
    return repository


@contextmanager
def scripted_model() -> Iterator[list[str]]:
    """Start the server that plays the model, and give the arguments that make ay-bot use it."""
    command = [sys.executable, str(HERE / "scripted_model.py"), "--script", str(HERE / "script.json"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            if not address.startswith("http://"):
                sys.exit("demo: the scripted model did not start")
            yield ["--model", "openai/scripted", "--api-base", address]
        finally:
            server.terminate()


def say(*lines: str) -> None:
    """Print lines that the demo itself has to say, set off from ay-bot's own."""
    print(*(f"{BOLD}demo:{PLAIN} {line}" for line in lines), "", sep="\n", flush=True)


def run(repository: Path, model: list[str], sandbox: str) -> int:
    """Run ay-bot and return its exit code."""
    command = [str(BOT), "run", "--repo", str(repository), "--issue", str(HERE / "issue.md"), *model]
    environment = {**os.environ, "OPENAI_API_KEY": "none-needed"} if "openai/scripted" in model else None
    try:
        return subprocess.run([*command, "--sandbox", sandbox], env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 130


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--model", default="", help="a real model, as litellm names it; its key in the environment")
    options = parser.parse_args()
    say("the repository is `evenly`, which splits bills. The issue:")
    print(*(f"    {line}".rstrip() for line in (HERE / "issue.md").read_text().splitlines()), "", sep="\n")
    with tempfile.TemporaryDirectory(prefix="ay-bot-demo-") as directory:
        repository = make_repository(Path(directory))
        if options.model:
            return run(repository, ["--model", options.model], options.sandbox)
        say(
            "the model is SCRIPTED: a small server on this machine plays back demo/script.json, mistake included.",
            "Everything else is real: the box, the agent, the edits, the tests, the verdict.",
            "With a real model, and its key in the environment: make demo MODEL=anthropic/claude-sonnet-4-5",
        )
        with scripted_model() as model:
            return run(repository, model, options.sandbox)


if __name__ == "__main__":
    sys.exit(main())
