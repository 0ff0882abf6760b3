"""What is on a branch that we are about to write to: nothing, our own work, or somebody else's."""

from dataclasses import dataclass

from ay_bot.host.github.authorship import find_others, request_of
from ay_bot.host.github.forge import Commit, Forge


@dataclass(frozen=True)
class Absent:
    """There is no such branch."""


@dataclass(frozen=True)
class AtBase:
    """The branch is there and holds nothing that the base doesn't hold."""

    head: str


@dataclass(frozen=True)
class Ours:
    """Every commit on the branch is ours."""

    commits: tuple[Commit, ...]

    @property
    def head(self) -> Commit:
        """The newest commit."""
        return self.commits[-1]


@dataclass(frozen=True)
class Edited:
    """Somebody else's commits are on the branch."""

    head: str
    by: tuple[str, ...]


BranchState = Absent | AtBase | Ours | Edited


def look_at_branch(forge: Forge, branch: str, base: str) -> BranchState:
    """Return what the branch holds beside `base`."""
    head = forge.branch(branch)
    if head is None:
        return Absent()
    if head == base:
        return AtBase(head)
    return judge_commits(tuple(forge.commits(base, head)), head, forge.own_login())


def judge_commits(commits: tuple[Commit, ...], head: str, own: str) -> AtBase | Ours | Edited:
    """Return whose work the commits are, oldest first, that end in `head`."""
    if not commits:
        return AtBase(head)
    others = find_others(commits, own)
    if others:
        return Edited(head, others)
    return Ours(commits)


def made_for(commits: tuple[Commit, ...], key: str, own: str) -> Commit | None:
    """Return the newest commit of ours for a request."""
    return next((commit for commit in reversed(commits) if request_of(commit, own) == key), None)
