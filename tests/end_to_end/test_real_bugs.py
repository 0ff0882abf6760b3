"""Real bugs of published packages, mended by a model that replays what upstream did, or cheats instead."""

import re
from pathlib import Path

import pytest
from bot_runs import Bot, fingerprint, git
from scripted_answers import COMMIT_MESSAGE, Answer, Call, call, finish, serve
from upstream_bugs import H11, MARKUPSAFE, PARSE, PATHSPEC, TABULATE, Bug, build_repository, download, fix_of

pytestmark = [pytest.mark.registry, pytest.mark.slow]

LOOK_FIRST = (call("run_tests"), call("shell", command="git status --short; ls"))


def look_at(bug: Bug) -> Answer:
    """Return an answer that reads the source and searches it, both in one go."""
    return Answer(
        (Call("read", {"path": bug.source, "start": 1, "end": 60}), Call("search", {"pattern": "def ", "path": "."}))
    )


@pytest.mark.parametrize("bug", [PATHSPEC, H11], ids=lambda bug: bug.name)
def test_failing_test_in_base_is_fixed(bug: Bug, sandbox: str, bot: Bot, sdists: Path, tmp_path: Path):
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=True)
    before = fingerprint(repository)
    issue = tmp_path / "issue.md"
    issue.write_text(f"# {bug.source} is wrong\n\nSee the failing test.\n")
    script = [
        *LOOK_FIRST,
        look_at(bug),
        fix_of(bug, sdists, bug.source).as_edit(),
        call("run_tests"),
        finish("Mended."),
    ]
    with serve(script) as model:
        options = {"api_base": model.api_base, "sandbox": sandbox, "test": bug.command}
        ended = bot.run(repository, task=None, issue=issue, **options)
    assert ended.exit_code == 0
    result = ended.result
    assert result["status"] == "verified"
    assert result["sandbox"] == sandbox
    assert result["base"] == git(repository, "rev-parse", "HEAD").strip()
    assert [ended.verdict(test) for test in bug.shown_by] == ["fixed"] * len(bug.shown_by)
    counts = {name: count for name, count in result["verification"]["counts"].items() if count}
    assert counts == {"fixed": 1, "unchanged": len(result["verification"]["tests"]) - 1}
    assert counts["unchanged"] > 70
    assert result["commit_message"].startswith("fix: do what the issue asks for\n")
    assert result["usage"]["requests"] == len(model.requests) == len(script) + 1
    assert ended.diff.count(b"diff --git") == 1
    assert bug.shown_by[0] in result["pull_request"]["body"]
    assert fingerprint(repository) == before


@pytest.mark.parametrize("bug", [MARKUPSAFE], ids=lambda bug: bug.name)
def test_existing_test_made_stricter(bug: Bug, sandbox: str, bot: Bot, sdists: Path, tmp_path: Path):
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=False)
    before = fingerprint(repository)
    source, tests = fix_of(bug, sdists, bug.source), fix_of(bug, sdists, bug.tests)
    with serve([look_at(bug), tests.as_edit(), call("run_tests"), source.as_patch(), call("run_tests")]) as model:
        ended = bot.run(repository, api_base=model.api_base, sandbox=sandbox, test=bug.command)
    assert ended.exit_code == 0
    assert ended.result["status"] == "verified"
    counts = ended.result["verification"]["counts"]
    assert not any(counts.get(bad) for bad in ("broken", "removed", "weakened", "still_failing"))
    assert ended.diff.count(b"diff --git") == 2
    assert "1 failed" in model.said_to_it(), "the model was not shown that the new test fails before the fix"
    assert fingerprint(repository) == before


