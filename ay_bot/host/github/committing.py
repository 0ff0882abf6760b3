"""One commit on one branch: made by GitHub or pushed, never twice, and read back to be the tree that was tested."""

import contextlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ay_bot.errors import AnswerLost, GithubFailed, HeadMoved
from ay_bot.host.checkout import Author, Checkout
from ay_bot.host.github.commit_choice import ApiCommit, GitCommit
from ay_bot.host.github.exactly_once import MOST_TRIES, Pause, find_or_create, look_again
from ay_bot.host.github.forge import Commit, Forge
from ay_bot.host.github.publication import Pusher


@dataclass(frozen=True)
class CommitPlan:
    """What the branch shall end in: one commit of `tree` on `base`. It points at `expected` now, None: it isn't there.

    An `expected` other than the base is replaced, which only git can do.
    """

    branch: str
    base: str
    expected: str | None
    tree: str
    message: str
    author: Author
    when: datetime
    how: ApiCommit | GitCommit


class Made(NamedTuple):
    """The commit, notes on how it was made, and whether that was now: nothing else can have been done with it yet."""

    commit: Commit
    notes: tuple[str, ...] = ()
    fresh: bool = True


class _Written(NamedTuple):
    sha: str
    fresh: bool = True


@dataclass(frozen=True)
class Committer:
    """Makes planned commits."""

    forge: Forge
    pusher: Pusher
    checkout: Checkout
    pause: Pause = time.sleep

    def commit(self, plan: CommitPlan) -> Made:
        """Return the commit, which has the planned tree and parent."""
        (sha, fresh), notes = self._choose_way(plan)
        commit = self.forge.commit(sha)
        if is_planned(commit, plan):
            return Made(commit, notes, fresh)
        if plan.expected is None:
            with contextlib.suppress(GithubFailed):
                self.forge.delete_branch(plan.branch)
        msg = (
            f"the commit {sha[:12]} on {plan.branch} has the tree {commit.tree[:12]}, not {plan.tree[:12]}, which was "
            "tested"
        )
        raise GithubFailed(msg, hint="nothing more was published; try again with `commits: git` in the settings")

    def _choose_way(self, plan: CommitPlan) -> tuple[_Written, tuple[str, ...]]:
        match plan.how:
            case GitCommit(reason=reason):
                note = f"The commit was pushed with git, so GitHub has not signed it: {reason}." if reason else ""
                return self._write(plan, None), (note,) if note else ()
            case ApiCommit() if plan.expected not in (None, plan.base):
                note = "The commit replaces an earlier one of ours and was pushed with git; GitHub has not signed it."
                return self._write(plan, None), (note,)
            case ApiCommit() as change:
                return self._try_api(plan, change)

    def _try_api(self, plan: CommitPlan, change: ApiCommit) -> tuple[_Written, tuple[str, ...]]:
        try:
            return self._write(plan, change), ()
        except (AnswerLost, HeadMoved):
            raise
        except GithubFailed as refusal:
            # What was made of the branch so far is at the base, and git can go on from there.
            at = self.forge.branch(plan.branch)
            written = self._write(_expecting(plan, at), None)
            note = f"GitHub did not make the commit ({refusal.message}); it was pushed with git and is not signed."
            return written, (note,)

    def _write(self, plan: CommitPlan, change: ApiCommit | None) -> _Written:
        for left in range(MOST_TRIES - 1, -1, -1):
            try:
                return _Written(self._send(plan, change))
            except AnswerLost:
                if (found := look_again(lambda: self._find(plan), self.pause)) is not None:
                    return _Written(found.sha)
                if not left:
                    raise
            except HeadMoved:
                # By an answer that was lost before, or by another delivery of the same request.
                if (found := self._find(plan)) is not None:
                    return _Written(found.sha, fresh=False)
                raise
        raise AssertionError  # the last try returns or raises

    def _send(self, plan: CommitPlan, change: ApiCommit | None) -> str:
        if change is None:
            sha = self.checkout.commit(plan.tree, plan.base, plan.message, plan.author, plan.when)
            self.pusher.push(self.checkout.git_dir, sha, plan.branch, plan.expected)
            return sha
        if plan.expected is None:
            self._make_branch(plan)
        return self.forge.commit_on_branch(plan.branch, plan.base, plan.message, change.additions, change.deletions)

    def _make_branch(self, plan: CommitPlan) -> None:
        def create() -> str:
            self.forge.create_branch(plan.branch, plan.base)
            return plan.base

        head, _ = find_or_create(lambda: self.forge.branch(plan.branch), create, look_first=False, pause=self.pause)
        if head != plan.base:
            raise HeadMoved(f"somebody else made the branch {plan.branch} at the same moment", hint="try again")

    def _find(self, plan: CommitPlan) -> Commit | None:
        """Return the planned commit if the branch ends in it; raise HeadMoved if it ends in something else."""
        head = self.forge.branch(plan.branch)
        if head is None or head in (plan.expected, plan.base):
            return None
        commit = self.forge.commit(head)
        if not is_planned(commit, plan):
            msg = f"the branch {plan.branch} is at {head[:12]} now, which is somebody else's work"
            raise HeadMoved(msg, hint="look at the branch, then ask again: `@ay retry`")
        return commit


def is_planned(commit: Commit, plan: CommitPlan) -> bool:
    """Whether a commit is the planned change."""
    return commit.tree == plan.tree and commit.parents == (plan.base,)


def _expecting(plan: CommitPlan, head: str | None) -> CommitPlan:
    if head not in (None, plan.base):
        msg = f"the branch {plan.branch} moved to {head} while the commit was made"
        raise HeadMoved(msg, hint="ask again: `@ay retry`")
    return CommitPlan(plan.branch, plan.base, head, plan.tree, plan.message, plan.author, plan.when, GitCommit(""))
