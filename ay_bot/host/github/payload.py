"""What a request is read from of a webhook payload: little is required, since GitHub's versions differ."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from ay_bot.errors import UsageError


def clean_surrogates(value: object) -> object:
    """Return text without halves of characters, which JSON may hold and nothing else can; no text becomes none."""
    if value is None:
        return ""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _aware(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


Text = Annotated[str, BeforeValidator(clean_surrogates)]


class _Part(BaseModel):
    """A part of a payload: what isn't named here is not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class UserPart(_Part):
    """An account."""

    login: Text = "ghost"


class RepositoryPart(_Part):
    """A repository."""

    full_name: Text = ""


class EndPart(_Part):
    """The head or the base of a pull request."""

    sha: Text = ""
    ref: Text = ""
    repo: RepositoryPart | None = None


class NamedPart(_Part):
    """A label."""

    name: Text = ""


class WordsPart(_Part):
    """A comment, a review, or a comment on a line."""

    body: Text = ""
    html_url: Text = ""
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    path: Text = ""
    line: int | None = None
    original_line: int | None = None
    diff_hunk: Text = ""

    @property
    def made(self) -> datetime | None:
        """When it was written or, of a review, handed in."""
        return _aware(self.submitted_at or self.created_at)


class ThreadPart(_Part):
    """An issue or a pull request."""

    title: Text = ""
    body: Text = ""
    html_url: Text = ""
    user: UserPart | None = None
    author_association: Text = "NONE"
    created_at: datetime | None = None
    updated_at: datetime | None = None
    head: EndPart = EndPart()
    base: EndPart = EndPart()

    @property
    def made(self) -> datetime | None:
        """When it was opened."""
        return _aware(self.created_at)

    @property
    def changed(self) -> datetime | None:
        """When it was changed last."""
        return _aware(self.updated_at)


class Payload(_Part):
    """A payload of one of the events that ask for something on a thread."""

    issue: ThreadPart | None = None
    pull_request: ThreadPart | None = None
    comment: WordsPart | None = None
    review: WordsPart | None = None
    label: NamedPart | None = None
    assignee: UserPart | None = None


def parse_payload(payload: object) -> Payload:
    """Return what is needed of a payload. Raises UsageError where it is of another shape."""
    try:
        return Payload.model_validate(payload)
    except ValidationError as error:
        places = ", ".join(".".join(str(part) for part in found["loc"]) or "the whole" for found in error.errors()[:5])
        raise UsageError(
            f"the event's payload is not as GitHub writes it: {places}",
            hint="give the file that GITHUB_EVENT_PATH names, unchanged",
        ) from None