def test_second_round_mends_what_the_first_left_open(sandbox: str, bot: Bot, sdists: Path, tmp_path: Path):
    bug = PARSE
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=False)
    before = fingerprint(repository)
    whole = fix_of(bug, sdists, bug.source)
    half = whole.without(lambda text: '"%f"' in text)
    rest = type(whole)(whole.path, half.after, whole.after)
    tests = fix_of(bug, sdists, bug.tests)
    script = [look_at(bug), half.as_edit(), tests.as_patch(), finish("Done!"), rest.as_patch(), finish("Done now.")]
    with serve(script) as model:
        ended = bot.run(repository, api_base=model.api_base, sandbox=sandbox, test=bug.command)
    assert ended.exit_code == 0
    result = ended.result
    assert result["status"] == "verified"
    assert result["rounds"] == 2
    assert [ended.verdict(test) for test in bug.shown_by] == ["new", "new"]
    candidates = [e for e in ended.events if e["type"] == "tests_ran" and e["purpose"] == "candidate"]
    assert [event["failed"] for event in candidates] == [1, 0]
    sessions = [e for e in ended.events if e["type"] == "phase_started" and e["phase"] == "session"]
    assert len(sessions) == 2
    assert "test_datetime_with_various_subsecond_precision" in str(model.requests[4]["messages"][-1])
    assert git_apply_gives(repository, ended.diff, tmp_path) == (download(bug.after, sdists) / bug.source).read_bytes()
    assert fingerprint(repository) == before


def git_apply_gives(repository: Path, diff: bytes, tmp_path: Path) -> bytes:
    """Return parse.py as change.diff makes it in a clone."""
    git(tmp_path, "clone", "-q", str(repository), "clone")
    (tmp_path / "change.diff").write_bytes(diff)
    git(tmp_path / "clone", "apply", "../change.diff")
    return (tmp_path / "clone" / PARSE.source).read_bytes()


@pytest.mark.bwrap
def test_no_second_round_when_none_is_allowed(bot: Bot, sdists: Path, tmp_path: Path):
    bug = PARSE
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=True)
    half = fix_of(bug, sdists, bug.source).without(lambda text: '"%f"' in text)
    with serve([half.as_edit(), finish()]) as model:
        ended = bot.run(repository, api_base=model.api_base, test=bug.command, repair_rounds=0)
    # One of two failing tests is fixed, the other fails as it did before: proven, and not more than that.
    assert ended.result["rounds"] == 1
    assert ended.verdict("test_parser_format") == "fixed"
    assert ended.verdict("test_datetime_with_various_subsecond_precision") == "still_failing"
    assert ended.result["status"] == "verified"


def test_upstream_switched_a_test_off(sandbox: str, bot: Bot, sdists: Path, tmp_path: Path):
    bug = TABULATE
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=False)
    before = fingerprint(repository)
    source, tests = fix_of(bug, sdists, bug.source), fix_of(bug, sdists, bug.tests)
    with serve([look_at(bug), source.as_edit(), tests.as_edit(), call("run_tests"), finish()]) as model:
        ended = bot.run(repository, api_base=model.api_base, sandbox=sandbox, test=bug.command, repair_rounds=0)
    assert ended.exit_code == 7
    assert ended.result["status"] == "tests_failed"
    assert ended.verdict("test_alignment_of_decimal_numbers_with_commas") in {"weakened", "broken"}
    assert ended.verdict(bug.shown_by[0]) == "new"
    changed = [line for line in ended.diff.splitlines(keepends=True) if re.match(rb"[+-](?![+-])", line)]
    assert changed
    assert all(line.endswith(b"\r\n") for line in changed), "the change does not keep the files' line ends"
    assert fingerprint(repository) == before


def cheats(source: str, name: str) -> dict[str, str]:
    """Return ways to make the test `name` stop failing without mending anything: the new text of its file."""
    body = re.search(rf"\tdef {name}\(self\):\n(?:\t\t.*\n|\n)*", source)
    assert body
    head = f"\tdef {name}(self):\n"
    return {
        "removed": source.replace(body.group(), ""),
        "weakened": source.replace(head, f"{head}\t\treturn\n"),
        "skipped": source.replace(head, f"\t@unittest.skip('flaky')\n{head}"),
    }


