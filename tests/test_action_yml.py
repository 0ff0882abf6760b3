"""action.yml and the workflows agree with the code, and hold nothing that a stranger could use."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.gate import Outcome, Rules, decide
from ay_bot.host.github.action_inputs import Inputs, input_name, spellings
from ay_bot.host.github.runner_context import RunnerContext
from ay_bot.host.github.runner_files import OUTPUT_NAMES
from ay_bot.host.launch import FACTS
from ay_bot.host.outline_cache import NAME
from ay_bot.host.permissions import Standing
from ay_bot.host.workflow_lint import lint_workflow
from tests.action.expressions import fill, holds
from tests.host import payloads

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted([*(ROOT / "docs" / "workflows").glob("*.yml"), *(ROOT / ".github" / "workflows").glob("*.yml")])
BOTS = sorted((ROOT / "docs" / "workflows").glob("*.yml"))
OWN_INPUTS = {"bot-image", "box-image"}
"""What the composite action itself needs; the image knows nothing of them."""


def action() -> dict[str, Any]:
    return yaml.safe_load(ACTION.read_text())


def steps() -> dict[str, dict[str, Any]]:
    return {step.get("id", "finalize"): step for step in action()["runs"]["steps"]}


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(name)
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, cwd=ROOT)


# ---------------------------------------------------------------------------------------------- the code's inputs


def test_inputs_are_those_of_the_code() -> None:
    described = action()["inputs"]
    assert set(described) == {input_name(field) for field in Inputs.model_fields} | OWN_INPUTS
    for field, known in Inputs.model_fields.items():
        assert described[input_name(field)]["description"] == known.description
        default = str(described[input_name(field)]["default"])
        assert default == (
            "${{ github.token }}"
            if field == "github_token"
            else (str(known.default or "") if isinstance(known.default, str) else "")
        )


def test_every_input_reaches_the_bot_under_a_name_that_it_reads() -> None:
    known = steps()["run"]["env"]
    for field in Inputs.model_fields:
        assert known[spellings(field)[1]] == f"${{{{ inputs.{input_name(field)} }}}}"
    for name, step in steps().items():
        for variable, value in step["env"].items():
            if variable.startswith("INPUT_") and variable != "INPUT_JOB_STATUS":
                assert known[variable] == value, name


def test_the_facts_of_the_run_reach_the_container() -> None:
    needed = {f"GITHUB_{name.upper()}" for name in RunnerContext.model_fields}
    assert needed - {"GITHUB_INPUTS", "GITHUB_RUNNER_TEMP", "GITHUB_WORKSPACE"} == {
        name for name in FACTS if name not in ("CI", "GITHUB_ACTIONS")
    }


def test_outputs_are_those_of_the_code_and_documented() -> None:
    described = action()["outputs"]
    of_the_run = {name for name, of in described.items() if ".run." in of["value"]}
    assert of_the_run == set(OUTPUT_NAMES)
    assert set(described) - of_the_run == {"decision", "reason", "verb"}
    for name, of in described.items():
        assert of["value"].split(".")[-1].strip(" }") == name


def test_the_page_lists_every_input_and_output() -> None:
    page = (ROOT / "docs" / "action.md").read_text()
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert listed == set(action()["inputs"]) | set(action()["outputs"])


# ------------------------------------------------------------------------------------------------------- walls


def scripts() -> Iterator[tuple[str, str]]:
    """Every command of the action, of our workflows and of those that `ay-bot init` writes."""
    for step in action()["runs"]["steps"]:
        yield "action.yml", step["run"]
    for file in WORKFLOWS:
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            yield from ((file.name, step["run"]) for step in job["steps"] if "run" in step)


def test_at_11_no_expression_is_part_of_a_command() -> None:
    found = dict(scripts())
    assert "action.yml" in found
    assert [(file, script) for file, script in scripts() if "${{" in script] == []


def test_at_11_a_command_takes_a_branch_name_as_data(tmp_path: Path) -> None:
    """The gate's step is run as the runner runs it, on names that would run something if they were part of it."""
    evil = f"x$(touch${{IFS}}{tmp_path}/made);`touch {tmp_path}/made`"
    event = {
        "action": "created",
        "comment": {"body": evil},
        "issue": {"title": evil},
        "repository": {"full_name": evil},
    }
    (tmp_path / "event.json").write_text(json.dumps(event))
    step = steps()["gate"]
    inputs = dict.fromkeys(action()["inputs"], evil) | {"outputs": "", "who": ""}
    own = {name: fill(str(value), {"inputs": inputs}) for name, value in step["env"].items()}
    facts = {"GITHUB_REPOSITORY": evil, "GITHUB_EVENT_NAME": "issue_comment", "GITHUB_HEAD_REF": evil}
    files = {"GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    given = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GITHUB_ACTION_PATH": str(ROOT), **facts, **files, **own}
    ran = subprocess.run(["bash", "-e", "-c", step["run"]], env=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "decision=ignore\n" in (tmp_path / "output").read_text()
    assert not (tmp_path / "made").exists()


CACHED = ROOT / "docs" / "workflows" / "two-jobs-cached.yml"


def test_at_43_nothing_is_cached_between_runs() -> None:
    """A cache that one run fills and another believes can be poisoned; images are kept by the engine alone."""
    for file in [ACTION, *WORKFLOWS, ROOT / "scripts" / "action-images"]:
        if file != CACHED:
            text = re.sub(r"#.*|description:.*", "", file.read_text())
            assert not re.search(r"actions/cache|cache-from|cache-to|\bcache:|ACTIONS_CACHE", text), file


def test_at_43_where_the_outline_is_cached_nothing_else_is_and_no_job_that_writes_meets_it() -> None:
    work, publish = jobs(CACHED).values()
    plain_work, plain_publish = jobs(ROOT / "docs" / "workflows" / "two-jobs.yml").values()
    own = [step for step in work["steps"] if step["uses"].startswith("actions/cache/")]
    assert {**work, "steps": [step for step in work["steps"] if step not in own]} == plain_work
    assert publish == plain_publish
    assert set(work["permissions"].values()) == {"read"}
    assert [step["uses"].split("@")[0] for step in own] == ["actions/cache/restore", "actions/cache/save"]
    assert {step["with"]["path"] for step in own} == {f"${{{{ runner.temp }}}}/{NAME}"}
    assert len({step["with"]["key"] for step in own}) == 1


@pytest.mark.parametrize(
    ("decision", "hit", "ref", "status", "expected"),
    [
        pytest.param("run", "false", "refs/heads/main", "success", True, id="something new"),
        pytest.param("run", "", "refs/heads/main", "failure", True, id="nothing was there and the run failed"),
        pytest.param("run", "true", "refs/heads/main", "success", False, id="saved before"),
        pytest.param("run", "false", "refs/pull/7/merge", "success", False, id="of a pull request's own event"),
        pytest.param("deny", "false", "refs/heads/main", "success", False, id="a stranger asked"),
        pytest.param("run", "false", "refs/heads/main", "cancelled", False, id="cancelled"),
    ],
)
def test_the_outline_is_saved_once_for_a_commit_by_who_may_ask(
    decision: str, hit: str, ref: str, status: str, expected: bool
) -> None:
    (save,) = (step for step in jobs(CACHED)["work"]["steps"] if "cache/save" in step["uses"])
    outputs = {"ay-bot": {"outputs": {"decision": decision}}, "outline": {"outputs": {"cache-hit": hit}}}
    assert holds(save["if"], {"steps": outputs, "github": {"ref": ref}}, status) is expected


def test_at_46_every_action_is_pinned_to_a_commit() -> None:
    used = [(file.name, uses) for file in WORKFLOWS for uses in re.findall(r"(?<!\w)uses:\s*(\S+)", file.read_text())]
    assert len(used) >= 5
    assert [each for each in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", each[1])] == []
    assert "uses:" not in ACTION.read_text()


def test_the_gate_comes_before_everything_and_gets_one_secret() -> None:
    order = action()["runs"]["steps"]
    assert [step.get("id") for step in order] == ["gate", "images", "run", None]
    secrets = {f"INPUT_{name}" for name in ("CI_TOKEN", "APP_PRIVATE_KEY")}
    assert not secrets & set(order[0]["env"])
    assert "if" not in order[0]
    for step in order[1:3]:
        assert step["if"] == "steps.gate.outputs.decision == 'run'"
    assert "secrets" not in ACTION.read_text()


@pytest.mark.parametrize(
    ("status", "images", "run", "expected"),
    [
        pytest.param("failure", "success", "failure", True, id="the run failed"),
        pytest.param("cancelled", "success", "cancelled", True, id="somebody cancelled it"),
        pytest.param("success", "success", "success", False, id="it ended well"),
        pytest.param("success", "skipped", "skipped", False, id="not for us"),
        pytest.param("failure", "failure", "skipped", False, id="no images"),
    ],
)
def test_order_is_made_whenever_a_run_died(status: str, images: str, run: str, expected: bool) -> None:
    contexts = {"steps": {"images": {"outcome": images}, "run": {"outcome": run}}}
    assert holds(steps()["finalize"]["if"], contexts, status) is expected


# ---------------------------------------------------------------------------------------------------- validators


def test_at_10_zizmor_finds_nothing() -> None:
    checked = tool("zizmor", "--offline", "--strict-collection", "--format", "json", ACTION, *WORKFLOWS)
    assert (checked.returncode, json.loads(checked.stdout)) == (0, []), checked.stderr


def test_at_10_zizmor_would_find_something(tmp_path: Path) -> None:
    """The check above can fail: the documented workflow without its reasoned exception is refused."""
    text = BOTS[0].read_text()
    bare = tmp_path / ".github" / "workflows" / "bot.yml"
    bare.parent.mkdir(parents=True)
    bare.write_text(re.sub(r" # zizmor: ignore.*", "", text))
    assert tool("zizmor", "--offline", bare).returncode != 0


def test_files_follow_githubs_schemas() -> None:
    checked = tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)
    assert checked.returncode == 0, checked.stdout
    checked = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.stem)
