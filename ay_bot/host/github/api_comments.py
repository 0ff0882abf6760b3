"""Reading what was said on a thread, and when each word of it was last changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ay_bot.errors import GithubFailed
from ay_bot.host.github.api_answers import Answer, CommentAnswer, parse_answer
from ay_bot.host.github.api_reading import Reading
from ay_bot.host.github.forge import Comment, CommentKind, ThreadKind

_EDITS = """query Edits($ids: [ID!]!) {
  nodes(ids: $ids) {
    id
    ... on IssueComment { lastEditedAt }
    ... on PullRequestReview { lastEditedAt }
    ... on PullRequestReviewComment { lastEditedAt }
  }
}"""
_BATCH = 100
_MOST_PAGES = 30
"""GitHub takes 2,500 comments on a thread; the newest of them must not be missed."""


class _Edit(Answer):
    id: str
    lastEditedAt: datetime | None = None  # noqa: N815 - GraphQL's name


class Comments:
    """The comments of one repository's threads."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._kinds: dict[int, ThreadKind] = {}

    def learn_kind(self, number: int, kind: ThreadKind) -> None:
        """Remember what a thread is, which saves asking."""
        self._kinds[number] = kind

    def read(self, number: int) -> Sequence[Comment]:
        """Return everything that was said, oldest first.

        One request for an issue and three for a pull request; one more where a thread's kind is not known yet, and
        one where something may have been edited.
        """
        found = list(self._fetch(number))
        edits = self._edits([answer for kind, answer in found if _may_be_edited(kind, answer)])
        comments = [answer.value(kind, _edited(kind, answer, edits)) for kind, answer in found]
        return sorted(comments, key=lambda comment: (comment.created, comment.id))

    def _fetch(self, number: int) -> Iterator[tuple[CommentKind, CommentAnswer]]:
        if number not in self._kinds:
            self._kinds[number] = self._reading.issue(number).kind
        places: list[tuple[CommentKind, str]] = [("comment", f"issues/{number:d}/comments")]
        if self._kinds[number] == "pull_request":
            places += [("review", f"pulls/{number:d}/reviews"), ("review_comment", f"pulls/{number:d}/comments")]
        for kind, place in places:
            for found in self._reading.wire.pages(f"{self._reading.base}/{place}", most=_MOST_PAGES):
                answer = parse_answer(CommentAnswer, found)
                if answer.state != "PENDING":  # our own drafts, which nobody sees
                    yield kind, answer

    def _edits(self, suspects: Sequence[CommentAnswer]) -> Mapping[str, datetime | None]:
        """Return for each node when its text was last edited; what GitHub doesn't tell is left out."""
        identities = [answer.node_id for answer in suspects if answer.node_id]
        known: dict[str, datetime | None] = {}
        for begin in range(0, len(identities), _BATCH):
            try:
                nodes = self._reading.wire.query(_EDITS, ids=identities[begin : begin + _BATCH]).get("nodes")
            except GithubFailed:
                return known  # REST's own times are enough, if stricter
            found = [parse_answer(_Edit, node) for node in nodes if node] if isinstance(nodes, list) else []
            known |= {edit.id: edit.lastEditedAt for edit in found}
        return known


def _may_be_edited(kind: CommentKind, answer: CommentAnswer) -> bool:
    if kind == "review":  # REST says nothing about a review's later life
        return bool(answer.body)
    return answer.updated_at is not None and answer.updated_at != answer.created_at


def _edited(kind: CommentKind, answer: CommentAnswer, edits: Mapping[str, datetime | None]) -> datetime | None:
    """Return when the text was last edited; where that can't be known, the latest moment that it may have been."""
    if not _may_be_edited(kind, answer):
        return None
    if answer.node_id in edits:
        return edits[answer.node_id]
    return datetime.now(UTC) if kind == "review" else answer.updated_at
