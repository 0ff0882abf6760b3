"""The built image, from an event to the pull request: as the composite action runs it, and as a container action."""

import json
import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ay_bot.outline.digest import VERSION
from tests.action.composite import RUNNER, Ran, as_runner, run_composite
from tests.action.conftest import Checkout
from tests.action.container_action import run_container_action
from tests.action.stage import TRAPS, Stage, docker

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]


def call(stage: Stage, body: str = "@ay fix this", login: str = "maria") -> None:
    """Write a comment on the issue and hand its event to the runner."""
    stage.write_event(stage.github.payload_for_comment(stage.github.comment(1, body, login=login)))


def machine(stage: Stage, *, key: bool = True, token: str = "") -> dict[str, str]:
    """Return the environment of a job's step."""
    keys = {"OPENAI_API_KEY": "sk-scripted-model-key"} if key else {}
    own = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(stage.directory), "TEST_TOKEN": token or stage.token}
    return {**own, **stage.facts(), **stage.certificates(), **TRAPS, **keys}


def compose(stage: Stage, checkout: Checkout, number: int = 0, **inputs: str) -> Ran:
    temporary = stage.temporary / f"attempt-{number}"
    temporary.mkdir()
    stage.give_to_runner()
    given = {"api-base": stage.model.api_base, **{name.replace("_", "-"): value for name, value in inputs.items()}}
    return run_composite(checkout.path, given, machine(stage), temporary)


def assert_published(stage: Stage, tmp_path: Path) -> None:
    """One pull request whose branch, fetched by git, has the proven fix in one commit; one comment that says so."""
    (pull,) = stage.github.pulls()
    (commit,) = stage.github.commits(pull.head_branch)
    assert commit["sha"] == stage.github.branch(pull.head_branch)
    tree = stage.github.fetch_branch(pull.head_branch, tmp_path / f"fetched-{time.monotonic_ns()}", stage.token)
    assert "by_cut = sorted(" in (tree / "evenly/split.py").read_text()
    assert "Closes #1" in pull.body
    (tracking,) = stage.github.comments(1, login="github-actions[bot]")
    assert "state=done" in tracking.body
    assert set(stage.github.branches()) == {"main", pull.head_branch}


def assert_thrifty(stage: Stage, began: int) -> None:
    """A run makes 25 requests at most, plus edits of its comment."""
    made = stage.github.requests[began:]
    edits = [each for each in made if each.method == "PATCH" and "/issues/comments/" in each.path]
    print(f"requests to the API: {len(made) - len(edits)}, and {len(edits)} edits of the comment")
    assert len(made) - len(edits) <= 25


def poison_cache(stage: Stage) -> Path:
    """Lay a cache down as nobody's run leaves it, and return a file of the runner's that it leads to."""
    cache = stage.temporary / "ay-bot-outline"
    segments = cache / f"segments-{VERSION}"
    segments.mkdir(parents=True)
    precious = stage.temporary / "precious"
    precious.write_text("precious")
    (cache / f"outline-{VERSION}.sqlite").symlink_to(precious)
    (segments / ("0" * 16)).symlink_to(stage.temporary)
    os.mkfifo(segments / "fifo")
    return precious


def assert_cache_is_ours(stage: Stage, precious: Path) -> None:
    """The outline's cache holds numbers and nothing of the run; what it led to is as it was."""
    cache = stage.temporary / "ay-bot-outline"
    files = [path for path in cache.rglob("*") if not path.is_dir()]
    assert {path.name for path in files} >= {f"outline-{VERSION}.sqlite", "entries", "body_at"}
    assert {stat.S_IFMT(path.lstat().st_mode) for path in files} == {stat.S_IFREG}
    assert {path.stat().st_uid for path in files} == {RUNNER if os.geteuid() == 0 else os.geteuid()}
    held = b"".join(path.read_bytes() for path in files)
    assert b"evenly/split.py\0" in held
    for word in (stage.token, "sk-scripted-model-key", "def split(", *TRAPS.values()):
        assert word.encode() not in held
    assert precious.read_text() == "precious"