@pytest.mark.parametrize(
    ("cheat", "verdicts", "sandbox"),
    [
        pytest.param("removed", {"removed"}, "docker", marks=pytest.mark.docker),
        pytest.param("weakened", {"weakened"}, "bubblewrap", marks=pytest.mark.bwrap),
        pytest.param("skipped", {"weakened", "removed"}, "docker", marks=pytest.mark.docker),
    ],
)
def test_at_49_cheating_twin_is_caught(
    cheat: str, verdicts: set[str], sandbox: str, bot: Bot, sdists: Path, tmp_path: Path
):
    bug = PATHSPEC
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=True)
    before = fingerprint(repository)
    source = (repository / bug.tests).read_text()
    changed = type(fix_of(bug, sdists, bug.tests))(bug.tests, source, cheats(source, bug.shown_by[0])[cheat])
    with serve([changed.as_edit(), call("run_tests"), finish("All tests pass now.")]) as model:
        ended = bot.run(repository, api_base=model.api_base, sandbox=sandbox, test=bug.command, repair_rounds=0)
    assert ended.exit_code == 7
    result = ended.result
    assert result["status"] == "tests_failed"
    assert ended.verdict(bug.shown_by[0]) in verdicts
    assert bug.shown_by[0] in result["pull_request"]["body"] if result["pull_request"] else True
    assert any(result["verification"]["counts"].get(verdict) for verdict in verdicts)
    assert fingerprint(repository) == before


@pytest.mark.bwrap
def test_caught_cheat_goes_back_and_is_mended(bot: Bot, sdists: Path, tmp_path: Path):
    bug = PATHSPEC
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=True)
    undo = call("shell", command=f"cp /tmp/honest {bug.tests}")
    source = (repository / bug.tests).read_text()
    cheat = type(fix_of(bug, sdists, bug.tests))(bug.tests, source, cheats(source, bug.shown_by[0])["removed"])
    script = [
        call("shell", command=f"cp {bug.tests} /tmp/honest"),
        *(cheat.as_edit(), finish(), undo),
        *(fix_of(bug, sdists, bug.source).as_edit(), finish()),
    ]
    with serve(script) as model:
        ended = bot.run(repository, api_base=model.api_base, test=bug.command)
    assert ended.exit_code == 0
    assert ended.result["rounds"] == 2
    assert ended.verdict(bug.shown_by[0]) == "fixed"
    assert bug.tests.encode() not in ended.diff


@pytest.mark.docker
def test_branch_holds_one_commit_with_exactly_the_fix(bot: Bot, sdists: Path, tmp_path: Path):
    bug = PATHSPEC
    repository = tmp_path / bug.name
    build_repository(bug, sdists, repository, with_tests=True)
    before = fingerprint(repository)
    base = git(repository, "rev-parse", "HEAD").strip()
    with serve([fix_of(bug, sdists, bug.source).as_edit(), finish()]) as model:
        options = {"api_base": model.api_base, "sandbox": "docker", "test": bug.command}
        ended = bot.run(repository, branch="mended/by-bot", **options)
    assert ended.exit_code == 0
    assert ended.result["branch"] == "mended/by-bot"
    commit = git(repository, "rev-parse", "mended/by-bot").strip()
    assert ended.result["commit"] == commit
    assert git(repository, "rev-parse", f"{commit}^").strip() == base
    assert git(repository, "rev-parse", f"{commit}^{{tree}}").strip() == ended.result["tree"]
    assert git(repository, "diff", "--name-status", base, commit) == f"M\t{bug.source}\n"
    assert (
        git(repository, "show", f"{commit}:{bug.source}").encode()
        == (download(bug.after, sdists) / bug.source).read_bytes()
    )
    message = git(repository, "log", "-1", "--format=%B", commit)
    assert message.strip() == ended.result["commit_message"].strip()
    assert message.startswith(COMMIT_MESSAGE)
    subject, blank, *_ = message.splitlines()
    assert re.match(r"(feat|fix|docs|test|refactor|perf|build|ci|chore|style|revert)(\([^)]+\))?!?: \S", subject)
    assert len(subject) <= 72
    assert blank == ""
    assert re.search(r"^Generated-by: ay-bot ", message, re.MULTILINE)
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "rev-parse", "HEAD").strip() == base
    git(repository, "fsck", "--strict")
    kept = {path: state for path, state in fingerprint(repository).items() if "/.git" not in path}
    assert {path: state for path, state in before.items() if "/.git" not in path}.items() <= kept.items()
