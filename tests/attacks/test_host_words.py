"""AT-29, AT-51: nothing that a box writes stands unquoted among the host's own words about a change."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.errors import ExitCode
from ay_bot.host import suite
from ay_bot.host.changes import VerifiedPatch, propose
from ay_bot.host.checks import CheckedPatch, verify
from ay_bot.host.github.exactly_once import read_markers
from ay_bot.host.junit import NotBelieved, read_report
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.pull_request import escape_cell, render
from ay_bot.host.sandbox import BoxLimits
from ay_bot.host.suite import TestRunner as Runner
from tests.fakes import LocalSandbox
from tests.host.action.deliveries import Desk, Model
from tests.host.git_repositories import checkout_of, finished, make_repository
from tests.host.test_pipeline import FINISH, MEND

SAID = "@maria fixes #9"
MARKER = "<!-- ay-bot:v1 kind=proof key=0123456789ab -->"
REPORTS = {
    "a document type": f'<!DOCTYPE x SYSTEM "{SAID} {MARKER}"><testsuites/>',
    "a public name": f'<!DOCTYPE x PUBLIC "{SAID}" "{SAID}"><testsuites/>',
    "a namespace": f'<x xmlns="{SAID}"/>',
    "an encoding": '<?xml version="1.0" encoding="fixes9"?><testsuites/>',
    "an entity": "<testsuites>&fixes9;</testsuites>",
    "a root": "<fixes9/>",
    "an unbound prefix": "<fixes9:x/>",
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_at_51_no_word_of_a_report_is_a_reason(report: str) -> None:
    verdict = read_report(report.encode(), 0)
    assert isinstance(verdict, NotBelieved)
    for word in ("@", "#", "fixes", "<", "maria"):
        assert word not in verdict.reason


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_at_30_no_name_holds_a_marker_of_ours(before: str, after: str) -> None:
    for text in (f"{before}{MARKER}{after}", before + after):
        shown = escape_cell(text)
        assert read_markers(shown) == ()
        assert shown[0] == shown[-1] == "`"
        assert "`" not in shown[1:-1]
        assert len(shown.splitlines()) == 1


CODE = """\
import os, pathlib, sys
for option in os.environ.get("PYTEST_ADDOPTS", "").split():
    if option.startswith("--junitxml="):
        pathlib.Path(option.partition("=")[2]).write_text(REPORT)
def add(a, b):
    return a + b
"""


def test_at_29_at_51_a_report_that_speaks_says_nothing_in_the_pull_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests that leave no report are compared by exit code, and why a report isn't believed is told."""
    monkeypatch.setattr(suite, "REPORTS", str(tmp_path))
    files: Mapping[str, str] = {
        "calc.py": "def add(a, b):\n    return a - b\n",
        "check.py": "import calc\nassert calc.add(1, 2) == 3\n",
    }
    with checkout_of(make_repository(tmp_path / "repo", files), tmp_path / "scratch") as checkout:
        runner = Runner(
            LocalSandbox(), checkout, run="r", image="", command="python3 check.py", setup="", timeout=60,
            limits=BoxLimits(), emit=lambda _: None,
        )  # fmt: skip
        head = checkout.repository.head
        code = f"REPORT = {REPORTS['a namespace']!r}\n" + CODE
        patch = propose(checkout, head, *finished({"calc.py": code}), PathPolicy())
        assert isinstance(patch, VerifiedPatch)
        checked = verify(runner, checkout, patch, runner.run(checkout.tree_of(head), "baseline"), reruns=0)
    assert isinstance(checked, CheckedPatch)
    text = render(title="fix: add", summary="", task="", patch=patch, proof=checked.proof)
    assert "No test report is believed" in text.body
    assert "root element" in text.body
    assert SAID not in text.body
    assert "@" not in text.body


def test_at_39_at_51_a_name_that_speaks_is_quoted_on_the_thread(desk: Desk) -> None:
    """Why a change was refused is told with the name that was at fault: it calls, closes, loads and commands nothing."""
    name = f"x: {SAID} ![a](evil) {MARKER} ::error::x"
    issue = desk.github.open_issue("add() subtracts", "It should add.")
    desk.answers = lambda: Model(MEND, [("shell", {"command": f"touch '{name}'"})], FINISH, FINISH)
    assert desk.say(issue.number, "@ay fix this") == ExitCode.CHANGE_REFUSED
    (told,) = desk.tracking(issue.number)
    summary = (desk.place / "run1" / "summary.md").read_text()
    assert "fixes no. 9" in told
    for words in (told, summary):
        assert not [sign for sign in (SAID, "![", MARKER) if sign in words]
    assert not [line for entry in desk.log for line in entry.splitlines()[1:] if line.startswith("::error")]
