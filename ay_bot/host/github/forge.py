"""What the bot needs of GitHub: the values that it reads, and the one Protocol that asks and acts.

Values are frozen and tolerant of nothing unknown: the client builds them from whatever GitHub answers. A method of
`Forge` raises GithubFailed where GitHub refuses, and AnswerLost where a write may or may not have taken effect; a
write is sent once and never again by itself, since only its caller can look whether it is there already.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from ay_bot.host.permissions import Standing
from ay_bot.protocol.conversation import Value

ThreadKind = Literal["issue", "pull_request"]
Association = Literal[
    "OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN", "NONE"
]
Reaction = Literal["eyes", "+1", "-1", "confused", "rocket"]
StatusState = Literal["pending", "success", "failure", "error"]
CommentKind = Literal["comment", "review_comment", "review"]


class Person(Value):
    """An account, by its login (`name[bot]` for Apps); what GitHub says of it, never what a commit says."""

    login: str
    bot: bool = False
    association: Association = "NONE"


class RepositoryFacts(Value):
    """A repository: `full_name` is `owner/name`, `clone_url` its address for git."""

    full_name: str
    default_branch: str
    private: bool
    html_url: str
    clone_url: str
    can_push: bool = False


class Comment(Value):
    """A comment on a thread, or a review, or a comment on a line of a pull request; the three share these."""

    id: int
    kind: CommentKind
    author: Person
    body: str
    created: datetime
    edited: datetime | None = None
    url: str = ""
    path: str = ""
    line: int | None = None
    hunk: str = ""
    commit: str = ""
    state: str = ""
    """Of a review: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING."""
    reply_to: int | None = None
    """Of a line comment: the one that its thread began with."""


class Issue(Value):
    """An issue or the thread of a pull request, as it is now."""

    number: int
    kind: ThreadKind
    title: str
    body: str
    author: Person
    is_open: bool
    labels: tuple[str, ...] = ()
    url: str = ""
    updated: datetime


class Pull(Value):
    """A pull request as it is now. `head_repository` is None where the fork is gone."""

    number: int
    title: str
    body: str
    author: Person
    is_open: bool
    merged: bool = False
    draft: bool = False
    url: str = ""
    head_repository: str | None
    head_branch: str
    head: str
    base_branch: str
    base: str
    maintainer_can_modify: bool = False
    labels: tuple[str, ...] = ()


class Commit(Value):
    """A commit; author and committer are accounts as GitHub knows them, None where it knows none."""

    sha: str
    tree: str
    message: str
    author: str | None
    committer: str | None
    verified: bool = False
    parents: tuple[str, ...] = ()


class CheckRun(Value):
    """The outcome of one check or status of a commit: success, failure, pending, …"""

    name: str
    outcome: str
    url: str = ""


class NewFile(Value):
    """One file of a commit that is made over the API; only ordinary, non-executable files can be."""

    path: str
    content: bytes


class InlineComment(Value):
    """One remark of a review, on a line of the new side of the diff."""

    path: str
    line: int
    body: str


class Forge(Protocol):
    """GitHub, for one repository."""

    repository: str
    """`owner/name`."""
    requests: int
    """How many requests were sent so far."""

    # ------------------------------------------------------------------ reading

    def own_login(self) -> str:
        """Return the login that our comments and pull requests carry."""
        ...

    def facts(self) -> RepositoryFacts:
        """Return the repository's facts."""
        ...

    def standing(self, login: str) -> Standing | None:
        """Return permission, role and (for an App) whether it is installed; None where GitHub doesn't say."""
        ...

    def issue(self, number: int) -> Issue:
        """Return a thread."""
        ...

    def pull(self, number: int) -> Pull:
        """Return a pull request."""
        ...

    def pulls(self, *, head: str = "", state: Literal["open", "closed", "all"] = "all") -> Sequence[Pull]:
        """Return pull requests, newest first; `head` is a branch of this repository."""
        ...

    def comments(self, number: int) -> Sequence[Comment]:
        """Return a thread's comments, oldest first; on a pull request its reviews and line comments too."""
        ...

    def labelled_at(self, number: int, label: str) -> datetime | None:
        """Return when the label was last put on the thread."""
        ...

    def head_at(self, pull: Pull, moment: datetime) -> str | None:
        """Return what a pull request's head was just before a moment, by the record of pushes; None if it can't say.

        From the activities of the head's repository (`GET /repos/{}/{}/activity?ref=…`), whose times are the server's;
        a commit's own dates are its author's words. None too where the record doesn't end at `pull.head`.
        """
        ...

    def branch(self, name: str) -> str | None:
        """Return the commit that a branch points at, None where there is no such branch."""
        ...

    def commit(self, sha: str) -> Commit:
        """Return a commit."""
        ...

    def commits(self, base: str, head: str) -> Sequence[Commit]:
        """Return the commits that `head` has and `base` has not, oldest first, 250 at most."""
        ...

    def file(self, path: str, ref: str) -> bytes | None:
        """Return a file's content at a commit, None where there is none."""
        ...

    def checks(self, sha: str) -> Sequence[CheckRun]:
        """Return the checks and statuses of a commit."""
        ...

    def issues(self, *, creator: str = "", label: str = "", state: str = "open") -> Sequence[Issue]:
        """Return issues and pull requests' threads, newest first."""
        ...

    # ------------------------------------------------------------------ writing

    def react(self, kind: CommentKind | ThreadKind, target: int, reaction: Reaction) -> None:
        """React to a comment (by its id) or to a thread (by its number); the same reaction twice is one."""
        ...

    def add_comment(self, number: int, body: str) -> Comment:
        """Write a comment on a thread."""
        ...

    def edit_comment(self, comment: int, body: str) -> None:
        """Replace a comment's text."""
        ...

    def reply_to_review_comment(self, number: int, comment: int, body: str) -> Comment:
        """Answer a line comment of a pull request."""
        ...

    def create_branch(self, name: str, sha: str) -> None:
        """Make a branch."""
        ...

    def delete_branch(self, name: str) -> None:
        """Remove a branch."""
        ...

    def commit_on_branch(
        self, branch: str, expected_head: str, message: str, additions: Sequence[NewFile], deletions: Sequence[str]
    ) -> str:
        """Make a commit that GitHub signs (createCommitOnBranch) and return it. Raises HeadMoved."""
        ...

    def create_pull(self, *, title: str, body: str, head: str, base: str, draft: bool) -> Pull:
        """Open a pull request from a branch of this repository, or from `owner:branch`."""
        ...

    def edit_pull(
        self, number: int, *, title: str | None = None, body: str | None = None, is_open: bool | None = None
    ) -> None:
        """Change title, body or state of a pull request."""
        ...

    def create_issue(self, *, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """Open an issue."""
        ...

    def edit_issue(self, number: int, *, body: str | None = None, is_open: bool | None = None) -> None:
        """Change body or state of an issue."""
        ...

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Put labels on a thread."""
        ...

    def remove_label(self, number: int, label: str) -> None:
        """Take a label off a thread; none there is fine."""
        ...

    def request_reviewers(self, number: int, reviewers: Sequence[str], teams: Sequence[str]) -> None:
        """Ask people and teams for a review."""
        ...

    def add_assignees(self, number: int, assignees: Sequence[str]) -> None:
        """Assign people."""
        ...

    def set_status(self, sha: str, *, state: StatusState, context: str, description: str, url: str) -> None:
        """Set a commit status; description has 140 characters at most."""
        ...

    def create_review(self, number: int, *, commit: str, body: str, comments: Sequence[InlineComment]) -> Comment:
        """Write a review of the kind COMMENT with remarks on lines."""
        ...

    def cancel_workflow_run(self, run: int) -> bool:
        """Cancel a run of GitHub Actions; False where that is not allowed or it has ended."""
        ...
