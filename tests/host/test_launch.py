"""The bot's container is started with what is named, and with nothing else that the runner has."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host import launch
from ay_bot.host.launch import SOCKET, command, own_directory, passed_names

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """A runner's environment, with all that it must keep for itself."""
    import socket

    listening = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(listening))
    files = {}
    for name in ("GITHUB_EVENT_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "SSL_CERT_FILE"):
        files[name] = str(tmp_path / name.lower())
        Path(files[name]).touch()
    return {
        **files,
        "AY_CONTAINER": "ay-bot-1-abcd",
        "AY_IMAGE": "ay-bot-action:x",
        "DOCKER_HOST": f"unix://{listening}",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_WORKSPACE": str(tmp_path / "work"),
        "GITHUB_TOKEN": "trap",
        "GH_TOKEN": "trap",
        "ACTIONS_RUNTIME_TOKEN": "trap",
        "ACTIONS_RUNTIME_URL": "trap",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "trap",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "trap",
        "RUNNER_TOOL_CACHE": "trap",
        "NPM_TOKEN": "trap",
        "LD_PRELOAD": "trap",
        "PYTHONPATH": "trap",
        "PATH": "/usr/bin",
        "HOME": "/home/runner",
        "INPUT_GITHUB_TOKEN": "ghs_secret",
        "INPUT_MODEL": "openai/x",
        "INPUT_TEST": "",
        "OPENAI_API_KEY": "sk-secret",
        "HTTPS_PROXY": "http://proxy:1",
    }


def options(words: list[str], option: str) -> list[str]:
    return [after for word, after in itertools.pairwise(words) if word == option]


def start(runner: dict[str, str], *, finalize: bool = False) -> list[str]:
    return command(runner, finalize=finalize, uid=1001, gid=118)


def test_only_named_variables_are_handed_over(runner: dict[str, str]) -> None:
    assert passed_names(runner) == [
        "GITHUB_EVENT_PATH",
        "GITHUB_OUTPUT",
        "GITHUB_REPOSITORY",
        "GITHUB_STEP_SUMMARY",
        "HTTPS_PROXY",
        "INPUT_GITHUB_TOKEN",
        "INPUT_MODEL",
        "OPENAI_API_KEY",
        "SSL_CERT_FILE",
    ]


def test_no_secret_is_on_the_command_line(runner: dict[str, str], tmp_path: Path) -> None:
    words = start(runner)
    assert not [word for word in words if "ghs_secret" in word or "sk-secret" in word or word == "trap"]
    assert set(options(words, "--env")) - set(passed_names(runner)) == {
        f"RUNNER_TEMP={own_directory(runner)}",
        f"INPUT_CACHE_DIRECTORY={tmp_path / 'ay-bot-outline'}",
        "HOME=/tmp",
    }


def test_at_41_the_container_has_no_rights_beyond_the_engines_socket(runner: dict[str, str], tmp_path: Path) -> None:
    words = start(runner)
    assert options(words, "--cap-drop") == ["ALL"]
    assert options(words, "--security-opt") == ["no-new-privileges"]
    assert options(words, "--user") == ["1001:118"]
    assert not {"--privileged", "--pid", "--network", "--device", "--cap-add", "-v", "--volume", "--ipc"} & set(words)
    socket = runner["DOCKER_HOST"].removeprefix("unix://")
    assert options(words, "--mount") == [
        f"type=bind,source={socket},target={SOCKET}",
        f"type=bind,source={runner['GITHUB_EVENT_PATH']},target={runner['GITHUB_EVENT_PATH']},readonly",
        f"type=bind,source={runner['GITHUB_OUTPUT']},target={runner['GITHUB_OUTPUT']}",
        f"type=bind,source={runner['GITHUB_STEP_SUMMARY']},target={runner['GITHUB_STEP_SUMMARY']}",
        f"type=bind,source={own_directory(runner)},target={own_directory(runner)}",
        f"type=bind,source={runner['SSL_CERT_FILE']},target={runner['SSL_CERT_FILE']},readonly",
        f"type=bind,source={tmp_path}/ay-bot-outline,target={tmp_path}/ay-bot-outline",
    ]


@pytest.mark.parametrize("mode", ["publish", "finalize"])
def test_where_no_model_is_asked_no_key_is_given(runner: dict[str, str], mode: str, tmp_path: Path) -> None:
    credentials = tmp_path / "google.json"
    credentials.touch()
    runner |= {"INPUT_MODE": mode if mode == "publish" else "run", "GOOGLE_APPLICATION_CREDENTIALS": str(credentials)}
    words = start(runner, finalize=mode == "finalize")
    assert not [word for word in words if "OPENAI" in word or "google" in word.lower()]
    assert (words[-1] == "--finalize") is (mode == "finalize")
    del runner["INPUT_MODE"]
    assert f"type=bind,source={credentials},target={credentials},readonly" in start(runner)


@pytest.mark.parametrize(("mode", "suffix"), [("work", ""), ("publish", ",readonly")])
def test_a_bundle_is_written_by_one_job_and_read_by_the_other(
    runner: dict[str, str], tmp_path: Path, mode: str, suffix: str
) -> None:
    words = start({**runner, "INPUT_MODE": mode, "INPUT_BUNDLE": "out/bundle"})
    place = tmp_path / "work" / "out" / "bundle"
    assert f"type=bind,source={place},target={place}{suffix}" in words
    assert f"INPUT_BUNDLE={place}" in words
    assert "INPUT_BUNDLE" not in words


@pytest.mark.parametrize("name", ["INPUT_BUNDLE", "INPUT_CACHE_DIRECTORY"])
def test_a_path_cannot_add_an_option(runner: dict[str, str], name: str) -> None:
    with pytest.raises(UsageError, match="can't be handed to a container"):
        start({**runner, name: "/tmp/x,source=/,target=/host"})


def test_the_outlines_cache_is_there_for_who_reads_files_alone(runner: dict[str, str], tmp_path: Path) -> None:
    runner |= {"INPUT_CACHE_DIRECTORY": "kept/outline"}
    place = tmp_path / "work" / "kept" / "outline"
    for mode in ("", "run", "work"):
        words = start({**runner, "INPUT_MODE": mode})
        assert f"type=bind,source={place},target={place}" in words
        assert f"INPUT_CACHE_DIRECTORY={place}" in words
        assert "INPUT_CACHE_DIRECTORY" not in words
    for words in (start({**runner, "INPUT_MODE": "publish"}), start(runner, finalize=True)):
        assert not [word for word in words if str(place) in word or "CACHE_DIRECTORY" in word]


@pytest.mark.parametrize(
    "wrong", ["/", ".", "..", "{temporary}", "{temporary}/ay-bot-1-abcd", "{temporary}/bundle", "{file}", "{link}"]
)
def test_a_cache_has_a_directory_of_its_own(
    runner: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: str,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "bundle")
    given = wrong.format(temporary=tmp_path, file=tmp_path / "file", link=tmp_path / "link")
    runner |= {"INPUT_BUNDLE": str(tmp_path / "bundle"), "INPUT_CACHE_DIRECTORY": given}
    monkeypatch.setattr(launch, "environment", lambda: runner)
    monkeypatch.setattr(launch, "_become", lambda *_: pytest.fail("it was started"))
    assert launch.main([]) == 2
    told = capsys.readouterr().err
    assert "the input `cache-directory`" in told
    assert "${{ runner.temp }}/ay-bot-outline" in told


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2376", "unix:///nowhere/docker.sock"])
def test_without_an_engine_of_its_own_the_runner_is_told_so(runner: dict[str, str], host: str) -> None:
    with pytest.raises(SandboxUnavailable, match=host):
        start({**runner, "DOCKER_HOST": host})


def test_started_by_hand_it_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "environment", dict)
    assert launch.main([]) == 2
    assert "not set: AY_CONTAINER, AY_IMAGE" in capsys.readouterr().err


@pytest.mark.parametrize("finalize", [False, True])
def test_at_21_at_39_dockers_own_program_gets_no_more_than_it_needs(
    runner: dict[str, str], tmp_path: Path, finalize: bool
) -> None:
    """A `docker` that writes down its environment takes the place of the real one."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "docker").write_text(f'#!/bin/sh\n/usr/bin/env >"{tmp_path}/seen-$1"\n')
    (programs / "docker").chmod(0o755)
    given = {**runner, "PATH": str(programs)}
    words = [sys.executable, "-I", str(ROOT / "scripts" / "bare.py"), "ay_bot.host.launch"]
    subprocess.run([*words, *(["--finalize"] if finalize else [])], env=given, check=True)
    for seen in tmp_path.glob("seen-*"):
        assert "trap" not in seen.read_text(), seen.name
    handed = (tmp_path / "seen-run").read_text()
    assert "INPUT_GITHUB_TOKEN=ghs_secret" in handed
    assert ("OPENAI_API_KEY=sk-secret" in handed) is not finalize
    if finalize:
        assert "secret" not in (tmp_path / "seen-rm").read_text()
