"""`ay-bot init`: writes the workflow and the settings of a repository, with the names that are right for it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ay_bot.errors import UsageError
from ay_bot.host.config import CONFIG_FILE
from ay_bot.host.init_files import render_config, render_workflow
from ay_bot.host.init_names import EXAMPLE_MODEL, Names, find_names
from ay_bot.host.own_source import UNKNOWN
from ay_bot.host.repository import open_repository
from ay_bot.protocol.conversation import Value

WORKFLOW_FILE: Final = ".github/workflows/ay-bot.yml"


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
    names = find_names(found, action, model)
    files = {
        WORKFLOW_FILE: render_workflow(names, hardened=hardened),
        CONFIG_FILE: render_config(names),
    }
    written = _write(found.path, files, force=force)
    unchanged = tuple(name for name in files if name not in written)
    return Initialised(
        written=written, unchanged=unchanged, names=names, next_steps=tuple(_next_steps(names, hardened=hardened))
    )


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


def _next_steps(names: Names, *, hardened: bool) -> Iterator[str]:
    if names.action == UNKNOWN:
        yield f"replace `{UNKNOWN}` in {WORKFLOW_FILE} by the Action's repository at a full commit, or say --action"
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
