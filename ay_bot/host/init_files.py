"""The files that `ay-bot init` writes, as text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ay_bot.host.init_names import Names

TEMPLATES: Final = Path(__file__).parent / "github" / "workflow_templates"
UPLOAD: Final = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2"
DOWNLOAD: Final = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0"


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
        "# Settings of ay-bot. It reads them from the default branch, never from a pull request.",
        "# `ay-bot schema config` prints all there are.",
        f"model: {_quoted(names.model)}",
        test,
        "max_cost: 5.0 # US dollars for one request",
        f"# {image}",
        *_maintenance(names.ecosystems),
    ]
    return "\n".join(lines) + "\n"


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
