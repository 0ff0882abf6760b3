"""What a wall lacks is told by name, and a run that requires it is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from ay_bot.cli import app
from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.config import Overrides
from ay_bot.host.doctor import examine
from ay_bot.host.sandbox.docker_facts import DOCKER, Engine, parse_engine
from ay_bot.host.sandbox.guarantees import GUARANTEES, Guarantee, Weakness, parse_requirements, require_given, tell
from ay_bot.host.sandbox.select import choose
from ay_bot.host.settings_file import load_settings

FULL = {"MemoryLimit": True, "SwapLimit": True, "PidsLimit": True, "CpuCfsQuota": True, "Runtimes": {"runc": {}}}
VERSION = {"Version": "29.0", "Components": [{"Name": "Engine"}]}


def test_every_name_has_a_sentence() -> None:
    assert set(GUARANTEES) == set(get_args(Guarantee))


def test_requirements_are_names_with_or_without_commas() -> None:
    assert parse_requirements(["memory, inodes", "memory", ""]) == ("memory", "inodes")
    with pytest.raises(UsageError, match="no wall gives `speed`") as caught:
        parse_requirements(["memory,speed"])
    assert "network, rights, files" in caught.value.hint


def test_what_is_lacking_is_told_with_what_would_give_it() -> None:
    weaknesses = (
        Weakness(lacks="memory", why="no control groups", instead="root"),
        Weakness(lacks="cpu", why="no control groups", instead="root"),
        Weakness(lacks="kernel", why="shared", instead="gVisor", usual=True),
    )
    assert tell(weaknesses) == ("no control groups",)
    require_given(("network", "inodes"), weaknesses, "docker")
    with pytest.raises(
        SandboxUnavailable, match=r"docker can't give .*\n- memory: no control groups\n- kernel"
    ) as caught:
        require_given(("memory", "kernel"), weaknesses, "docker")
    assert caught.value.hint == "for memory: root; for kernel: gVisor"


@pytest.mark.parametrize(
    ("info", "version", "lacking"),
    [
        ({}, VERSION, ["memory", "processes", "cpu", "kernel"]),
        (FULL, VERSION, ["kernel"]),
        (FULL | {"DefaultRuntime": "runsc"}, VERSION, []),
        (FULL | {"SwapLimit": False}, VERSION, ["memory", "kernel"]),
        (FULL, {"Version": "5", "Components": [{"Name": "Podman Engine"}]}, ["inodes", "kernel"]),
        (FULL | {"Runtimes": 7, "SecurityOptions": "?"}, {"Components": {}, "Version": None}, ["kernel"]),
    ],
)
def test_what_an_engine_says_of_itself_tells_what_it_lacks(info: object, version: object, lacking: list[str]) -> None:
    assert [weakness.lacks for weakness in parse_engine(info, version).weaknesses()] == lacking


def test_a_rootless_engine_is_named_so() -> None:
    docker = parse_engine(FULL | {"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}, VERSION)
    assert docker.name == "rootless Docker 29.0"
    assert parse_engine(FULL | {"Rootless": True}, VERSION).rootless
    assert not parse_engine(FULL, VERSION).rootless


def test_a_runtime_that_the_engine_lacks_is_told_with_those_that_it_has() -> None:
    engine = parse_engine(FULL | {"Runtimes": {"runc": {}, "runsc": {}}}, VERSION)
    for known in ("", "runsc", "io.containerd.kata.v2"):
        engine.require_runtime(known)
    assert [weakness.lacks for weakness in engine.weaknesses("runsc")] == []
    with pytest.raises(SandboxUnavailable, match="no runtime `kata`; it has: runc, runsc") as caught:
        engine.require_runtime("kata")
    assert "daemon.json" in caught.value.hint


def test_podman_takes_no_runtime_for_one_box() -> None:
    podman = Engine("Podman", "5.0", rootless=False, uncapped=(), swap_is_capped=True, runtimes=("runsc",))
    podman.require_runtime("")
    with pytest.raises(SandboxUnavailable, match="takes no runtime"):
        podman.require_runtime("runsc")


@pytest.mark.docker
def test_a_run_that_requires_more_than_docker_gives_is_refused() -> None:
    choose("docker", os.environ, require=("memory", "processes", "cpu", "inodes", "images", "network"))
    with pytest.raises(SandboxUnavailable, match="- kernel: boxes share this machine's kernel"):
        choose("docker", os.environ, require=("kernel",))
    with pytest.raises(SandboxUnavailable, match="no runtime `nothing`"):
        choose("auto", os.environ, runtime="nothing")


@pytest.mark.bwrap
def test_a_run_that_requires_more_than_bubblewrap_gives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match=r"bubblewrap can't give .*\n- inodes"):
        choose("bubblewrap", os.environ, require=("inodes",))
    with pytest.raises(UsageError, match="have no runtime"):
        choose("bubblewrap", os.environ, runtime="runsc")


@pytest.mark.bwrap
def test_doctor_tells_what_a_wall_lacks_and_refuses_what_is_required() -> None:
    states = {state.name: state for state in examine(require=("kernel",)).sandboxes}
    assert not any(state.usable for state in states.values())
    assert {weakness.lacks for weakness in states["bubblewrap"].weaknesses} >= {"inodes", "images", "kernel"}
    done = CliRunner().invoke(app, ["doctor", "--json", "--require", "kernel"])
    assert done.exit_code == 8
    assert '"lacks": "kernel"' in done.stdout


@pytest.mark.bwrap
def test_a_command_is_refused_too_by_either_name_of_the_wall() -> None:
    for name in ("--sandbox", "--driver"):
        done = CliRunner().invoke(app, ["sandbox", "exec", name, "bubblewrap", "--require", "images", "--", "true"])
        assert isinstance(done.exception, SandboxUnavailable)
    done = CliRunner().invoke(app, ["redteam", "--driver", "bubblewrap", "--require", "kernel"])
    assert isinstance(done.exception, SandboxUnavailable)


def test_an_engine_that_gives_all_is_the_default() -> None:
    assert [weakness.lacks for weakness in DOCKER.weaknesses("kata")] == []


def test_what_a_repository_requires_is_read_with_its_settings() -> None:
    settings = load_settings(b"require: [memory, kernel]\nruntime: runsc\n", Overrides(model="test/x"))
    assert (settings.require, settings.runtime) == (("memory", "kernel"), "runsc")
    for wrong in (b"require: [speed]", b"runtime: /usr/bin/evil", b"require: memory"):
        with pytest.raises(UsageError, match=r"`(require|runtime)"):
            load_settings(wrong, Overrides(model="test/x"))


@pytest.mark.bwrap
@pytest.mark.slow
def test_a_run_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "commit", "--quiet", "--allow-empty", "-m", "Start"], check=True)
    words = ["run", "--repo", str(tmp_path), "--task", "x", "--model", "test/x", "--test", "true", "--json"]
    wall = ["--sandbox", "bubblewrap", "--require", "network,inodes"]
    done = subprocess.run([sys.executable, "-m", "ay_bot", *words, *wall], capture_output=True, text=True, check=False)
    assert done.returncode == 8
    assert "- inodes: " in json.loads(done.stdout)["reason"]
