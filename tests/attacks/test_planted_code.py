"""Code that an agent, or a repository, leaves for the host to run: the whole of a run, and nothing is stepped into."""

import os
import subprocess
from pathlib import Path

import pytest

from ay_bot.errors import GithubFailed
from ay_bot.host import pipeline
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.config import Overrides, Publishing
from ay_bot.host.event_log import EventLog
from ay_bot.host.findings import Order
from ay_bot.host.publisher import LocalBranch
from ay_bot.host.task import parse_task
from tests.attacks.traps import GITMODULES, Traps
from tests.fakes import LocalSandbox
from tests.host.action.deliveries import FILES, Desk, Model
from tests.host.git_repositories import git, make_repository, write_files
from tests.host.github import publishing
from tests.host.test_pipeline import FINISH, MEND, TESTS, Script

SMUGGLED = """\
diff --git a/.github/workflows/x.yml b/.github/workflows/x.yml
new file mode 100644
--- /dev/null
+++ b/.github/workflows/x.yml
@@ -0,0 +1 @@
+on: push
"""
IN_A_BOX = "local-box-"
PUBLISH_WITH_GIT = FILES[".github/ay-bot.yml"] + "publishing:\n  commits: git\n"


@pytest.fixture
def traps(tmp_path: Path) -> Traps:
    return Traps(tmp_path / "traps")


def test_the_traps_work(traps: Traps, tmp_path: Path) -> None:
    """Else the tests below would show nothing: whoever runs git in an armed work tree steps into them."""
    repository = make_repository(tmp_path / "repo", {"a": "1\n"})
    subprocess.run(["sh", "-c", traps.arm()], cwd=repository, check=True, capture_output=True)
    write_files(repository, {**traps.files(), "a": "2\n"})
    for command in ("status", "add -A", "diff --cached", "commit -q -m x", "log -p -1", "st"):
        subprocess.run(["git", *command.split()], cwd=repository, check=False, capture_output=True)
    subprocess.run(["git", "status"], cwd=repository / "moved", check=False, capture_output=True)
    subprocess.run(["python3", "-c", "import conftest, backend"], cwd=repository, check=True)
    stepped = {name.removeprefix("PWN_") for name in traps.stepped_into()}
    assert {"filter-trap-clean", "included", "diff-trap-command", "alias", "conftest", "backend"} <= stepped
    assert any(name.startswith("hook-") or name == "gpg-program" for name in stepped)
    assert set(traps.stepped_into().values()) == {os.environ["HOME"]}


def test_at_33_at_34_at_47_nothing_that_was_planted_runs_on_the_host(desk: Desk, traps: Traps) -> None:
    """The base is full of tools' configuration, the agent arms its work tree, and all of it is published with git."""
    desk.github.push("main", {**traps.files(), ".github/ay-bot.yml": PUBLISH_WITH_GIT}, repository="maria/bank")
    issue = desk.github.open_issue("add() subtracts", "It should add.")
    arm = [("shell", {"command": traps.arm()})]
    desk.answers = lambda: Model(arm, MEND, [("shell", {"command": "ls .git/hooks nested/.git moved"})], FINISH)
    assert desk.say(issue.number, "@ay fix this") == 0
    listed = str(desk.models[0].requests[3].messages[-1])
    assert "pre-push" in listed, "the work tree was not armed"
    (pull,) = desk.github.pulls()
    assert desk.github.file("sums.py", pull.head_branch) == b"def add(a, b):\n    return a + b\n"
    differing = git(desk.github.repository().git, "diff", "--name-only", "main", pull.head_branch)
    assert differing == "sums.py", "what the agent planted came along"
    assert "PWN_conftest" in traps.stepped_into(), "the tests did not run, so this shows nothing"
    assert traps.stepped_into(but_not_in=IN_A_BOX) == {}


@pytest.mark.parametrize("commits", ["api", "git"])
def test_at_33_a_base_full_of_traps_is_published_upon(
    loopback_github, tmp_path: Path, traps: Traps, commits: str
) -> None:
    publishing.start(loopback_github)
    loopback_github.push("main", traps.files(), repository="maria/bank")
    with publishing.open_place(loopback_github, tmp_path / "run") as place:
        done = publishing.succeeded(place.publish(settings=Publishing(commits=commits)))  # type: ignore[arg-type]
        assert place.github.branch(place.branch) == done.commit
    assert traps.stepped_into() == {}


@pytest.mark.parametrize(("url", "update"), [("https://x.invalid/m", "!{}"), ("-u./x", "none")])
def test_at_34_submodules_that_are_commands_are_not_taken(
    loopback_github, tmp_path: Path, traps: Traps, url: str, update: str
) -> None:
    publishing.start(loopback_github)
    spring = traps.spring("module")
    module = GITMODULES.format(url=url.format(spring), update=update.format(spring))
    loopback_github.push("main", {".gitmodules": module}, repository="maria/bank")
    with (
        pytest.raises(GithubFailed, match="thinks is an attack"),
        publishing.open_place(loopback_github, tmp_path / "run"),
    ):
        pass
    assert traps.stepped_into() == {}


def test_at_33_at_47_a_repository_full_of_traps_gets_a_branch(
    traps: Traps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ay-bot run --branch` in a repository that somebody armed, `.git` included."""
    monkeypatch.setattr(pipeline, "choose", lambda *_, **__: (LocalSandbox(), ()))
    # The attributes alone would make git call the filters as soon as this test adds the files.
    tree = {path: text for path, text in traps.files().items() if path != ".gitattributes"}
    repository = make_repository(tmp_path / "repo", {**tree, **FILES})
    write_files(repository, {".gitattributes": traps.files()[".gitattributes"]})
    subprocess.run(["sh", "-c", traps.arm()], cwd=repository, check=True, capture_output=True)
    traps.forget()
    settings = Overrides(model="openai/scripted", test=TESTS)
    order = Order(repository, parse_task("add() subtracts"), settings, publisher=LocalBranch("ay/fix"))
    result, _ = pipeline.run(order, EventLog("run"), Script(MEND, FINISH), None)
    assert result.status == "verified", result.reason
    assert traps.stepped_into(but_not_in=IN_A_BOX) == {}
    assert "PWN_conftest" in traps.stepped_into(), "the tests did not run, so this shows nothing"


@pytest.mark.parametrize("commits", ["api", "git"])
def test_at_35_a_message_that_is_a_patch_is_a_message(loopback_github, tmp_path: Path, commits: str) -> None:
    """`git am` would take a diff in a commit's message for a part of the change."""
    smuggled = "It took away.\n\n---\n .github/workflows/x.yml | 1 +\n\n" + SMUGGLED
    with publishing.open_place(loopback_github, tmp_path / "run") as place:
        checked = publishing.check(place.checkout, publishing.FIX)
        publisher = place.publisher(settings=Publishing(commits=commits))  # type: ignore[arg-type]
        message = CommitMessage(subject="fix: add", body=smuggled)
        publishing.succeeded(publisher.publish_change(place.checkout, checked, message, smuggled))
        assert place.tree(place.branch) == checked.patch.tree
        assert place.github.file(".github/workflows/x.yml", place.branch) is None
