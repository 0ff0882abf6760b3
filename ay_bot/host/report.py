"""The result of a run as others script against it: result.json and its schema."""

import json
from typing import Literal

from ay_bot.host.sandbox.guarantees import Weakness
from ay_bot.protocol.conversation import Usage, Value
from ay_bot.protocol.outputs import Output

Status = Literal["verified", "answered", "tests_failed", "refused", "no_change", "stopped", "error"]


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


class SuiteRun(Value):
    """One run of the tests on one tree."""

    purpose: str
    tree: str
    ending: str
    seconds: float
    passed: int
    failed: int
    skipped: int


class Verification(Value):
    """What the host saw when it ran the tests itself. `per_test` is False where only exit codes could be compared."""

    command: str
    image: str
    per_test: bool = True
    tests: tuple[TestRow, ...] = ()
    counts: dict[str, int] = {}
    runs: tuple[SuiteRun, ...] = ()
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
    weaknesses: tuple[Weakness, ...] = ()
    summary: str = ""
    rounds: int = 0
    commit_message: str = ""
    pull_request: PullRequest | None = None
    url: str = ""
    outputs: tuple[Output, ...] = ()
    verification: Verification | None = None
    withheld: tuple[Withheld, ...] = ()
    review: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    usage: Usage = Usage()
    timings: dict[str, float] = {}


def result_schema() -> str:
    """Return the JSON schema of result.json, as it is committed under docs/."""
    return json.dumps(Result.model_json_schema(mode="serialization"), indent=2) + "\n"
