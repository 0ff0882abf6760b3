"""Which sandbox a run gets on which machine."""

import os
from pathlib import Path

import pytest

from ay_bot.errors import ImageUnavailable, SandboxUnavailable, UsageError
from ay_bot.host.sandbox.guarantees import tell
from ay_bot.host.sandbox.select import choose

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere"}


@pytest.mark.docker
def test_docker_comes_first() -> None:
    sandbox, notices = choose("auto", os.environ)
    assert (sandbox.name, notices) == ("docker", ())


@pytest.mark.bwrap
def test_bubblewrap_is_next_with_a_notice() -> None:
    sandbox, notices = choose("auto", {**os.environ, **NO_ENGINE})
    assert sandbox.name == "bubblewrap"
    assert notices[0].startswith("using bubblewrap, because no Docker engine answers at unix:///nowhere")
    assert notices[1:] == tell(sandbox.weaknesses())


def test_neither_is_refused_with_both_reasons_and_one_command(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="no box can be made here") as caught:
        choose("auto", {"PATH": str(tmp_path), **NO_ENGINE})
    assert "- Docker: no Docker engine answers" in caught.value.message
    assert "- bubblewrap: bubblewrap is not installed" in caught.value.message
    assert caught.value.hint == "install it: apt-get install -y bubblewrap"


@pytest.mark.docker
def test_an_engine_without_our_image_and_no_bubblewrap_names_the_build(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("ay_bot.host.sandbox.docker_images.image_name", lambda: "ay-bot:never-built")
    with pytest.raises(SandboxUnavailable) as caught:
        choose("auto", {**os.environ, "PATH": str(tmp_path)})
    assert caught.value.hint == "build it: make image"
    with pytest.raises(ImageUnavailable, match="ay-bot:never-built"):
        choose("docker", os.environ)


def test_a_wish_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
        choose("docker", {**os.environ, **NO_ENGINE})
    with pytest.raises(SandboxUnavailable, match="bubblewrap is not installed"):
        choose("bubblewrap", {"PATH": str(tmp_path)})


def test_another_image_needs_an_engine() -> None:
    with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
        choose("auto", {**os.environ, **NO_ENGINE}, image="python:3")


@pytest.mark.bwrap
def test_another_image_and_bubblewrap_contradict_each_other() -> None:
    with pytest.raises(UsageError, match="python:3"):
        choose("bubblewrap", os.environ, image="python:3")
