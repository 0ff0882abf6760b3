"""`ay-bot doctor` on doors: whether boxes of each wall can have one, and why not."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ay_bot.cli import app
from ay_bot.host import doctor
from ay_bot.host.doctor import DoorState, examine_door
from ay_bot.host.sandbox import bubblewrap_sidecar, docker_images
from tests.fakes import LocalSandbox
from tests.host.egress.conftest import require_proxy
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER, make_sandbox


@pytest.mark.parametrize("driver", [DOCKER, BUBBLEWRAP])
def test_a_door_that_opens_is_told(driver: str) -> None:
    require_proxy(driver)
    assert examine_door(make_sandbox(driver)) == DoorState(opens=True)


@pytest.mark.docker
def test_without_the_proxys_image_it_is_told_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_images, "egress_image_name", lambda: "ay-bot-egress:nobody-built-this")
    door = examine_door(make_sandbox("docker"))
    assert not door.opens
    assert "the image ay-bot-egress:nobody-built-this is not on this Docker engine" in door.problem
    assert "scripts/build-image egress" in door.hint


@pytest.mark.bwrap
def test_without_squid_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap_sidecar, "SQUID", Path("/nonexistent/squid"))
    door = examine_door(make_sandbox("bubblewrap"))
    assert not door.opens
    assert "there is no /nonexistent/squid" in door.problem
    assert "apt-get install -y squid" in door.hint


@pytest.fixture
def without_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_drivers", lambda: {"bubblewrap": LocalSandbox})


@pytest.mark.usefixtures("without_walls")
def test_people_and_programs_are_told_of_doors() -> None:
    told = CliRunner().invoke(app, ["doctor", "--json"])
    assert told.exit_code == 0, told.output
    (wall,) = json.loads(told.stdout)["sandboxes"]
    assert wall["door"] == {"opens": False, "problem": "a sandbox without walls has no doors either", "hint": ""}
    shown = " ".join(CliRunner().invoke(app, ["doctor"]).stdout.split())
    assert "no network policy but `none`" in shown


@pytest.mark.usefixtures("without_walls")
def test_cleaning_up_tries_no_door() -> None:
    told = CliRunner().invoke(app, ["doctor", "--clean", "--json"])
    assert json.loads(told.stdout)["sandboxes"][0]["door"] is None
