"""GitHub's answers as values: tolerant of what we don't know, exact about what we use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from ay_bot.errors import GithubFailed
from ay_bot.host.github.forge import Association, Comment, CommentKind, Issue, Person, Pull

GHOST: Final = "ghost"
"""Whom GitHub shows where an account is gone."""


class Answer(BaseModel):
    """The base of everything that is read from GitHub."""

    model_config = ConfigDict(frozen=True, extra="ignore")


A = TypeVar("A", bound=Answer)


def parse_answer(model: type[A], answer: object) -> A:
    """Read one object. Raises GithubFailed where it lacks what we need."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        what = model.__name__.removesuffix("Answer").lower()
        raise GithubFailed(f"GitHub's answer about a {what} makes no sense: see `{where}`") from None


class AccountAnswer(Answer):
    """A user, an organisation or a bot; a gone one has no login."""

    login: str = GHOST
    type: str = "User"


class RepositoryNameAnswer(Answer):
    """A repository, by name."""

    full_name: str


class RightsAnswer(Answer):
    """What the token's owner may do."""

    push: bool = False


class RepositoryAnswer(Answer):
    """A repository."""

    full_name: str
    default_branch: str
    private: bool = True
    html_url: str
    clone_url: str
    permissions: RightsAnswer = RightsAnswer()


class PermissionAnswer(Answer):
    """What an account may do."""

    permission: str
    role_name: str = ""


class LabelAnswer(Answer):
    """A label."""

    name: str


class IssueAnswer(Answer):
    """An issue, or the thread of a pull request."""

    number: int
    title: str
    body: str | None = None
    user: AccountAnswer | None = None
    author_association: str = "NONE"
    state: str
    labels: tuple[LabelAnswer | str, ...] = ()
    html_url: str = ""
    updated_at: datetime
    pull_request: dict[str, object] | None = None

    def value(self) -> Issue:
        """Return it as our callers know it."""
        return Issue(
            number=self.number,
            kind="issue" if self.pull_request is None else "pull_request",
            title=self.title,
            body=self.body or "",
            author=person(self.user, self.author_association),
            is_open=self.state == "open",
            labels=names_of(self.labels),
            url=self.html_url,
            updated=self.updated_at,
        )


class EndAnswer(Answer):
    """One side of a pull request."""

    ref: str
    sha: str
    repo: RepositoryNameAnswer | None = None


class PullAnswer(Answer):
    """A pull request; lists of them lack some of this."""

    number: int
    title: str
    body: str | None = None
    user: AccountAnswer | None = None
    author_association: str = "NONE"
    state: str
    merged: bool = False
    merged_at: datetime | None = None
    draft: bool = False
    html_url: str = ""
    head: EndAnswer
    base: EndAnswer
    maintainer_can_modify: bool = False
    labels: tuple[LabelAnswer | str, ...] = ()

    def value(self) -> Pull:
        """Return it as our callers know it."""
        return Pull(
            number=self.number,
            title=self.title,
            body=self.body or "",
            author=person(self.user, self.author_association),
            is_open=self.state == "open",
            merged=self.merged or self.merged_at is not None,
            draft=self.draft,
            url=self.html_url,
            head_repository=self.head.repo.full_name if self.head.repo else None,
            head_branch=self.head.ref,
            head=self.head.sha,
            base_branch=self.base.ref,
            base=self.base.sha,
            maintainer_can_modify=self.maintainer_can_modify,
            labels=names_of(self.labels),
        )


class CommentAnswer(Answer):
    """A comment, a review, or a comment on a line."""

    id: int
    node_id: str = ""
    user: AccountAnswer | None = None
    author_association: str = "NONE"
    body: str | None = None
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    updated_at: datetime | None = None
    html_url: str = ""
    path: str = ""
    line: int | None = None
    original_line: int | None = None
    diff_hunk: str = ""
    commit_id: str | None = None
    state: str = ""
    in_reply_to_id: int | None = None

    def value(self, kind: CommentKind, edited: datetime | None = None) -> Comment:
        """Return it as our callers know it."""
        written = self.created_at or self.submitted_at
        if written is None:
            raise GithubFailed(f"GitHub's answer about {kind} {self.id} says not when it was written")
        return Comment(
            id=self.id,
            kind=kind,
            author=person(self.user, self.author_association),
            body=self.body or "",
            created=written,
            edited=edited,
            url=self.html_url,
            path=self.path,
            line=self.line or self.original_line,
            hunk=self.diff_hunk,
            commit=self.commit_id or "",
            state=self.state,
            reply_to=self.in_reply_to_id,
        )


class EventAnswer(Answer):
    """Something that happened to a thread."""

    event: str = ""
    created_at: datetime | None = None
    label: LabelAnswer | None = None


def person(account: AccountAnswer | None, association: str = "NONE") -> Person:
    """Return an account with what it is to the repository."""
    found = account or AccountAnswer()
    known = next((name for name in associations() if name == association), "NONE")
    return Person(
        login=found.login,
        bot=found.type == "Bot" or found.login.endswith("[bot]"),
        association=known,
    )


def associations() -> Sequence[Association]:
    """Return every association that we know."""
    known: tuple[Association, ...] = get_args(Association)
    return known


def names_of(labels: Sequence[LabelAnswer | str]) -> tuple[str, ...]:
    """Return the names of labels, which GitHub gives in two forms."""
    return tuple(label if isinstance(label, str) else label.name for label in labels)
