"""`ay-bot init` writes what the repository needs, under the right names, and destroys nothing."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.config import CONFIG_FILE, Overrides
from ay_bot.host.init import WORKFLOW_FILE, run_init
from ay_bot.host.init_files import render_config, render_workflow
from ay_bot.host.init_names import Names, choose_cron, key_of
from ay_bot.host.own_source import UNKNOWN, is_pinned, read_clone, read_direct_url
from ay_bot.host.settings_file import load_settings
from ay_bot.host.workflow_lint import lint_workflow
from tests.host.git_repositories import fingerprint, git, make_repository

ROOT = Path(__file__).parent.parent.parent
ACTION = "someone/ay-bot@" + "0123456789" * 4
PYTHON = {"pyproject.toml": "[tool.pytest]\n", "tests/test_x.py": "def test_x(): pass\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", PYTHON)


@pytest.mark.parametrize("hardened", [False, True])
def test_both_files_are_written_and_are_what_the_bot_reads(repository: Path, hardened: bool) -> None:
    done = run_init(repository, action=ACTION, hardened=hardened, model="openai/gpt-5")
    assert done.written == (WORKFLOW_FILE, CONFIG_FILE)
    read = load_settings((repository / CONFIG_FILE).read_bytes(), Overrides())
    assert (read.model, read.test) == ("openai/gpt-5", "python3 -m pytest -q")
    workflow = (repository / WORKFLOW_FILE).read_bytes()
    assert lint_workflow(WORKFLOW_FILE, workflow) == ()
    jobs = yaml.safe_load(workflow)["jobs"]
    assert list(jobs) == (["work", "publish"] if hardened else ["ay-bot"])
    assert b"<<" not in workflow
    assert any("OPENAI_API_KEY" in step for step in done.next_steps)


def test_the_key_and_the_right_to_write_are_in_different_jobs(repository: Path) -> None:
    run_init(repository, action=ACTION, hardened=True)
    jobs = yaml.safe_load((repository / WORKFLOW_FILE).read_text())["jobs"]
    assert set(jobs["work"]["permissions"].values()) == {"read"}
    assert "secrets." in str(jobs["work"])
    assert "write" in jobs["publish"]["permissions"].values()
    assert "secrets." not in str(jobs["publish"])


def test_the_default_branch_is_the_remotes(repository: Path, tmp_path: Path) -> None:
    git(repository, "branch", "-m", "trunk")
    git(tmp_path, "clone", "-q", str(repository), "clone")
    clone = tmp_path / "clone"
    git(clone, "checkout", "-q", "-b", "work/in-progress")
    done = run_init(clone, action=ACTION)
    assert done.names.branch == "trunk"
    assert "refs/heads/trunk'" in (clone / WORKFLOW_FILE).read_text()


def test_what_is_there_stays_unless_told_otherwise(repository: Path) -> None:
    (repository / ".github").mkdir()
    (repository / CONFIG_FILE).write_text("model: mine/own\n")
    before = fingerprint(repository)
    with pytest.raises(UsageError, match=r"\.github/ay-bot\.yml; nothing was written"):
        run_init(repository, action=ACTION)
    assert fingerprint(repository) == before
    assert run_init(repository, action=ACTION, force=True).written == (WORKFLOW_FILE, CONFIG_FILE)
    assert "mine/own" not in (repository / CONFIG_FILE).read_text()


def test_a_second_time_changes_nothing(repository: Path) -> None:
    run_init(repository, action=ACTION)
    before = fingerprint(repository / ".github")
    done = run_init(repository, action=ACTION)
    assert (done.written, done.unchanged) == ((), (WORKFLOW_FILE, CONFIG_FILE))
    assert fingerprint(repository / ".github") == before


@pytest.mark.parametrize("link", [".github", ".github/workflows", CONFIG_FILE])
def test_no_link_leads_out_of_the_repository(repository: Path, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository / link).parent.mkdir(exist_ok=True, parents=True)
    (repository / link).symlink_to(outside / "x" if link == CONFIG_FILE else outside)
    with pytest.raises(UsageError, match="of its own"):
        run_init(repository, action=ACTION, force=True)
    assert os.listdir(outside) == []


@pytest.mark.parametrize("action", ["someone/ay-bot@v1", "someone/ay-bot", "someone/ay-bot@main", "x\n@" + "0" * 40])
def test_an_action_that_can_move_is_refused(repository: Path, action: str) -> None:
    with pytest.raises(UsageError, match="does not name an action at a commit"):
        run_init(repository, action=action)
    assert not (repository / ".github").exists()


def test_an_installation_that_does_not_tell_leaves_that_to_people(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ay_bot.host.init_names.find_own_source", lambda: "")
    done = run_init(repository)
    assert done.next_steps[0].startswith(f"replace `{UNKNOWN}` in {WORKFLOW_FILE}")
    assert f"uses: {UNKNOWN}\n" in (repository / WORKFLOW_FILE).read_text()


def test_a_clone_tells_where_it_is_from(repository: Path) -> None:
    assert read_clone(repository) == ""
    git(repository, "remote", "add", "origin", "https://git.example/o/ay-bot.git")
    assert read_clone(repository) == f"o/ay-bot@{git(repository, 'rev-parse', 'HEAD')}"
    assert read_clone(repository / "tests") == ""


def test_an_installation_from_git_tells_where_it_is_from() -> None:
    commit = "0123456789" * 4
    record = '{"url": "%s", "vcs_info": {"vcs": "git", "commit_id": "%s"}}'
    for url in ("https://git.example/o/ay-bot.git", "ssh://git@git.example/o/ay-bot", "git@git.example:o/ay-bot.git"):
        assert read_direct_url(record % (url, commit)) == f"o/ay-bot@{commit}"
    assert read_direct_url('{"url": "file:///x", "dir_info": {"editable": true}}') == ""
    assert read_direct_url("") == read_direct_url("[]") == read_direct_url(record % ("https://h/o/r", "main")) == ""
    assert is_pinned("./")
    assert not is_pinned("./../x")


def test_other_ecosystems_get_their_names_and_are_told_of_the_image(tmp_path: Path) -> None:
    files = {"package.json": '{"scripts": {"test": "vitest"}}', ".github/workflows/ci.yml": "on: push\n"}
    done = run_init(make_repository(tmp_path / "web", files), action=ACTION)
    assert done.names.ecosystems == ("npm", "GitHub Actions")
    assert (done.names.test, done.names.runner) == ("npm test", "npm")
    assert any("`image:`" in step for step in done.next_steps)
    config = tmp_path / "web" / CONFIG_FILE
    suggested = "\n".join(
        line.removeprefix("# ") for line in config.read_text().split("maintenance:\n")[1].splitlines()
    )
    enabled = f"{config.read_text()}maintenance:\n{suggested}\n"
    assert load_settings(enabled.encode(), Overrides()).maintenance[0].kind == "dependencies"


def test_keys_have_the_names_that_litellm_reads() -> None:
    assert key_of("anthropic/claude-sonnet-4-5") == "ANTHROPIC_API_KEY"
    assert key_of("gpt-5") == "OPENAI_API_KEY"
    assert key_of("fireworks-ai/x") == "FIREWORKS_AI_API_KEY"


@settings(max_examples=100)
@given(st.text(max_size=50))
def test_every_repository_has_a_minute_of_its_own(seed: str) -> None:
    from croniter import croniter

    assert croniter.is_valid(choose_cron(seed))
    assert choose_cron(seed).split()[0] != "0"


@settings(max_examples=100)
@given(st.text(max_size=40), st.text(max_size=40), st.text(min_size=1, max_size=40).filter(str.isprintable))
def test_names_from_the_repository_say_nothing_but_themselves(test: str, evidence: str, model: str) -> None:
    test = " ".join(test.split()) if test.isprintable() else "make test"
    names = Names(action=ACTION, branch="m", cron="1 1 * * *", key="K", model=model, test=test, evidence=evidence)
    read = yaml.safe_load(render_config(names))
    assert set(read) <= {"model", "test", "max_cost"}
    assert read["model"] == model
    assert read.get("test", "") == test


@pytest.mark.parametrize("name", ["one-job", "two-jobs"])
def test_the_documented_workflows_are_what_init_writes(name: str) -> None:
    names = Names(
        action="your-organisation/ay-bot@0123456789abcdef0123456789abcdef01234567 # the commit that you have read",
        branch="main",
        cron="23 4 * * *",
        key="ANTHROPIC_API_KEY",
        model="anthropic/claude-sonnet-4-5",
    )
    text = render_workflow(names, hardened=name == "two-jobs")
    page = ROOT / "docs" / "workflows" / f"{name}.yml"
    assert page.read_text() == text, f"write it anew: {page}"
    assert lint_workflow(page.name, text.encode()) == ()


@pytest.mark.parametrize("model", ["gpt-5", "a/b c", "/x", 'x/y"', "x/"])
def test_a_model_that_names_no_provider_is_refused(repository: Path, model: str) -> None:
    with pytest.raises(UsageError, match="is no model as litellm names it"):
        run_init(repository, action=ACTION, model=model)
    assert not (repository / CONFIG_FILE).exists()