def assert_nothing_is_left(stage: Stage) -> None:
    assert docker("ps", "--all", "--quiet", "--filter", f"name=ay-bot-{stage.run_id}") == ""


def test_composite_action_from_a_comment_to_a_pull_request(
    stage: Stage, action_checkout: Checkout, tmp_path: Path
) -> None:
    call(stage)
    precious = poison_cache(stage)
    ran = compose(stage, action_checkout, cache_directory=str(stage.temporary / "ay-bot-outline"))
    assert ran.status == "success", ran.step("run").log
    assert ran.outputs["status"] == "verified"
    assert "without a map" not in ran.step("run").log
    assert_cache_is_ours(stage, precious)
    assert ran.outputs["pull-request-url"].endswith("/maria/evenly/pull/2")
    assert ran.outputs["branch"] == stage.pull_branch()
    assert "1 fixed" in ran.step("run").summary
    assert_published(stage, tmp_path)
    assert_nothing_is_left(stage)
    left = [path for path in stage.temporary.rglob(f"ay-bot-{stage.run_id}*/**/*") if path.is_file()]
    assert "result.json" in {path.name for path in left}
    assert {path.stat().st_uid for path in left} == {RUNNER if os.geteuid() == 0 else os.geteuid()}
    assert "sk-scripted-model-key" not in ran.step("run").log
    assert not [trap for trap in (*TRAPS.values(), stage.token) if trap in ran.step("run").log]
    assert_thrifty(stage, 0)
    print(f"gate {ran.step('gate').seconds:.2f} s")
    seen = len(stage.github.requests)
    for number in range(1, 5):
        again = compose(stage, action_checkout, number)
        assert again.status == "success", again.step("run").log
        assert_published(stage, tmp_path)
    writes = [each for each in stage.github.requests[seen:] if each.method != "GET" and "reactions" not in each.path]
    assert [each.path for each in writes if each.path != "/graphql"] == []


def test_container_action_from_a_comment_to_a_pull_request(
    stage: Stage, action_checkout: Checkout, tmp_path: Path
) -> None:
    call(stage)
    inputs = {"github-token": stage.token, "api-base": stage.model.api_base}
    began = len(stage.github.requests)
    for delivery in range(5):
        ended = run_container_action(stage, action_checkout.bot, inputs)
        assert ended.exit_code == 0, ended.log
        assert_published(stage, tmp_path)
        if delivery == 0:
            assert ended.outputs["status"] == "verified"
            assert "1 fixed" in ended.summary
            assert_thrifty(stage, began)
        for name in ("set_env_0f1e", "add_path_0f1e", "save_state_0f1e"):
            assert (stage.temporary / "_runner_file_commands" / name).read_text() == ""
    assert not list(stage.workspace.iterdir()), "the bot has no business in the workspace"
    owner = (stage.temporary / "_runner_file_commands" / "set_output_0f1e").stat().st_uid
    assert owner == (RUNNER if os.geteuid() == 0 else os.geteuid())


@pytest.mark.parametrize(("body", "login", "requests"), [("Thanks!", "maria", 0), ("@ay fix this", "stranger", 2)])
def test_what_is_not_for_us_starts_no_container(
    stage: Stage, action_checkout: Checkout, body: str, login: str, requests: int
) -> None:
    call(stage, body, login)
    ran = compose(stage, action_checkout)
    assert ran.status == "success"
    assert [step.outcome for step in ran.steps] == ["success", "skipped", "skipped", "skipped"]
    assert len(stage.github.requests) == requests


def test_a_run_that_is_killed_leaves_no_comment_that_promises_more(
    stage: Stage, action_checkout: Checkout, tmp_path: Path
) -> None:
    call(stage)
    stage.model.script.turns[0] = type(stage.model.script.turns[0])(text="thinking", delay=60)
    killer = threading.Thread(target=when, args=(lambda: bool(stage.model.requests), lambda: kill_bot(stage)))
    killer.start()
    ran = compose(stage, action_checkout)
    killer.join()
    assert ran.status == "failure"
    assert [step.outcome for step in ran.steps] == ["success", "success", "failure", "success"], ran.steps[-1].log
    (tracking,) = stage.github.comments(1, login="github-actions[bot]")
    assert "state=failed" in tracking.body or "state=cancelled" in tracking.body
    assert stage.github.pulls() == []
    assert_nothing_is_left(stage)


