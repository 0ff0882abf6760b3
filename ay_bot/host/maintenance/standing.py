"""What can be known of a chore before any model is asked: whether its branch is somebody else's, or its answer was no.

What a person closed is a no until its content would change. The content is a model's, so it is judged by what it was
made from: the chore's own words, and the files that the closed pull request changed. While those are the same on the
default branch, it is not made again.
"""

import contextlib
from dataclasses import dataclass

from ay_bot.errors import GithubFailed, NotAllowed
from ay_bot.host.config import Chore, Publishing
from ay_bot.host.github.branch_state import BranchState, Edited, Ours, look_at_branch
from ay_bot.host.github.exactly_once import is_own
from ay_bot.host.github.forge import Commit, Forge, Pull
from ay_bot.host.github.new_pull import refuse_over_cap
from ay_bot.host.github.opening import Opening, find_pull
from ay_bot.host.github.pull_text import keys_in
from ay_bot.host.github.verified_status import attested, is_verified, set_verified
from ay_bot.host.maintenance.chores import key_of, paths_of
from ay_bot.host.maintenance.ground import Clone
from ay_bot.host.maintenance.record import ChoreEnd
from ay_bot.host.path_policy import is_among


@dataclass(frozen=True)
class Target:
    """What a chore works on: the commit `base`, for a pull request from `branch` into `base_branch`."""

    chore: Chore
    branch: str
    base: str
    base_branch: str
    clone: Clone

    @property
    def key(self) -> str:
        """Return what this piece of work is known by."""
        return self.key_at(self.base)

    def key_at(self, base: str) -> str:
        """Return what it would be known by at another commit."""
        return key_of(self.clone.ground.facts.full_name, self.chore, self.branch, base)


def judge_before(forge: Forge, target: Target, publishing: Publishing, *, asked: bool) -> ChoreEnd | None:
    """Return why nothing is to be done, None where there is; what a person asks for is done though it is up to date."""
    if whose := _find_work_of_others(look_at_branch(forge, target.branch, target.base), target.branch):
        return _blocked(whose, "merge or close what is there and delete the branch; then it is made anew")
    pull = find_pull(forge, target.branch)
    if pull and not is_own(pull.author.login, forge.own_login()):
        what = f"the branch {target.branch} has pull request #{pull.number} of {pull.author.login}"
        return _blocked(what, "close that, and remove the branch, if it is not needed")
    if pull and pull.is_open:
        return None if asked else _judge_open(forge, target, pull, publishing)
    if pull and not pull.merged and _is_no(forge, target, pull):
        what = f"pull request #{pull.number} was closed, which I take as a no until the files that it changed change"
        return _blocked(what, "reopen it to have it after all")
    if refusal := refuse_over_cap(forge, publishing):
        return _blocked(refusal.reason, refusal.hint)
    return None


def _find_work_of_others(state: BranchState, branch: str) -> str:
    """Return whose work is on a branch beside the chore's one commit."""
    match state:
        case Edited(by=by):
            return f"{', '.join(by)} pushed to {branch}, and I don't touch the work of others"
        case Ours(commits=(_, _, *_)):
            return f"more was asked for on the pull request of {branch}, and I don't undo that"
        case _:
            return ""


def _blocked(reason: str, hint: str) -> ChoreEnd:
    return ChoreEnd(outcome="blocked", reason=reason, hint=hint)


def _judge_open(forge: Forge, target: Target, pull: Pull, publishing: Publishing) -> ChoreEnd | None:
    """An open pull request is up to date if it was made by the same words from the same files."""
    commit = forge.commit(pull.head)
    if not _is_of_same_words(target, pull, commit):
        return None
    try:
        moved = _find_moved(target, commit, frozenset())
    except GithubFailed:  # whatever its branch is like, it can be made anew
        return None
    if moved:
        return None
    if target.clone.ground.connection.may_write:
        _finish(forge, pull, commit, publishing, target.clone.ground.run_url)
    return ChoreEnd(
        outcome="up_to_date", reason="", url=pull.url, branch=target.branch, keys=(target.key,)
    )  # fmt: skip


def _is_no(forge: Forge, target: Target, pull: Pull) -> bool:
    """Whether nothing has changed that a closed pull request was made from; where that can't be told it is a no."""
    try:
        commit = forge.commit(pull.head)
        if len(commit.parents) == 1 and not _is_of_same_words(target, pull, commit):
            return False
        target.clone.fetch_with_parent(commit.sha)
        changed = target.clone.changed(commit.parents[0], commit.sha) if commit.parents else frozenset[str]()
        return not (changed and _find_moved(target, commit, changed))
    except GithubFailed:
        return True


def _is_of_same_words(target: Target, pull: Pull, commit: Commit) -> bool:
    """Whether a pull request of ours was made for the chore as it is configured now, by the key in its text."""
    return any(target.key_at(parent) in keys_in(pull.body) for parent in commit.parents)


def _find_moved(target: Target, commit: Commit, among: frozenset[str]) -> bool:
    """Whether files differ between the commit that a change was made on and the one it would be made on now."""
    if target.base in commit.parents:
        return False
    target.clone.fetch_with_parent(commit.sha)
    patterns = paths_of(target.chore)
    moved = target.clone.changed(commit.parents[0], target.base)
    if among:
        return not moved.isdisjoint(among)
    return any(not patterns or is_among(path, patterns) for path in moved)


def _finish(forge: Forge, pull: Pull, commit: Commit, publishing: Publishing, run_url: str) -> None:
    """Put on it what a run that was killed could not."""
    verdict = attested(commit)
    if verdict is None or is_verified(forge, commit.sha):
        return
    Opening(forge, publishing).dress(pull)
    with contextlib.suppress(NotAllowed):
        set_verified(forge, commit.sha, verdict, run_url)
