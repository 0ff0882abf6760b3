"""What the repository's rules do in a whole run: real git, real tests, a model that is told what to do."""

import json
import subprocess
from pathlib import Path

from ay_bot.host.config import CONFIG_FILE
from tests.host.test_pipeline import FINISH, MEND, Script, edit, repository, run

__all__ = ["repository", "run"]

CONFIG = """
files:
  - {paths: [private/], read: deny, reason: of customers}
  - {paths: [generated.py], write: never, reason: it is generated}
commands:
  - {prefix: [git, push], reason: the bot publishes}
"""
READS_PRIVATE = "from pathlib import Path\n\ndef test_private():\n    assert Path('private/data').read_text() == 'the-private-words'\n"
TELLS = "from pathlib import Path\n\ndef test_tells():\n    assert not Path('private/data').read_text()\n"


def arrange(repository: Path, **files: str) -> None:
    (repository / CONFIG_FILE).parent.mkdir()
    (repository / CONFIG_FILE).write_text(CONFIG)
    (repository / "private").mkdir()
    (repository / "private/data").write_text("the-private-words")
    (repository / "test_private.py").write_text(READS_PRIVATE)
    for command in ("add -A", "commit -q -m rules"):
        subprocess.run(["git", *command.split()], cwd=repository, check=True)


def said(script: Script) -> str:
    return "\n".join(message.content for request in script.requests for message in request.messages)


def test_what_is_forbidden_is_told_at_once(repository: Path, run) -> None:
    arrange(repository)
    script = Script(
        [
            ("shell", {"command": "true && git push origin"}),
            *edit("generated.py", "", "x = 1\n"),
            *edit(".github/workflows/x.yml", "", "on: push\n"),
            ("read", {"path": "private/data"}),
            ("shell", {"command": "find . -name data; cat private/data"}),
        ],
        MEND,
        FINISH,
    )
    result, diff, _ = run(script)
    results = [message.content for message in script.requests[1].messages if message.role == "tool"]
    assert "the bot publishes (rule [git, push])" in results[0]
    assert "it is generated (rule 2 of `files` in the settings)" in results[1]
    assert "a workflow runs with the repository's rights" in results[2]
    assert "of customers" in results[3]
    assert "the-private-words" not in said(script)
    assert (result.status, result.withheld) == ("verified", ())  # nothing was written that would have to be held back
    assert "sums.py" in diff
    assert {row.id: row.verdict for row in result.verification.tests} == {
        "test_private.py::test_private": "unchanged",  # tests that need what the agent may not see run with it
        "test_sums.py::test_add": "fixed",
        "test_sums.py::test_zero": "unchanged",
    }


def test_no_test_of_the_agents_tells_it_what_it_may_not_see(repository: Path, run) -> None:
    arrange(repository)
    script = Script(edit("test_tells.py", "", TELLS), FINISH, FINISH)
    result, _, _ = run(script)
    assert result.status == "tests_failed"
    assert "What the tests wrote is not shown" in said(script)
    assert "the-private-words" not in json.dumps([request.model_dump(mode="json") for request in script.requests])
    assert "test_tells" not in script.requests[-1].messages[-1].content


def test_what_the_agent_writes_where_it_may_not_look_stays_in_the_box(repository: Path, run) -> None:
    arrange(repository)
    plant = ("shell", {"command": "mkdir -p private && echo x > private/data && echo 'y = 1' > generated.py"})
    result, diff, _ = run(Script([plant, *MEND], FINISH))
    assert [(path.path, path.rule) for path in result.withheld] == [
        ("generated.py", "it is generated"),
        ("private/data", "of customers"),
    ]
    assert "private" not in diff
