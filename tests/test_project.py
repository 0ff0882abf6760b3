"""The project agrees with itself: what is documented exists, what exists is documented, and nothing leaks in."""

import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, get_args, get_origin

import pytest

import ay_bot
from ay_bot import errors
from ay_bot.protocol import conversation, events, messages

ROOT = Path(__file__).parent.parent
LOCKS = {
    "dev": ROOT / "requirements" / "dev.txt",
    "all": ROOT / "requirements" / "all.txt",
    "runtime": ROOT / "ay_bot" / "agent" / "runtime.lock",
    "toolbox": ROOT / "ay_bot" / "agent" / "toolbox.lock",
}
HEAVY = ("litellm", "docker", "pydantic", "yaml", "git", "github", "tiktoken", "httpx")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def subclasses(kind: type) -> list[type]:
    return [kind, *(found for child in kind.__subclasses__() for found in subclasses(child))]


# ------------------------------------------------------------------------------------------------- exit codes


def test_every_exit_code_is_documented_and_no_other() -> None:
    table = (ROOT / "docs" / "exit-codes.md").read_text()
    documented = {int(code): name for code, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", table, re.MULTILINE)}
    assert documented == {code.value: code.name for code in errors.ExitCode}


def test_every_error_is_drawn_in_the_tree_with_its_code() -> None:
    drawn = dict(re.findall(r"^[|`\s-]*([A-Z]\w+)\s{2,}(\d+)\s", errors.__doc__ or "", re.MULTILINE))
    own = [kind for kind in subclasses(errors.AyBotError) if kind.__module__ == errors.__name__]
    assert {name: int(code) for name, code in drawn.items()} == {kind.__name__: kind.exit_code for kind in own}


# ---------------------------------------------------------------------------------------------------- protocol


def members(union: object) -> list[type]:
    """The classes of a discriminated union, whatever it is wrapped in."""
    if get_origin(union) is Annotated:
        return members(get_args(union)[0])
    arguments = get_args(union)
    return [kind for argument in arguments for kind in members(argument)] if arguments else [union]  # type: ignore[list-item]


def default_of(kind: type, name: str) -> object:
    """What a field of a model or of a dataclass is when nothing is said."""
    if is_dataclass(kind):
        return next(field.default for field in fields(kind) if field.name == name)
    return kind.model_fields[name].default  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("union", "tag"),
    [
        pytest.param(messages.HostToBox, "kind", id="host to box"),
        pytest.param(messages.BoxToHost, "kind", id="box to host"),
        pytest.param(messages.HostToGateway, "kind", id="host to gateway"),
        pytest.param(messages.GatewayToHost, "kind", id="gateway to host"),
        pytest.param(events.HostEvent, "type", id="events of the host"),
        pytest.param(events.AgentEvent, "type", id="events of the agent"),
        pytest.param(conversation.Message, "role", id="conversation"),
    ],
)
def test_members_of_a_union_have_tags_of_their_own(union: object, tag: str) -> None:
    kinds = members(union)
    tags = [default_of(kind, tag) for kind in kinds]
    assert len(kinds) > 1
    assert len(set(tags)) == len(tags)


def test_an_agent_cannot_tell_an_event_of_the_host() -> None:
    def names(union: object) -> set[str]:
        return {kind.model_fields["type"].default for kind in members(union)}  # type: ignore[attr-defined]

    assert not names(events.AgentEvent) & names(events.HostEvent)


def test_every_value_of_the_protocol_is_frozen_and_closed() -> None:
    for kind in subclasses(conversation.Value):
        assert kind.model_config["frozen"], kind  # type: ignore[attr-defined]
        assert kind.model_config["extra"] == "forbid", kind  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------- what help loads


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]], ids=" ".join)
def test_help_is_light(arguments: list[str]) -> None:
    allowed = {"pydantic"} if arguments[0] == "run" else set()  # typer's own, for a command's parameters
    code = f"""
import sys
from ay_bot.__main__ import main
sys.argv = ["ay-bot", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("HEAVY", [name for name in {HEAVY!r} if name in sys.modules and name not in {allowed!r}])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("HEAVY []\n")


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


# ---------------------------------------------------------------------------------------------------- the tree


def test_changelog_speaks_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    assert versions[0] == ay_bot.__version__
    assert "## [Unreleased]" in changelog


def test_agents_file_is_short() -> None:
    assert len((ROOT / "AGENTS.md").read_text().splitlines()) <= 60


def test_no_machine_of_ours_is_named() -> None:
    places = re.compile(
        rb"/opt/(?:pypi|wheels)|/root/\.pyenv|(?<![\w./-])/work/(?:main|shared)|file:///(?:opt|root|home)"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        if path != Path(__file__)
        for match in [places.search(path.read_bytes())]
        if match
    ]
    assert found == []


def test_locks_hold_names_versions_and_hashes_only() -> None:
    line = re.compile(
        r"[a-z0-9][a-z0-9.-]*(\[[a-z0-9,-]+\])?==[\w.+!]+( ; [^\\/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    for name, lock in LOCKS.items():
        assert [text for text in lock.read_text().splitlines() if not line.fullmatch(text)] == [], name


def test_locks_agree_with_each_other() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^(\S+?==\S+)", LOCKS[name].read_text(), re.MULTILINE))

    assert pins("runtime") < pins("all") < pins("dev")
    assert pins("toolbox") < pins("dev")


def test_actions_are_pinned_and_keep_no_credentials() -> None:
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = workflow.read_text()
        assert "\npermissions: {}\n" in text
        for used in re.findall(r"uses:\s*(\S+)", text):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", used), used
        assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_links_of_the_documents_lead_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", re.sub(r"`[^`\n]*`", "", page.read_text()))
        if not (page.parent / target).exists()
    ]
    assert dead == []


def test_every_test_named_as_evidence_exists() -> None:
    security = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", security))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert named
    assert named - written == set()


def test_scripts_are_executable_and_parsed_by_the_shell() -> None:
    for script in [*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run"]:
        if script.is_file() and script.read_bytes().startswith((b"#!/bin/bash", b"#!/usr/bin/env bash")):
            subprocess.run(["bash", "-n", script], check=True)
            assert script.stat().st_mode & 0o111, script