def test_our_own_lint_finds_nothing(file: Path) -> None:
    assert lint_workflow(file.name, file.read_bytes()) == ()


# ------------------------------------------------------------------------------------------- the documented workflows


@cache
def workflow(file: Path) -> dict[Any, Any]:
    return yaml.safe_load(file.read_text())


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    return workflow(file)["jobs"]


def contexts(name: str, event: object) -> dict[str, Any]:
    full_name = event.get("repository", {}).get("full_name", "") if isinstance(event, dict) else ""
    return {
        "github": {
            "event_name": name, "event": event, "repository": full_name, "run_id": 99, "ref": "refs/heads/main",
        }
    }  # fmt: skip


def comment(body: str, number: int = 7) -> dict[str, Any]:
    person = {"login": "maria", "type": "User"}
    return {
        "action": "created",
        "issue": {"number": number, "title": "t", "body": "b", "user": person},
        "comment": {"id": 1, "body": body, "user": person},
        "repository": {"full_name": "o/r"},
        "sender": person,
    }


def first_job(file: Path) -> dict[str, Any]:
    return next(iter(jobs(file).values()))


HERE = {"head": {"repo": payloads.REPOSITORY}}
WORDS = (
    "@ay",
    "/ay",
    "@AY",
    "fix",
    "stop",
    "this",
    "\n",
    " ",
    "`",
    "> ",
    "<!-- ",
    " -->",
    "<!-- ay-bot:v1",
    "mid@ay",
    ".",
)
TEXTS = st.lists(st.sampled_from(WORDS), max_size=8).map("".join)
LABELS = st.sampled_from(["ay", "AY", "ay:review", "ay/plan", "bug", "day"])
EVENTS = st.one_of(
    st.builds(lambda text: ("issue_comment", payloads.issue_comment(text)), TEXTS),
    st.builds(lambda text: ("issue_comment", payloads.issue_comment(text, pull_request={"url": ""})), TEXTS),
    st.builds(lambda text: ("pull_request_review", on_pull(payloads.review(text))), TEXTS),
    st.builds(lambda text: ("pull_request_review_comment", line_comment(text)), TEXTS),
    st.builds(lambda title, body: ("issues", payloads.thread(title=title, body=body)), TEXTS, TEXTS),
    st.builds(lambda label: ("issues", payloads.thread("labeled", label={"name": label})), LABELS),
    st.builds(lambda label: ("pull_request", on_pull(labelled_pull(label))), LABELS),
    st.sampled_from(["ay", "Ay-Bot", "ay-bot[bot]", "github-actions[bot]", "bob"]).map(
        lambda login: ("issues", payloads.thread("assigned", assignee=payloads.user(login)))
    ),
    st.just(("schedule", {"schedule": "1 1 * * *"})),
    st.just(("workflow_dispatch", {"inputs": None, "repository": payloads.REPOSITORY, "sender": payloads.user()})),
    st.just(
        (
            "repository_dispatch",
            {"action": "ay", "client_payload": {}, "repository": payloads.REPOSITORY, "sender": payloads.user()},
        )
    ),
)


