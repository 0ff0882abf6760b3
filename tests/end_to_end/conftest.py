"""What every end-to-end test starts from: the program, a small repository with a bug, and the trees of real packages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bot_runs import Bot, commit_all

CALCULATOR = "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return 2 * a\n"
CALCULATOR_TESTS = """\
from calculator import add, double


def test_add():
    assert add(2, 3) == 5


def test_double():
    assert double(4) == 8
"""


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    """The program; whatever a test does with it, nothing may be left in its temporary directory."""
    program = Bot(tmp_path)
    yield program
    assert program.leftovers() == []


@pytest.fixture(
    params=[pytest.param("docker", marks=pytest.mark.docker), pytest.param("bubblewrap", marks=pytest.mark.bwrap)]
)
def sandbox(request: pytest.FixtureRequest) -> str:
    """Both walls, one after the other."""
    return str(request.param)


@pytest.fixture
def calculator(tmp_path: Path) -> Path:
    """A directory, not yet a repository, with a bug in `add` and a test that fails because of it."""
    directory = tmp_path / "calculator"
    directory.mkdir()
    (directory / "calculator.py").write_text(CALCULATOR)
    (directory / "test_calculator.py").write_text(CALCULATOR_TESTS)
    return directory


@pytest.fixture
def repository(calculator: Path) -> Path:
    """The same as a repository."""
    commit_all(calculator)
    return calculator


@pytest.fixture(scope="session")
def sdists(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trees of real packages are kept from one test run to the next."""
    cache = getattr(request.config, "cache", None)
    return Path(cache.mkdir("sdists")) if cache else tmp_path_factory.mktemp("sdists")
