"""What a publication is: why a change is published, where it goes, and what came of it."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from ay_bot.host.github.request import Request
from ay_bot.protocol.conversation import Value


class Occasion(Value):
    """Why something is published. `key` is the same however often this is tried; `made` dates the commit.

    `number` is the thread that hears of it, None for scheduled maintenance; `closes` the issue that a merge closes.
    """

    key: str
    task: str
    made: datetime
    number: int | None = None
    requester: str = ""
    closes: int | None = None
    run_url: str = ""


class NewBranch(Value):
    """A branch of our own, and a pull request from it. `base` is the commit that the change was made on.

    `in_place` belongs to maintenance: its branch is made anew for each new content, and a pull request that a person
    closed is a no to that content only.
    """

    branch: str
    base: str
    base_branch: str
    in_place: bool = False


class OntoPull(Value):
    """One more commit on the branch of a pull request of this repository; `base` is its head."""

    pull: int
    branch: str
    base: str
    base_branch: str


class Attached(Value):
    """No branch at all: the patch goes into a comment on the thread, for `reason`."""

    base: str
    base_branch: str
    reason: str


Destination = NewBranch | OntoPull | Attached


class Published(Value):
    """The change is on GitHub. `created` is False where all of it was there already; notes are for people.

    `title` and `body` are those of the pull request as it was opened now, empty where an earlier run did.
    """

    pull: int
    url: str
    branch: str
    commit: str
    created: bool
    draft: bool = False
    title: str = ""
    body: str = ""
    notes: tuple[str, ...] = ()


class NotPublished(Value):
    """The change is not in a pull request: why, what to do, and where it is now.

    `branch` is set where the commit could be pushed; `comment` is the address of the comment with the patch.
    """

    reason: str
    hint: str = ""
    branch: str = ""
    url: str = ""
    comment: str = ""
    notes: tuple[str, ...] = ()


class Pusher(Protocol):
    """Whoever pushes commits with git."""

    def push(self, git_dir: Path, commit: str, branch: str, expected: str | None) -> None:
        """Give the branch the commit, if it points at `expected` (None: if there is no such branch).

        Raises HeadMoved, NotAllowed, AnswerLost, or GithubFailed.
        """
        ...


def occasion_of(request: Request, *, run_url: str = "", close_issue: bool = True) -> Occasion:
    """Return the occasion that a request is; only the issue that it was made on is closed by it."""
    return Occasion(
        key=request.key,
        task=request.title,
        made=request.made,
        number=request.number,
        requester=request.requester,
        closes=request.number if close_issue and request.thread == "issue" else None,
        run_url=run_url,
    )
