"""Requests on a pull request of our own: its branch is continued, unless a person has pushed to it."""

from ay_bot.host.github.branch_name import is_own_branch
from ay_bot.host.github.branch_state import Edited, judge_commits
from ay_bot.host.github.exactly_once import is_own
from ay_bot.host.github.forge import Commit
from ay_bot.host.github.new_pull import refuse_edited
from ay_bot.host.github.publication import NotPublished
from ay_bot.host.github.request import Request


def is_own_pull(request: Request, head_branch: str, own: str) -> bool:
    """Whether a request was made on a pull request of ours: opened by our account, from a branch that only we name."""
    return request.thread == "pull_request" and is_own(request.author, own) and is_own_branch(head_branch)


def judge_follow_up(request: Request, branch: str, commits: tuple[Commit, ...], own: str) -> NotPublished | None:
    """Return why a branch of ours with these commits is not continued; nothing if it is.

    `rebase` goes on from whatever is there, and `retry` starts anew elsewhere; both are what a person is told to say.
    """
    if request.verb in ("rebase", "retry") or not request.writes_code:
        return None
    state = judge_commits(commits, commits[-1].sha if commits else "", own)
    return refuse_edited(branch, state) if isinstance(state, Edited) else None
