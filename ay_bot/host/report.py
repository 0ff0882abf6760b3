"""The result of a run as others script against it: result.json, its schema, and the files of `--out`."""

import json
from pathlib import Path
from typing import Literal

from ay_bot.protocol.conversation import Usage, Value

Status = Literal["verified", "tests_failed", "refused", "no_change", "stopped", "error"]
Verdict = Literal[
    "fixed",
    "broken",
    "still_failing",
    "unchanged",
    "new",
    "new_unproven",
    "removed",
    "weakened",
    "flaky",
]


class PullRequest(Value):
    """The pull request as it would be opened."""

    title: str
    body: str
    draft: bool = False


class TestRow(Value):
    """One test: its outcome on the base commit and on the candidate, and what that means."""

    id: str
    base: str
    candidate: str
    verdict: str


class Verification(Value):
    """What the host saw when it ran the tests itself."""

    command: str
    image: str
    tests: tuple[TestRow, ...] = ()
    counts: dict[str, int] = {}
    notes: tuple[str, ...] = ()


class Withheld(Value):
    """A changed path that may not leave the box, and the rule that says so."""

    path: str
    rule: str


class Result(Value):
    """Everything that a run found out; the content of result.json."""

    status: Status
    reason: str
    exit_code: int
    version: str
    run: str
    repository: str = ""
    base: str = ""
    tree: str = ""
    branch: str = ""
    commit: str = ""
    task: str = ""
    model: str = ""
    sandbox: str = ""
    summary: str = ""
    rounds: int = 0
    commit_message: str = ""
    pull_request: PullRequest | None = None
    verification: Verification | None = None
    withheld: tuple[Withheld, ...] = ()
    review: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    usage: Usage = Usage()
    timings: dict[str, float] = {}


def result_schema() -> str:
    """Return the JSON schema of result.json, as it is committed under docs/."""
    return json.dumps(Result.model_json_schema(mode="serialization"), indent=2) + "\n"


class OutputDirectory:
    """The files of `--out`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.junit = path / "junit"

    def write(self, result: Result, diff: bytes) -> None:
        """Write result.json, change.diff and pull-request.md; events.jsonl and junit/ grow during the run."""
        (self.path / "result.json").write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (self.path / "change.diff").write_bytes(diff)
        if result.pull_request:
            text = f"# {result.pull_request.title}\n\n{result.pull_request.body.rstrip()}\n"
            (self.path / "pull-request.md").write_text(text, encoding="utf-8")
