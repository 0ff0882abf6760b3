"""`ay-bot init`: writes the workflow and the settings of a repository, with the names that are right for it."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ay_bot.errors import UsageError
from ay_bot.host.checkout import Checkout, open_checkout
from ay_bot.host.config import CONFIG_FILE
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.own_source import find_own_source, is_action, is_pinned
from ay_bot.host.repository import Repository, open_repository
from ay_bot.host.scratch import open_scratch
from ay_bot.host.test_command import DetectedTests, detect
from ay_bot.protocol.conversation import Value

WORKFLOW_FILE: Final = ".github/workflows/ay-bot.yml"
TEMPLATES: Final = Path(__file__).parent / "github" / "workflow_templates"
EXAMPLE_MODEL: Final = "anthropic/claude-sonnet-4-5"
UPLOAD: Final = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2"
DOWNLOAD: Final = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0"
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


class Initialised(Value):
    """What `ay-bot init` did: files that it wrote, those that were so already, and what is left for people to do."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    names: Names
    next_steps: tuple[str, ...]


def run_init(
    repository: Path, *, hardened: bool = False, force: bool = False, action: str = "", model: str = ""
) -> Initialised:
    """Write workflow and settings, unless others are there already and `force` is not said."""
    found = open_repository(repository)
    if found.bare:
        raise UsageError("a bare repository has no files to write", hint="run it in a clone of the repository")
    names = _find_names(found, action, model)
    files = {
        WORKFLOW_FILE: render_workflow(names, hardened=hardened),
        CONFIG_FILE: render_config(names),
    }
    written = _write(found.path, files, force=force)
    unchanged = tuple(name for name in files if name not in written)
    return Initialised(
        written=written, unchanged=unchanged, names=names, next_steps=tuple(_next_steps(names, hardened=hardened))
    )


def render_workflow(names: Names, *, hardened: bool = False) -> str:
    """Return the workflow: one job, or the pair of which neither can both write and ask a model."""
    text = (TEMPLATES / ("two-jobs.yml" if hardened else "one-job.yml")).read_text(encoding="utf-8")
    filled = {
        "action": names.action,
        "branch": names.branch.replace("'", "''"),
        "cron": names.cron,
        "download": DOWNLOAD,
        "key": names.key,
        "upload": UPLOAD,
    }
    for name, value in filled.items():
        text = text.replace(f"<<{name}>>", value)
    return text


def render_config(names: Names) -> str:
    """Return the settings, with what was found in the repository, and what else could be said as comments."""
    test = f"test: {_quoted(names.test)} # {_comment(names.evidence)}" if names.test else "# test: make test"
    image = "image: NAME@sha256:DIGEST" if names.runner in ("", "pytest", "unittest") else _image_hint(names.runner)
    lines = [
        "# Settings of ay-bot. It reads them from the commit that it works on, never from a pull request's own.",
        "# `ay-bot schema config` prints all there are.",
        f"model: {_quoted(names.model)}",
        test,
        "max_cost: 5.0 # US dollars for one request",
        f"# {image}",
        *_maintenance(names.ecosystems),
    ]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------------------------------------ what is found


def _find_names(repository: Repository, action: str, model: str) -> Names:
    with open_scratch() as scratch, open_checkout(repository, scratch) as checkout:
        tests = detect(checkout, repository.head) or DetectedTests("", "", "")
        ecosystems = tuple(_find_ecosystems(checkout, repository.head))
    chosen = model or EXAMPLE_MODEL
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


def _choose_action(top: Path, given: str) -> str:
    action = given or ("./" if is_action(top) else find_own_source())
    if not action:
        raise UsageError(
            "where the Action is can't be told from this installation",
            hint="say it with `--action OWNER/REPOSITORY@COMMIT`, the commit in full",
        )
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


# ------------------------------------------------------------------------------------------------ what is written


def _write(top: Path, files: Mapping[str, str], *, force: bool) -> tuple[str, ...]:
    """Write what differs; all or, where something would be lost, nothing."""
    places = {name: _place_of(top, name) for name in files}
    new = [name for name, place in places.items() if _content_of(place) != files[name]]
    lost = [name for name in new if places[name].exists() and not force]
    if lost:
        raise UsageError(
            f"there is already something else in {' and '.join(lost)}; nothing was written",
            hint="look at it, then say --force to replace it",
        )
    for name in new:
        places[name].parent.mkdir(parents=True, exist_ok=True)
        places[name].write_text(files[name], encoding="utf-8")
    return tuple(new)


def _place_of(top: Path, name: str) -> Path:
    """Return where a file goes; a link could lead out of the repository, so none is followed."""
    place = top / name
    for part in (place, *place.parents):
        if part == top:
            break
        if part.is_symlink() or (part != place and part.exists() and not part.is_dir()):
            raise UsageError(
                f"{os.path.relpath(part, top)} is no file or directory of its own", hint="move it away first"
            )
    return place


def _content_of(place: Path) -> str | None:
    try:
        return place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _comment(text: str) -> str:
    """Return text for the rest of a line; a repository's own file names are among it."""
    return "".join(character if character.isprintable() else " " for character in text)


def _image_hint(runner: str) -> str:
    return f"image: NAME@sha256:DIGEST # needed: boxes have no network, and ay-bot's own image has no {runner}"


def _maintenance(ecosystems: tuple[str, ...]) -> Iterator[str]:
    if ecosystems:
        yield f"# Found: {', '.join(ecosystems)}. Without the #, their dependencies are updated every Monday:"
        yield "# maintenance:"
        yield "#   - name: dependencies"
        yield "#     kind: dependencies"
        yield '#     schedule: "0 6 * * 1"'


def _next_steps(names: Names, *, hardened: bool) -> Iterator[str]:
    if names.model == EXAMPLE_MODEL:
        yield f"look at `model:` in {CONFIG_FILE}: {EXAMPLE_MODEL} is an example"
    if not names.test:
        yield f"say how the tests are run: `test:` in {CONFIG_FILE}; no command was found"
    if names.runner not in ("", "pytest", "unittest"):
        yield f"give `image:` in {CONFIG_FILE}: an image with {names.runner} and all that the tests need"
    where = "Settings, Secrets and variables, Actions"
    yield f"add the secret {names.key} to the repository ({where})"
    yield (
        "allow pull requests from workflows: Settings, Actions, General, "
        "`Allow GitHub Actions to create and approve pull requests`; or use an App (docs/action.md)"
    )
    yield f"commit {WORKFLOW_FILE} and {CONFIG_FILE} to {names.branch}: comments start the default branch's workflow"
    if hardened:
        yield "keep the secret out of environments that the job `publish` uses: it needs none"
    yield "then write `@ay help` on any issue"
