"""The doctor's look at a repository: each thing that is wrong is said with its fix."""

from pathlib import Path

import pytest

from ay_bot.host.doctor_repository import advise_on_scopes, examine_repository
from tests.loopback_github.server import LoopbackGitHub


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def problems(root: Path, **environment: str) -> dict[str, str]:
    return {each.about: each.problem for each in examine_repository(root, environment).advice}


def test_an_empty_repository_lacks_a_workflow_and_a_model(tmp_path):
    state = examine_repository(tmp_path, {})
    assert {each.about for each in state.advice} == {"workflow", "model", "token"}
    assert state.usable
    assert all(each.fix for each in state.advice)


def test_at_10_a_dangerous_workflow_makes_the_repository_unusable(tmp_path):
    write(
        tmp_path,
        ".github/workflows/w.yml",
        "on: pull_request_target\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"
        "        with: {ref: '${{ github.event.pull_request.head.sha }}'}\n",
    )
    state = examine_repository(tmp_path, {})
    assert not state.usable
    assert [finding.rule for finding in state.findings] == ["AY001"]


def test_a_bad_configuration_is_told_with_a_suggestion(tmp_path):
    write(tmp_path, ".github/ay-bot.yml", "modell: a/b\n")
    assert "did you mean `model`?" in problems(tmp_path)["configuration"]


def test_each_mistake_in_the_settings_is_told_by_itself(tmp_path):
    write(tmp_path, ".github/ay-bot.yml", "modell: a/b\nwho: boss\n")
    told = [each.problem for each in examine_repository(tmp_path, {}).advice if each.about == "configuration"]
    assert len(told) == 2
    write(tmp_path, ".github/ay-bot.yml", "model: [\n")
    told = [each.problem for each in examine_repository(tmp_path, {}).advice if each.about == "configuration"]
    assert len(told) == 1


def test_a_workflow_that_still_has_the_place_for_a_name_is_told(tmp_path):
    step = f"on: issue_comment\njobs: {{a: {{steps: [{{uses: OWNER/ay-bot@{'0' * 40}}}]}}}}\n"
    write(tmp_path, ".github/workflows/ay-bot.yml", step)
    assert "names no Action that is there" in problems(tmp_path)["workflow"]
    assert not examine_repository(tmp_path, {}).usable


def test_from_a_subdirectory_the_whole_work_tree_is_looked_at(tmp_path):
    (tmp_path / ".git").mkdir()
    write(tmp_path, ".github/ay-bot.yml", "modell: a/b\n")
    (tmp_path / "docs" / "more").mkdir(parents=True)
    assert "did you mean `model`?" in problems(tmp_path / "docs" / "more")["configuration"]


def test_a_missing_key_is_told_by_its_name(tmp_path):
    write(tmp_path, ".github/ay-bot.yml", "model: anthropic/claude\n")
    assert "ANTHROPIC_API_KEY" in problems(tmp_path)["model"]
    assert "model" not in problems(tmp_path, ANTHROPIC_API_KEY="x")


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        ({"contents": "write", "issues": "write", "pull_requests": "write"}, ""),
        ({"contents": "read", "issues": "read"}, "may not write"),
    ],
)
def test_the_token_is_tried(tmp_path, loopback_github: LoopbackGitHub, permissions, said):
    loopback_github.add_repository("maria/bank")
    token = loopback_github.add_actions_token(permissions)
    found = problems(
        tmp_path,
        GITHUB_TOKEN=token,
        GITHUB_REPOSITORY="maria/bank",
        GITHUB_API_URL=loopback_github.api_url,
        GITHUB_GRAPHQL_URL=loopback_github.graphql_url,
    )
    assert said in found.get("token", "") if said else "token" not in found


@pytest.mark.parametrize(
    ("scopes", "private", "said"),
    [
        (None, True, []),
        ("repo", True, []),
        ("public_repo, read:org", False, []),
        ("public_repo", True, ["`repo`"]),
        ("", False, ["none"]),
        ("repo, delete_repo, workflow", True, ["delete_repo, workflow"]),
    ],
)
def test_scopes_that_lack_or_exceed_what_is_needed_are_told(scopes, private, said):
    found = [each.problem for each in advise_on_scopes(scopes, private=private)]
    assert len(found) == len(said)
    assert all(part in problem for part, problem in zip(said, found, strict=True))
