"""The whole story of a run, with real git and real tests; only the walls and the model's server are left out."""

import json
import subprocess
import threading
from pathlib import Path

import pytest

from ay_bot.errors import ExitCode
from ay_bot.host import pipeline
from ay_bot.host.config import Overrides
from ay_bot.host.event_log import EventLog
from ay_bot.host.findings import Order
from ay_bot.host.output import OutputDirectory
from ay_bot.host.publisher import DryRun, LocalBranch
from ay_bot.host.task import parse_task
from ay_bot.protocol.conversation import ToolCall, Usage
from ay_bot.protocol.messages import Configure, GatewayReady, ModelFailure, ModelReply, ModelRequest
from tests.fakes import LocalSandbox

BUG = "def add(a, b):\n    return a - b\n"
TESTS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q"  # the tests' own plugins would cost a second each time
FIX = "def add(a, b):\n    return a + b\n"
TEST = "from sums import add\n\ndef test_add():\n    assert add(2, 1) == 3\n\ndef test_zero():\n    assert add(0, 0) == 0\n"


class Script:
    """A gateway that says what it is told to, and counts."""

    secrets: tuple[str, ...] = ()

    def __init__(self, *turns: object, message: object = "fix: add instead of subtracting\n\nIt was a minus.") -> None:
        self.turns = list(turns)
        self.message = message
        self.configured: list[Configure] = []
        self.requests: list[ModelRequest] = []
        self.closed = threading.Event()

    def configure(self, configure: Configure) -> None:
        self.configured.append(configure)

    def wait_ready(self) -> GatewayReady:
        return GatewayReady()

    def close(self) -> None:
        self.closed.set()

    def ask(self, request: ModelRequest, on_progress: object, *, when_sent, when_slow) -> ModelReply | ModelFailure:
        self.requests.append(request)
        when_sent()
        turn = self.message if request.role == "weak" else self.turns.pop(0)
        usage = Usage(requests=1, prompt_tokens=10, completion_tokens=2, cost_usd=0.001)
        if isinstance(turn, str):
            return ModelReply(request_id=request.request_id, content=turn, usage=usage)
        if isinstance(turn, dict):
            return ModelFailure(request_id=request.request_id, **turn)
        calls = tuple(
            ToolCall(id=f"c{len(self.requests)}-{number}", name=name, arguments=json.dumps(arguments))
            for number, (name, arguments) in enumerate(turn)
        )
        return ModelReply(request_id=request.request_id, tool_calls=calls, finish_reason="tool_calls", usage=usage)


def edit(path: str, search: str, replace: str) -> list:
    return [("edit", {"path": path, "edits": [{"search": search, "replace": replace}]})]


FINISH = [("finish", {"summary": "Adds instead of subtracting."})]
MEND = edit("sums.py", "a - b", "a + b")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    (path / "sums.py").write_text(BUG)
    (path / "test_sums.py").write_text(TEST)
    for command in ("init -q -b main", "add -A", "commit -q -m start"):
        subprocess.run(["git", *command.split()], cwd=path, check=True)
    return path


@pytest.fixture
def run(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "choose", lambda *_, **__: (LocalSandbox(), ()))

    def run_it(script: Script, branch: str | None = None, **overrides: object):
        records: list = []
        settings = {"model": "openai/scripted", "test": TESTS, **overrides}
        publisher = LocalBranch(branch) if branch else DryRun()
        order = Order(repository, parse_task("add() subtracts"), Overrides(**settings), publisher=publisher)
        output = OutputDirectory(tmp_path / "out")
        result, diff = pipeline.run(order, EventLog("run1", (records.append,)), script, output)
        output.write(result, diff)
        return result, diff.decode(), [record.event for record in records]

    return run_it


def verdicts(result) -> dict[str, str]:
    return {row.id: row.verdict for row in result.verification.tests}


