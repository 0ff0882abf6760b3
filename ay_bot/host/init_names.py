"""The names that differ from repository to repository, as `ay-bot init` finds them."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ay_bot.errors import UsageError
from ay_bot.host.checkout import Checkout, open_checkout
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.own_source import UNKNOWN, find_own_source, is_action, is_pinned
from ay_bot.host.repository import Repository
from ay_bot.host.scratch import open_scratch
from ay_bot.host.test_command import DetectedTests, detect
from ay_bot.protocol.conversation import Value

EXAMPLE_MODEL: Final = "anthropic/claude-sonnet-4-5"
MANIFESTS: Final = {
    "pyproject.toml": "Python",
    "requirements.txt": "Python",
    "setup.py": "Python",
    "package.json": "npm",
    "go.mod": "Go",
    "Cargo.toml": "Rust",
    "Gemfile": "Ruby",
    "composer.json": "PHP",
    "pom.xml": "Maven",
    "build.gradle": "Gradle",
    "build.gradle.kts": "Gradle",
}
"""Files that say what a repository depends on."""
KEYS: Final = {"bedrock": "AWS_SECRET_ACCESS_KEY", "vertex_ai": "VERTEXAI_CREDENTIALS"}
"""Providers whose key isn't called after them in litellm."""
_MODEL: Final = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.:@+-]+)+")


class Names(Value):
    """What differs from repository to repository."""

    action: str
    branch: str
    cron: str
    key: str
    model: str
    test: str = ""
    evidence: str = ""
    runner: str = ""
    ecosystems: tuple[str, ...] = ()


def find_names(repository: Repository, action: str, model: str) -> Names:
    """Look at a repository's current commit and remotes; what is given is not looked for."""
    with open_scratch() as scratch, open_checkout(repository, scratch) as checkout:
        tests = detect(checkout, repository.head) or DetectedTests("", "", "")
        ecosystems = tuple(_find_ecosystems(checkout, repository.head))
    chosen = _check_model(model) if model else EXAMPLE_MODEL
    return Names(
        action=_choose_action(repository.path, action),
        branch=_find_default_branch(repository),
        cron=choose_cron(repository.path.name),
        key=key_of(chosen),
        model=chosen,
        test=tests.command,
        evidence=tests.evidence,
        runner=tests.runner,
        ecosystems=ecosystems,
    )


def _check_model(model: str) -> str:
    if not _MODEL.fullmatch(model):
        raise UsageError(
            f"`{model}` is no model as litellm names it", hint=f"write PROVIDER/NAME, such as {EXAMPLE_MODEL}"
        )
    return model


def _choose_action(top: Path, given: str) -> str:
    action = given or ("./" if is_action(top) else find_own_source()) or UNKNOWN
    if not is_pinned(action):
        raise UsageError(
            f"`{action}` does not name an action at a commit",
            hint="write OWNER/REPOSITORY@COMMIT with all 40 digits: a tag can be moved to other code",
        )
    return action


def _find_default_branch(repository: Repository) -> str:
    """Return what the remote says is its default branch, else the one that is checked out."""
    try:
        head = run_git(["symbolic-ref", "--short", "refs/remotes/origin/HEAD"], git_dir=repository.git_dir)
    except GitFailed:
        return repository.branch or "main"
    return head.decode("utf-8", "replace").strip().removeprefix("origin/")


def _find_ecosystems(checkout: Checkout, revision: str) -> Iterator[str]:
    names = {path.decode("utf-8", "replace") for path in checkout.list_files(revision)}
    yield from dict.fromkeys(ecosystem for manifest, ecosystem in MANIFESTS.items() if manifest in names)
    if any(name.startswith(".github/workflows/") for name in names):
        yield "GitHub Actions"


def choose_cron(seed: str) -> str:
    """Return a daily moment in the night (UTC) of a repository's own, since all others ask at the full hour."""
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogateescape")).digest()[:4])
    return f"{1 + number % 59} {1 + number // 59 % 5} * * *"


def key_of(model: str) -> str:
    """Return the name of the secret that litellm looks for, for a model `provider/name`."""
    provider = model.partition("/")[0].lower() if "/" in model else "openai"
    plain = "".join(character if character.isascii() and character.isalnum() else "_" for character in provider)
    return KEYS.get(provider, f"{plain.strip('_').upper() or 'OPENAI'}_API_KEY")