def labelled_pull(label: str) -> dict[str, Any]:
    return payloads.thread("labeled", on="pull_request", label={"name": label})


def on_pull(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "pull_request": {**event["pull_request"], **HERE}}


def line_comment(text: str) -> dict[str, Any]:
    event = on_pull(payloads.review(text))
    return {**event, "action": "created", "comment": event.pop("review")}


@pytest.mark.parametrize("file", BOTS, ids=lambda path: path.stem)
@settings(max_examples=150, deadline=None)
@given(EVENTS)
def test_the_filter_lets_through_all_that_the_gate_would(file: Path, happened: tuple[str, dict[str, Any]]) -> None:
    name, event = happened
    assert name in workflow(file)[True]
    decision = decide(name, event, Rules(), lambda _: Standing("admin", "admin")).decision
    hypothesis.event(decision)
    if decision != Outcome.IGNORE:
        assert holds(first_job(file)["if"], contexts(name, event))


@pytest.mark.parametrize("file", BOTS, ids=lambda path: path.stem)
def test_other_comments_start_no_job(file: Path) -> None:
    condition = first_job(file)["if"]
    assert holds(condition, contexts("issue_comment", comment("/ay review")))
    assert not holds(condition, contexts("issue_comment", comment("Thanks, that helps")))
    assert not holds(condition, contexts("issue_comment", comment("<!-- ay-bot:v1 --> say `@ay retry`")))
    assert holds(condition, contexts("pull_request", on_pull(labelled_pull("ay:review"))))
    assert not holds(condition, contexts("pull_request", on_pull(labelled_pull("bug"))))
    assert not holds(condition, contexts("pull_request", labelled_pull("ay")))  # of a fork
    dispatch = contexts("workflow_dispatch", {"inputs": {}})
    assert holds(condition, dispatch)
    dispatch["github"]["ref"] = "refs/heads/somebodys"
    assert not holds(condition, dispatch)