def test_a_fix_is_proven_and_described(run, tmp_path, repository):
    before = sorted((path, path.stat().st_mtime_ns) for path in repository.rglob("*"))
    result, diff, events = run(Script(MEND, FINISH))
    assert (result.status, result.exit_code) == ("verified", ExitCode.HANDLED)
    assert verdicts(result) == {"test_sums.py::test_add": "fixed", "test_sums.py::test_zero": "unchanged"}
    assert "+    return a + b" in diff
    assert result.commit_message.startswith("fix: add instead of subtracting\n\nIt was a minus.\n\nGenerated-by: ")
    assert result.pull_request.title == "fix: add instead of subtracting"
    assert "test_sums.py::test_add" in result.pull_request.body
    assert (result.usage.requests, result.usage.prompt_tokens) == (3, 30)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "change.diff", "junit", "pull-request.md", "result.json",
    ]  # fmt: skip
    assert len(list((tmp_path / "out/junit").iterdir())) >= 2
    assert events[-1].type == "run_finished"
    assert before == sorted((path, path.stat().st_mtime_ns) for path in repository.rglob("*"))


def test_a_wrong_fix_goes_back_once_and_the_second_is_proven(run):
    wrong = edit("sums.py", "a - b", "a * b")
    script = Script(wrong, FINISH, edit("sums.py", "a * b", "a + b"), FINISH)
    result, _, _ = run(script)
    assert (result.status, result.rounds) == ("verified", 2)
    told = script.requests[2].messages[-1].content
    assert "test_sums.py::test_add" in told


def test_a_fix_that_is_taken_back_leaves_nothing_in_the_result(run):
    script = Script(edit("sums.py", "a - b", "a * b"), FINISH, edit("sums.py", "a * b", "a - b"), FINISH)
    result, diff, _ = run(script)
    assert (result.status, result.rounds, result.tree, diff) == ("no_change", 2, "", "")


def test_without_repair_rounds_a_wrong_fix_fails(run):
    result, diff, _ = run(Script(edit("sums.py", "a - b", "a * b"), FINISH), repair_rounds=0)
    assert (result.status, result.exit_code, result.rounds) == ("tests_failed", ExitCode.TESTS_FAILED, 1)
    assert "a * b" in diff, "nothing is lost"
    assert result.pull_request is None


@pytest.mark.parametrize(
    ("cheat", "verdict"),
    [
        (edit("test_sums.py", "== 3", "== 1"), "weakened"),
        (edit("test_sums.py", "def test_add():\n    assert add(2, 1) == 3\n\n", ""), "removed"),
        ([("shell", {"command": "rm test_sums.py"})], "removed"),
        ([("shell", {"command": "printf 'collect_ignore = [\"test_sums.py\"]' > conftest.py"})], "removed"),
    ],
)
def test_a_cheat_is_caught(run, cheat, verdict):
    result, _, _ = run(Script(cheat, FINISH), repair_rounds=0)
    assert result.status == "tests_failed"
    assert verdict in {"weakened" if v == "still_failing" else v for v in verdicts(result).values()}


def test_no_change_is_told_as_such(run):
    result, diff, _ = run(Script(FINISH))
    assert (result.status, result.exit_code, diff) == ("no_change", ExitCode.NO_CHANGE, "")
    assert "Adds instead" in result.reason


def test_a_protected_file_alone_is_refused_and_the_agent_hears_why(run):
    script = Script(
        [("shell", {"command": "mkdir -p .github/workflows && echo on: push > .github/workflows/x.yml"})],
        FINISH,
        FINISH,
    )
    result, _, _ = run(script)
    assert (result.status, result.exit_code) == ("refused", ExitCode.CHANGE_REFUSED)
    assert [path.path for path in result.withheld] == [".github/workflows/x.yml"]
    assert "refused" in script.requests[2].messages[-1].content


def test_a_protected_file_beside_a_fix_is_withheld_and_makes_a_draft(run):
    script = Script([("shell", {"command": "echo '* @me' > CODEOWNERS"}), *MEND], FINISH)
    result, diff, _ = run(script)
    assert (result.status, result.pull_request.draft) == ("verified", True)
    assert "CODEOWNERS" not in diff
    assert [path.path for path in result.withheld] == ["CODEOWNERS"]


def test_a_branch_gets_exactly_the_proven_tree(run, repository):
    result, _, _ = run(Script(MEND, FINISH), branch="ay/fix")
    shown = subprocess.run(
        ["git", "rev-parse", "ay/fix^{tree}", "ay/fix^"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == [result.tree, result.base]
    assert (repository / "sums.py").read_text() == BUG, "the work tree is not touched"


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        ("authentication", "error", ExitCode.MODEL_FAILED),
        ("configuration", "error", ExitCode.USAGE),
        ("budget", "stopped", ExitCode.BUDGET_SPENT),
    ],
)
def test_a_model_that_fails_ends_the_run_with_its_words(run, cause, status, code):
    result, _, _ = run(Script({"cause": cause, "message": "no luck"}))
    assert (result.status, result.exit_code) == (status, code)


