"""What a step tells the runner, read back as the runner reads it: nobody's words become an output or a command."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.github.annotations import MOST_ANNOTATIONS, WorkflowLog, render_annotation, render_untrusted
from ay_bot.host.github.runner_files import (
    LONGEST_SUMMARY,
    OUTPUT_NAMES,
    Outputs,
    bound_summary,
    render_outputs,
    write_outputs,
    write_summary,
)
from ay_bot.host.plain_text import clean_text

HOSTILE = st.lists(
    st.sampled_from(
        ["\n", "\r", "\r\n", "<<", "EOF", "status<<x", "=", "::", "::error::", "::set-env name=A::b", "##[error]",
         "##[add-path]x", "%0A", "\u2028", "\x85", "\x0b", "\x1b[2K", "ay-bot-", "::stop-commands::t", "::t::", " "]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)  # fmt: skip


def read_as_runner(text: str) -> dict[str, str]:
    """As actions/runner reads GITHUB_OUTPUT: lines end at any of the newlines that .NET's reader knows."""
    values: dict[str, str] = {}
    lines = re.split(r"\r\n|\r|\n", text)
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, delimiter = line.split("<<", 1)
            end = lines.index(delimiter)
            values[name] = "\n".join(lines[:end])
            del lines[: end + 1]
        else:
            name, value = line.split("=", 1)
            values[name] = value
    return values


COMMAND = re.compile(r"^\s*::(?P<name>[^:\s]+)(?:\s[^:]*)?::|##\[(?P<old>[^\]\s]+)[^\]]*\]")


def commands_of(output: str) -> list[str]:
    """As the runner finds commands: `::name::` at a line's start or `##[name]` anywhere, unless stopped."""
    found, stopped = [], ""
    for line in re.split(r"\r\n|\r|\n", output):
        match = COMMAND.search(line)
        name = (match["name"] or match["old"]) if match else ""
        if stopped:
            stopped = "" if name == stopped else stopped
        elif name == "stop-commands":
            stopped = line.split("::")[2]
        elif name:
            found.append(name)
    assert not stopped
    return found


@given(HOSTILE, HOSTILE)
def test_at_39_no_value_of_an_output_makes_another(branch: str, url: str) -> None:
    outputs = Outputs(status="verified", branch=branch, pull_request_url=url, cost_usd=0.25)
    read = read_as_runner(render_outputs(outputs.values()))
    assert set(read) == set(OUTPUT_NAMES)
    assert read["status"] == "verified"
    assert read["cost-usd"] == "0.250000"
    assert all("\n" not in value for value in read.values())


def test_at_39_delimiters_are_never_the_same() -> None:
    rendered = render_outputs(Outputs(status="x").values()) + render_outputs(Outputs(status="x").values())
    delimiters = re.findall(r"<<(.+)", rendered)
    assert len(set(delimiters)) == len(delimiters) == 2 * len(OUTPUT_NAMES)


@given(HOSTILE)
def test_at_39_untrusted_text_holds_no_command(text: str) -> None:
    shown = render_untrusted(text, "0123456789abcdef")
    assert commands_of(shown) == []
    body = "\n".join(shown.split("\n")[1:-1])
    assert commands_of(body) == []  # harmless even where nothing is stopped


@given(HOSTILE, HOSTILE)
def test_at_39_an_annotation_is_one_command_whatever_it_says(message: str, title: str) -> None:
    line = render_annotation("error", message, title)
    assert len(re.split(r"\r\n|\r|\n", line)) == 1
    assert commands_of(line) == ["error"]
    shown = line.split("::", 2)[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")  # as the runner does
    assert shown == clean_text(message.replace("##[", "## ["))
    properties = line.removeprefix("::error").split("::")[0]
    assert properties.count(",") == 0


def test_a_log_groups_masks_and_limits_its_annotations() -> None:
    lines: list[str] = []
    log = WorkflowLog(lines.append)
    log.mask("first line\nsecond line\nab")
    with log.group("Tests 100%\n::error::x"):
        log.untrusted("::set-output name=a::b")
    for _ in range(MOST_ANNOTATIONS + 2):
        log.annotate("error", "bad", "it: broke")
    found = commands_of("\n".join(lines))
    assert found[:4] == ["add-mask", "add-mask", "group", "endgroup"]
    assert found[4:] == ["error"] * MOST_ANNOTATIONS
    assert "::error title=it%3A broke::bad" in lines


def test_outputs_and_summary_are_appended(tmp_path: Path) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.write_text("before=1\n")
    write_outputs(output, Outputs(status="verified", pull_request_url="https://x/pull/1", bundle="/b"))
    assert read_as_runner(output.read_text())["pull-request-url"] == "https://x/pull/1"
    assert read_as_runner(output.read_text())["before"] == "1"
    write_summary(summary, "# one\n")
    write_summary(summary, "# two\n")
    assert summary.read_text() == "# one\n# two\n"
    write_outputs(None, Outputs(status="x"))
    with pytest.raises(UsageError, match="can't be written"):
        write_summary(tmp_path / "no" / "file", "x")


def test_a_summary_is_never_longer_than_the_runner_takes() -> None:
    cut = bound_summary("é" * LONGEST_SUMMARY)
    assert len(cut.encode()) <= LONGEST_SUMMARY
    assert cut.endswith("longer than the runner takes.\n")
    assert bound_summary("short \ud800") == "short ?"