def test_a_cancelled_run_is_ended_before_order_is_made(stage: Stage, action_checkout: Checkout) -> None:
    """The runner ends docker's client, but the container goes on until somebody ends it."""
    call(stage)
    ran = compose(stage, action_checkout, mention="nobody")
    assert ran.outputs["decision"] == "ignore"
    name = f"ay-bot-{stage.run_id}-left"
    docker("run", "--detach", "--name", name, "--entrypoint", "sleep", action_checkout.bot, "300")
    given = {"AY_CONTAINER": name, "AY_IMAGE": action_checkout.bot, "INPUT_GITHUB_TOKEN": stage.token}
    output = stage.temporary / "output"
    output.touch()
    stage.give_to_runner()
    subprocess.run(
        ["python3", "-I", "-S", action_checkout.path / "scripts/bare.py", "ay_bot.host.launch", "--finalize"],
        env={**machine(stage), **given, "GITHUB_OUTPUT": str(output)},
        **as_runner(),
        check=True,
        timeout=60,
    )
    assert_nothing_is_left(stage)


def test_hardened_pair_publishes_what_another_job_wrote(
    stage: Stage, action_checkout: Checkout, tmp_path: Path
) -> None:
    call(stage)
    reading = dict.fromkeys(("contents", "issues", "pull_requests", "statuses", "checks"), "read")
    bundle = stage.temporary / "ay-bot-bundle"
    work = stage.temporary / "work"
    publish = stage.temporary / "publish"
    work.mkdir()
    publish.mkdir()
    stage.give_to_runner()
    given = {"api-base": stage.model.api_base, "bundle": str(bundle)}
    reader = machine(stage, token=stage.github.add_actions_token(reading))
    ran = run_composite(action_checkout.path, {**given, "mode": "work"}, reader, work)
    assert ran.status == "success", ran.step("run").log
    assert ran.outputs["bundle"] == str(bundle)
    assert {place.name for place in (bundle / "bundle").iterdir()} >= {"result.json", "bundle.json"}
    assert stage.github.pulls() == []
    asked = len(stage.model.requests)
    given["bundle"] = str(bundle / "bundle")
    ran = run_composite(action_checkout.path, {**given, "mode": "publish"}, machine(stage, key=False), publish)
    assert ran.status == "success", ran.step("run").log
    assert ran.outputs["pull-request-url"].endswith("/maria/evenly/pull/2")
    assert len(stage.model.requests) == asked
    assert_published(stage, tmp_path)


def when(condition: Callable[[], bool], do: Callable[[], None], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    do()


def kill_bot(stage: Stage) -> None:
    names = docker("ps", "--filter", f"name=ay-bot-{stage.run_id}", "--format", "{{.Names}}").split()
    docker("kill", *names)


def test_the_payload_is_a_real_one(stage: Stage) -> None:
    """What the tests above start from is what GitHub sends: a payload with all that a comment has."""
    call(stage)
    payload = json.loads((stage.temporary / "_github_workflow/event.json").read_text())
    assert {"action", "issue", "comment", "repository", "sender"} <= set(payload)


def test_publish_tells_the_thread_when_work_left_no_bundle(stage: Stage, action_checkout: Checkout) -> None:
    call(stage)
    bundle = stage.temporary / "ay-bot-bundle"
    ran = compose(stage, action_checkout, mode="publish", bundle=str(bundle))
    assert ran.status == "failure"
    assert stage.github.pulls() == []
    (tracking,) = stage.github.comments(1, login="github-actions[bot]")
    assert "state=failed" in tracking.body or "state=blocked" in tracking.body
    assert "bundle" in tracking.body
    assert_nothing_is_left(stage)
