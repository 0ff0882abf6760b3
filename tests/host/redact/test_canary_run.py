"""A whole run whose agent carries a canary outside: it ends, nothing is published, and the channel is told."""

import pytest

from ay_bot.errors import ExitCode
from tests.host import test_pipeline
from tests.host.test_pipeline import FINISH, MEND, Script

run, repository = test_pipeline.run, test_pipeline.repository

KEY = "$AY_BOT_MODEL_KEY"
TOKEN = "$AY_BOT_PUBLISHING_TOKEN"


def shell(command):
    return [("shell", {"command": command})]


def test_an_agent_that_looks_at_its_environment_is_let_go_on(run):
    result, _, events = run(Script(shell("env; printenv | rev"), MEND, FINISH))
    assert result.status == "verified"
    assert not [event for event in events if "sk-proj-" in str(event)]


@pytest.mark.parametrize(
    ("command", "channel"),
    [
        (f"echo {KEY} > notes.txt", "the changed file `notes.txt`"),
        (f"(printf '# '; printf %s {TOKEN} | base64 -w0) >> sums.py", "the changed file `sums.py`"),
        (f"printf %s {TOKEN} | rev > notes.txt", "the changed file `notes.txt`"),
        (f"printf %s {KEY} | cut -c1-20 | od -An -tx1 > notes.txt", "the changed file `notes.txt`"),
        (f"touch $(printf %s {TOKEN} | tr a-z A-Z).txt", "the name of a file"),
    ],
)
def test_at_21_at_28_a_canary_in_the_tree_ends_the_run(run, repository, tmp_path, command, channel):
    result, diff, _ = run(Script(MEND, shell(command), FINISH), branch="fix")
    assert (result.status, result.exit_code) == ("refused", ExitCode.CHANGE_REFUSED)
    assert result.reason.startswith(f"a canary was found in {channel}: ")
    assert (result.branch, result.commit, result.pull_request) == ("", "", None)
    assert not (repository / ".git/refs/heads/fix").exists()
    written = diff + "".join(path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert "sk-proj-" not in written
    assert "ghp_" not in written


@pytest.mark.parametrize("sink", ["the summary", "the commit message"])
def test_at_28_a_canary_in_what_is_said_ends_the_run(run, sink):
    """The agent has read it, so it can say it: here the words are made of what the box printed."""

    class Parrot(Script):
        def ask(self, request, on_progress, **when):
            if seen := [word for each in request.messages for word in str(each.content).split() if "sk-proj-" in word]:
                said = seen[-1].partition("sk-proj-")[2][:40][::-1]
                self.message = f"fix: it\n\nIt needs {said}" if sink == "the commit message" else "fix: it"
                if sink == "the summary":
                    self.turns[-1] = [("finish", {"summary": f"Done, {said}"})]
            return super().ask(request, on_progress, **when)

    result, _, _ = run(Parrot(shell(f"echo key: {KEY}"), MEND, FINISH))
    assert (result.status, result.exit_code) == ("refused", ExitCode.CHANGE_REFUSED)
    assert result.reason.startswith(f"a canary was found in {sink}: ")
    assert result.summary == "" or sink == "the commit message"