def test_what_was_changed_before_the_money_ran_out_is_still_proven(run):
    result, _, _ = run(Script(MEND, {"cause": "budget", "message": "spent"}))
    assert result.status == "verified"
    assert "--max-cost" in result.reason


def test_a_weak_model_that_fails_is_replaced_by_facts(run):
    result, _, _ = run(Script(MEND, FINISH, message={"cause": "timeout", "message": "slow"}))
    assert result.status == "verified"
    assert result.commit_message.startswith("fix")


def test_a_test_command_that_is_not_there_ends_the_run_at_once(run):
    result, _, _ = run(Script(FINISH), test="no-such-program --now")
    assert (result.status, result.exit_code) == ("error", ExitCode.USAGE)
    assert "no-such-program" in result.reason


def test_tests_that_never_end_prove_nothing(run, repository):
    config = repository / ".github/ay-bot.yml"
    config.parent.mkdir()
    config.write_text("test_timeout: 1\n")
    for command in ("add -A", "commit -q -m config"):
        subprocess.run(["git", *command.split()], cwd=repository, check=True)
    result, _, _ = run(Script(MEND, FINISH), test="sleep 60")
    assert (result.status, result.exit_code) == ("tests_failed", ExitCode.TESTS_FAILED)
    assert "before any change" in result.reason


def test_time_that_is_up_ends_model_and_boxes(run):
    class Slow(Script):
        def ask(self, request, on_progress, *, when_sent, when_slow):
            self.closed.wait(30)
            return ModelFailure(request_id=request.request_id, cause="timeout", message="closed")

    result, _, _ = run(Slow(), timeout=3)
    assert (result.status, result.exit_code) == ("stopped", ExitCode.BUDGET_SPENT)
    assert "--timeout" in result.reason


def test_a_set_up_that_fails_is_shown(run):
    result, _, _ = run(Script(FINISH), setup="echo no such compiler; exit 3")
    assert (result.status, result.exit_code) == ("error", ExitCode.USAGE)
    assert "no such compiler" in result.reason


def configure(repository: Path, text: str) -> None:
    (repository / ".github").mkdir()
    (repository / ".github/ay-bot.yml").write_text(text)
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "settings"], cwd=repository, check=True)


OBJECT = [("finish", {"summary": "OBJECT\nsums.py:2: what of text?"})]


def test_what_a_reviewer_objects_to_makes_a_draft_and_is_quoted(run, repository):
    configure(repository, "review: on\n")
    script = Script(MEND, FINISH, OBJECT, FINISH, OBJECT)
    result, _, events = run(script)
    assert (result.status, result.pull_request.draft) == ("verified", True)
    assert "> - `sums.py:2`: what of text?" in result.pull_request.body
    assert "The model that reviewed it objects" in result.pull_request.body
    assert [request.role for request in script.requests] == ["main", "main", "reviewer", "main", "reviewer", "weak"]
    assert [event.type for event in events].count("delegate_finished") == 2


def test_what_a_strict_reviewer_objects_to_is_refused(run, repository):
    configure(repository, "review: strict\n")
    result, diff, _ = run(Script(MEND, FINISH, OBJECT, FINISH, OBJECT))
    assert (result.status, result.exit_code, result.pull_request) == ("refused", ExitCode.CHANGE_REFUSED, None)
    assert "the reviewer objects (`review: strict`): what of text?" in result.reason
    assert "a + b" in diff


def test_what_nobody_approved_is_refused_where_somebody_must(run, repository):
    configure(repository, "review: strict\n")
    result, _, _ = run(Script(MEND, FINISH, [("finish", {"summary": "I can't say."})]))
    assert (result.status, result.exit_code) == ("refused", ExitCode.CHANGE_REFUSED)
    assert "no reviewer has approved the change" in result.reason


