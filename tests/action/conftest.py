"""What the Action's tests start from: a checkout of it with both images built, and a runner's machine."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.action.stage import ROOT, Stage, open_stage

PARTS = ("Dockerfile", ".dockerignore", "action.yml", "ay_bot", "requirements", "scripts")


class Checkout(NamedTuple):
    """The Action as the runner has it: somewhere else than where it is developed, without an environment of its own."""

    path: Path
    bot: str
    box: str


@pytest.fixture(scope="session")
def action_checkout() -> Iterator[Checkout]:
    """Copy what makes up the Action to where another user can read it, and build its images as it would."""
    with tempfile.TemporaryDirectory(prefix="ay-actions-") as directory:
        Path(directory).chmod(0o755)
        yield _check_out(Path(directory, "ay-bot"))


def _check_out(path: Path) -> Checkout:
    path.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, path / part)
    box, bot = (_build(path, target) for target in ("box", "bot"))
    return Checkout(path, bot, box)


def _build(checkout: Path, target: str) -> str:
    built = subprocess.run([checkout / "scripts/build-image", target], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    return built.stdout.strip()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A machine with an issue on it. Its folders are at the top: those above pytest's own are closed to other users."""
    directory = Path(tempfile.mkdtemp(prefix="ay-stage-"))
    try:
        with open_stage(directory) as opened:
            yield opened
    finally:
        shutil.rmtree(directory)
