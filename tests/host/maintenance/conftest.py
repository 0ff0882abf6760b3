"""The repositories that maintenance is done on."""

from collections.abc import Callable

import pytest

from tests.host.maintenance.yard import Yard, open_yard


@pytest.fixture
def make_yard(loopback_github, tmp_path, monkeypatch) -> Callable[..., Yard]:
    return lambda *args, **more: open_yard(loopback_github, tmp_path / "runs", monkeypatch, *args, **more)


@pytest.fixture
def yard(make_yard) -> Yard:
    return make_yard()