def test_what_a_reviewer_approves_is_published_as_ever(run, repository):
    configure(repository, "review: strict\n")
    result, _, _ = run(Script(MEND, FINISH, [("finish", {"summary": "APPROVE"})]))
    assert (result.status, result.pull_request.draft) == ("verified", False)
    assert "reviewing model" not in result.pull_request.body


def test_parts_of_the_work_are_done_by_others_at_once(run, repository):
    configure(repository, "delegation: on\n")

    class Parts(Script):
        lock = threading.Lock()
        together = threading.Barrier(2, timeout=30)
        looked: set[int] = set()

        def ask(self, request, on_progress, **more):
            if not request.agent:
                return super().ask(request, on_progress, **more)
            with self.lock:
                first = request.agent not in self.looked
                self.looked.add(request.agent)
            if first:
                self.together.wait()
            turn = [("read", {"path": "sums.py"})] if first else [("finish", {"summary": "it subtracts"})]
            with self.lock:
                self.turns.insert(0, turn)
                return super().ask(request, on_progress, **more)

    parts = [{"role": "explore", "task": "what does add do?"}, {"role": "explore", "task": "what tests it?"}]
    script = Parts([("delegate", {"tasks": parts})], MEND, FINISH)
    result, _, events = run(script)
    assert result.status == "verified"
    assert script.looked == {1, 2}
    assert {(event.agent, event.part) for event in events if event.type == "delegated"} == {
        (1, "explore"),
        (2, "explore"),
    }
    told = [request for request in script.requests if not request.agent][1].messages[-1].content
    assert told.count("it subtracts") == 2


def test_a_small_repository_has_no_map(run):
    script = Script(MEND, FINISH)
    run(script)
    assert "<map>" not in script.requests[0].messages[1].content
    assert set(script.requests[0].layers) == {"standing", "task", "instructions", "history"}


def test_an_agent_begins_with_a_map_and_files_if_the_settings_say_so(run, repository):
    configure(repository, "repository_map: on\nload: [sums.py]\nfiles:\n  - {paths: [vault.py], read: deny}\n")
    (repository / "vault.py").write_text("def open_vault(): pass\n")
    for command in ("add -A", "commit -q -m vault"):
        subprocess.run(["git", *command.split()], cwd=repository, check=True)
    script = Script(MEND, FINISH)
    result, _, events = run(script)
    assert result.status == "verified"
    first = script.requests[0].messages[1].content
    assert "test_sums.py:" in first
    assert "def test_add" in first
    assert BUG in first
    assert "vault" not in first
    assert script.requests[0].layers["map"] > 0
    asked = [event for event in events if event.type == "model_asked"]
    assert all(event.layers for event in asked), "requests on the host's behalf too"
    assert asked[0].layers["files"] == script.requests[0].layers["files"] > 0


def test_files_are_loaded_by_the_command_line_too(run):
    script = Script(MEND, FINISH)
    run(script, load=("sums.py",))
    assert BUG in script.requests[0].messages[1].content
    assert "<map>" not in script.requests[0].messages[1].content
    _, _, events = run(Script(MEND, FINISH), load=("/nowhere/else", "../up"))
    assert any("`load` names no file" in event.text for event in events if event.type == "noticed")


def test_a_run_goes_on_without_a_map_that_can_not_be_had(run, repository, monkeypatch):
    configure(repository, "repository_map: on\n")
    monkeypatch.setattr("ay_bot.host.context.planned.SECONDS", 0.0)
    script = Script(MEND, FINISH)
    result, _, events = run(script)
    assert result.status == "verified"
    assert any("without a map" in event.text for event in events if event.type == "noticed")


def test_a_window_of_two_million_tokens_is_filled_by_what_fits_best(run, repository):
    (repository / "data").mkdir()
    for number in range(60):
        (repository / "data" / f"{number:02}.txt").write_text(f"number {number} of many words\n" * 4_000)
    configure(repository, "max_context_tokens: 2000000\nload: [.]\nmax_tokens: 0\n")
    script = Script(MEND, FINISH)
    result, _, events = run(script)
    assert result.status == "verified"
    assert any("of 63 files: no more text fits" in event.text for event in events if event.type == "noticed")
    first = script.requests[0]
    assert 600_000 < first.layers["files"] <= 800_000
    assert BUG in first.messages[1].content, "what the task is about goes first"
    assert first.messages[1].content == script.requests[1].messages[1].content
