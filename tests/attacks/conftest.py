"""The desk at which events are delivered, for attacks that need the whole of a run."""

import pytest

from tests.host.action.deliveries import Desk, open_desk


@pytest.fixture
def desk(loopback_github, tmp_path, monkeypatch) -> Desk:
    return open_desk(loopback_github, tmp_path / "runs", monkeypatch)