@pytest.mark.parametrize("file", BOTS, ids=lambda path: path.stem)
def test_requests_wait_for_their_thread_alone_and_stop_waits_for_nobody(file: Path) -> None:
    for job in jobs(file).values():
        assert job["concurrency"]["cancel-in-progress"] is False

        def group(event: dict[str, Any], name: str = "issue_comment", job: dict[str, Any] = job) -> str:
            return fill(job["concurrency"]["group"], contexts(name, event))

        repository = {"repository": {"full_name": "o/r"}}
        here = group(comment("@ay fix this"))
        assert here == group(comment("@ay explain"))
        assert here != group(comment("@ay fix this", number=8))
        assert here != group(comment("Well.\n@ay stop"))
        assert here == group({**repository, "issue": {"number": 7}, "label": {"name": "ay"}}, "issues")
        assert here == group({**repository, "pull_request": {"number": 7}}, "pull_request_review")
        assert group({"schedule": "x"}, "schedule") == group({"inputs": {}}, "workflow_dispatch") != here
    groups = {
        name: fill(job["concurrency"]["group"], contexts("issue_comment", comment("@ay")))
        for name, job in jobs(file).items()
    }
    assert len(set(groups.values())) == len(groups), "a job would wait for the run that it belongs to"
    assert "concurrency" not in workflow(file)


def test_the_hardened_pair_shares_no_power() -> None:
    work, publish = jobs(ROOT / "docs" / "workflows" / "two-jobs.yml").values()
    assert set(work["permissions"].values()) == {"read"}
    assert "secrets." not in json.dumps(publish)
    assert publish["needs"] == "work"
    steps = {step["uses"].split("@")[0]: step for step in (*work["steps"], *publish["steps"])}
    assert steps["actions/download-artifact"]["with"]["artifact-ids"] == "${{ needs.work.outputs.bundle }}"
    modes = [step["with"]["mode"] for job in (work, publish) for step in job["steps"] if "/ay-bot@" in step["uses"]]
    assert modes == ["work", "publish"]


@pytest.mark.parametrize(
    ("decision", "status", "expected"),
    [("run", "success", True), ("run", "failure", True), ("ignore", "success", False), ("run", "cancelled", False)],
)
def test_publish_follows_whatever_work_came_to(decision: str, status: str, expected: bool) -> None:
    job = jobs(ROOT / "docs" / "workflows" / "two-jobs.yml")["publish"]
    given = {"needs": {"work": {"outputs": {"decision": decision, "bundle": "1"}}}}
    assert holds(job["if"], given, status) is expected
