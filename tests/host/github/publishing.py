"""A repository on the loopback GitHub, a clone of it, and proven changes that want to be published there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ay_bot.host.changes import VerifiedPatch, propose
from ay_bot.host.checkout import Checkout, open_checkout
from ay_bot.host.checks import CheckedPatch, verify
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.config import Publishing
from ay_bot.host.github.api import GithubForge, open_forge
from ay_bot.host.github.api_request import Pace
from ay_bot.host.github.branch_name import branch_name
from ay_bot.host.github.credentials import Token
from ay_bot.host.github.git_transport import Remote
from ay_bot.host.github.publication import (
    Destination,
    NewBranch,
    NotPublished,
    OntoPull,
    Published,
    occasion_of,
)
from ay_bot.host.github.publish import GithubPublisher
from ay_bot.host.github.request import Request
from ay_bot.host.junit import Report
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.suite import SuiteResult
from tests.host.git_repositories import finished
from tests.host.github.threads import ASKED
from tests.loopback_github.server import LoopbackGitHub

FILES = {"calc.py": "def add(a, b):\n    return a - b\n", "old.py": "x = 1\n", "docs/a.md": "words\n"}
FIX = {"calc.py": "def add(a, b):\n    return a + b\n", "docs/new.md": "more\n"}
OTHER_FIX = {"calc.py": "def add(a, b):\n    return sum((a, b))\n"}
MESSAGE = CommitMessage(subject="fix: add", body="It took away.")
QUICK = Pace(between_writes=0, backoff=0.01, limit_wait=0.01, timeout=5)
RUN = "https://github.example/maria/bank/actions/runs/1"
BOT = "github-actions[bot]"


@dataclass(frozen=True)
class Place:
    """Where a test publishes: `github` is the far side, the rest is what a run has."""

    github: LoopbackGitHub
    forge: GithubForge
    remote: Remote
    checkout: Checkout
    request: Request

    @property
    def base(self) -> str:
        return self.checkout.repository.head

    @property
    def branch(self) -> str:
        return branch_name(self.request)

    def publisher(self, destination: Destination | None = None, **changed: Any) -> GithubPublisher:
        made = GithubPublisher(
            self.forge,
            self.remote,
            occasion_of(self.request, run_url=RUN),
            destination or NewBranch(branch=self.branch, base=self.base, base_branch="main"),
            Publishing(),
            pause=lambda _: None,
        )
        return replace(made, **changed)

    def publish(self, changes: Mapping = FIX, deleted: tuple[str, ...] = ("old.py",), **changed: Any):
        checked = check(self.checkout, changes, deleted)
        return self.publisher(**changed).publish_change(self.checkout, checked, MESSAGE, "I mended it.")

    def with_forge(self, forge: Any, remote: Any = None) -> "Place":
        return replace(self, forge=forge, remote=remote or self.remote)

    def end(self) -> dict[str, Any]:
        """What is on GitHub that may be there once only."""
        pulls = self.github.pulls()
        return {
            "branches": sorted(name for name in self.github.branches() if name != "main"),
            "pulls": [
                (p.head_branch, p.base_branch, p.title, p.state, p.draft, tuple(sorted(p.labels))) for p in pulls
            ],
            "trees": [self.tree(p.head_branch) for p in pulls],
            "commits": [len(self.github.commits(p.head_branch, p.base_branch)) for p in pulls],
            "statuses": [(s["context"], s["state"]) for s in self.github.repository().statuses],
            "comments": {t.number: len(self.github.comments(t.number)) for t in self.github.threads()},
            "reviewers": [tuple(p.reviewers) for p in pulls],
        }

    def tree(self, branch: str) -> str:
        return str(self.github.commits(branch, branch + "^")[0]["tree"])


def check(checkout: Checkout, changes: Mapping, deleted: tuple[str, ...] = ()) -> CheckedPatch:
    """A change with a proof whose outcomes are made up."""
    message, body = finished(changes, deleted)
    patch = propose(checkout, checkout.repository.head, message, body, PathPolicy())
    assert isinstance(patch, VerifiedPatch), patch
    runner = _Scripted(checkout.tree_of(patch.base))
    checked = verify(runner, checkout, patch, runner.run(checkout.tree_of(patch.base), "baseline"), reruns=0)  # type: ignore[arg-type]
    assert isinstance(checked, CheckedPatch)
    return checked


class _Scripted:
    command = "pytest -q"

    def __init__(self, base: str) -> None:
        self.base = base

    def run(self, tree: str, purpose: Any) -> SuiteResult:
        outcome = "failed" if tree == self.base else "passed"
        report = Report(outcomes={"test_add": outcome}, details={})
        code = int(outcome == "failed")
        return SuiteResult(purpose=purpose, tree=tree, image="i", exit_code=code, seconds=1, output="", report=report)


@contextmanager
def open_place(
    github: LoopbackGitHub,
    directory: Path,
    *,
    permissions: Mapping[str, str] | None = None,
    clone_at: str = "",
    **request: Any,
) -> Iterator[Place]:
    """A run for an issue of `maria/bank`, or for a pull request at `clone_at`."""
    if not github.world.repositories:
        start(github)
    token = Token.of(github.add_actions_token(permissions))
    with open_forge("maria/bank", token, api_url=github.api_url, graphql_url=github.graphql_url, pace=QUICK) as forge:
        remote = Remote(f"{github.url}/maria/bank.git", lambda: token)
        with open_clone(remote, clone_at or github.branches()["main"], directory) as checkout:
            yield Place(github, forge, remote, checkout, ask(**request))


@contextmanager
def open_clone(remote: Remote, commit: str, directory: Path) -> Iterator[Checkout]:
    directory.mkdir(parents=True, exist_ok=True)
    repository = remote.clone_pinned(commit, directory / "pinned.git")
    scratch = directory / "scratch"
    scratch.mkdir()
    with open_checkout(repository, scratch) as checkout:
        yield checkout


def start(github: LoopbackGitHub) -> None:
    github.add_repository("maria/bank", FILES)
    github.add_user("maria", "admin")
    github.add_user("alice", "write")
    github.open_issue("Sums are wrong", "Help", login="alice")


def ask(**changed: Any) -> Request:
    fields: dict[str, Any] = {
        "repository": "maria/bank",
        "event": "issue_comment",
        "verb": "fix",
        "instruction": "this",
        "thread": "issue",
        "number": 1,
        "comment": 99,
        "comment_kind": "comment",
        "requester": "alice",
        "author": "alice",
        "title": "Sums are wrong",
        "body": "Help",
        "made": ASKED,
    }
    return Request(**{**fields, **changed})


def onto(place: Place, pull: int, branch: str) -> OntoPull:
    return OntoPull(pull=pull, branch=branch, base=place.base, base_branch="main")


def succeeded(outcome: Published | NotPublished) -> Published:
    assert isinstance(outcome, Published), outcome
    return outcome


def refused(outcome: Published | NotPublished) -> NotPublished:
    assert isinstance(outcome, NotPublished), outcome
    return outcome
