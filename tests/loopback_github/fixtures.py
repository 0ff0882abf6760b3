"""The fixture: a loopback GitHub of its own for each test, which wants only requests and answers that GitHub describes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback_github.server import LoopbackGitHub


@pytest.fixture
def loopback_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackGitHub]:
    """A GitHub with nothing on it; git may speak http for this test."""
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:http")
    with LoopbackGitHub(tmp_path / "github") as server:
        yield server
    assert not server.violations
    assert not server.deviations
