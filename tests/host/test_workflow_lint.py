"""Workflows with one mistake each, and one with none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.workflow_lint import lint_workflow

SHA = "a" * 40
GOOD = f"""
on:
  issue_comment: {{types: [created]}}
permissions: {{}}
jobs:
  ay:
    if: contains(github.event.comment.body, '@ay')
    permissions: {{contents: write, issues: write, pull-requests: write, statuses: write}}
    concurrency:
      group: ay-${{{{ github.event.issue.number }}}}
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@{SHA}
        with: {{persist-credentials: false}}
      - uses: owner/ay-bot@{SHA}
"""


def rules(text: str) -> set[str]:
    return {finding.rule for finding in lint_workflow("w.yml", text.encode())}


def test_a_good_workflow_has_no_findings():
    assert lint_workflow("w.yml", GOOD.encode()) == ()


PWN = f"""
on: pull_request_target
jobs:
  build:
    steps:
      - uses: actions/checkout@{SHA}
        with: {{ref: "${{{{ github.event.pull_request.head.sha }}}}", persist-credentials: false}}
"""


def test_at_10_a_checkout_of_the_head_under_pull_request_target_is_an_error():
    found = lint_workflow("w.yml", PWN.encode())
    assert [(finding.rule, finding.severity) for finding in found] == [("AY001", "error")]
    assert rules(PWN.replace("pull_request_target", "pull_request")) == set()


def test_at_10_the_bot_under_pull_request_target_is_an_error():
    assert "AY001" in rules(GOOD.replace("issue_comment: {types: [created]}", "pull_request_target:"))


def test_at_11_an_expression_of_an_outsider_in_a_command_is_an_error():
    text = GOOD.replace("steps:", 'steps:\n      - run: echo "${{ github.event.comment.body }}"')
    assert rules(text) == {"AY007"}
    assert rules(GOOD.replace("steps:", 'steps:\n      - run: echo "$BODY"')) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("persist-credentials: false", "fetch-depth: 1", "AY002"),
        ("permissions: {contents: write, issues: write, pull-requests: write, statuses: write}", "", "AY008"),
        ("permissions: {contents: write", "permissions: {packages: write, contents: write", "AY003"),
        (f"owner/ay-bot@{SHA}", "owner/ay-bot@v1", "AY004"),
        (f"owner/ay-bot@{SHA}", "docker://x/ay-bot:1", "AY004"),
        ("cancel-in-progress: false", "cancel-in-progress: true", "AY005"),
        ("github.event.issue.number", "github.ref", "AY005"),
        ("    if: contains(github.event.comment.body, '@ay')\n", "", "AY006"),
        ("jobs:", "concurrency: x\njobs:", None),
        ("issues: write, ", "", "AY008"),
        ("statuses: write", "statuses: read", "AY008"),
    ],
)
def test_each_mistake_has_its_rule_and_a_fix(old: str, new: str, rule: str | None):
    assert old in GOOD
    found = lint_workflow("w.yml", GOOD.replace(old, new, 1).encode())
    assert {finding.rule for finding in found} == ({rule} if rule else set())
    assert all(finding.fix and finding.job == "ay" for finding in found)


def test_no_permissions_at_all_is_said():
    text = GOOD.replace("permissions: {}\n", "").replace(
        "    permissions: {contents: write, issues: write, pull-requests: write, statuses: write}\n", ""
    )
    assert rules(text) == {"AY003"}


@pytest.mark.parametrize("text", ["a: [", "- x", "", "jobs: 3", "on: push"])
def test_what_is_no_workflow_is_said(text: str):
    assert rules(text) == {"AY000"}


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_makes_it_raise(content: bytes):
    lint_workflow("w.yml", content)


def test_a_job_that_only_works_needs_to_write_nothing():
    job = f"      - uses: owner/ay-bot@{SHA}\n        with: {{mode: work}}\n"
    reading = GOOD.replace(f"      - uses: owner/ay-bot@{SHA}\n", job).replace(": write", ": read")
    assert rules(reading) == set()
    assert rules(reading.replace("mode: work", "mode: run")) == {"AY008"}
    assert rules(reading.replace("mode: work", "app-id: 1")) == set()
