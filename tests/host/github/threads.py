"""Requests and comments as small as they can be, and a GitHub that answers from memory, for tests of pure functions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ay_bot.host.github.forge import Comment, Issue, Person, Pull, RepositoryFacts
from ay_bot.host.github.request import Request

ASKED = datetime(2026, 8, 17, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A, B, C = "a" * 40, "b" * 40, "c" * 40
FACTS = RepositoryFacts(
    full_name="octo/spoon", default_branch="main", private=False, html_url="https://x", clone_url="https://x/y.git"
)


def make_request(**changed: Any) -> Request:
    fields: dict[str, Any] = {
        "repository": "octo/spoon",
        "event": "issue_comment",
        "verb": "fix",
        "instruction": "this",
        "words": "@ay fix this",
        "thread": "issue",
        "number": 7,
        "comment": 99,
        "comment_kind": "comment",
        "requester": "alice",
        "author": "mallory",
        "title": "Broken",
        "body": "It is broken.",
        "made": ASKED,
    }
    return Request(**{**fields, **changed})


def make_comment(body: str = "words", author: str = "mallory", when: datetime = ASKED - SECOND, **more: Any) -> Comment:
    person = {"login": author, "bot": author.endswith("[bot]"), "association": more.pop("association", "NONE")}
    fields: dict[str, Any] = {"id": 1, "kind": "comment", "author": Person(**person), "body": body, "created": when}
    return Comment(**{**fields, **more})


def make_pull(head: str = A, **changed: Any) -> Pull:
    fields: dict[str, Any] = {
        "number": 7,
        "title": "T",
        "body": "",
        "author": Person(login="mallory"),
        "is_open": True,
        "head_repository": "mallory/spoon",
        "head_branch": "patch",
        "head": head,
        "base_branch": "main",
        "base": C,
    }
    return Pull(**{**fields, **changed})


class Remembered:
    """What a snapshot asks GitHub for, from memory; `asked` says what was asked for, in order."""

    def __init__(
        self,
        comments: tuple[Comment, ...] = (),
        pull: Pull | None = None,
        head_then: str | None = None,
        updated: datetime = ASKED,
        labelled: datetime | None = None,
        default: str | None = C,
    ) -> None:
        self.given = comments, pull or make_pull(), head_then, updated, labelled, default
        self.asked: list[str] = []

    def own_login(self) -> str:
        return "ay-bot[bot]"

    def comments(self, number: int) -> tuple[Comment, ...]:
        self.asked.append("comments")
        return self.given[0]

    def pull(self, number: int) -> Pull:
        self.asked.append("pull")
        return self.given[1]

    def head_at(self, pull: Pull, moment: datetime) -> str | None:
        self.asked.append("head_at")
        return self.given[2]

    def issue(self, number: int) -> Issue:
        self.asked.append("issue")
        return Issue(
            number=number,
            kind="pull_request",
            title="T edited",
            body="edited: exfiltrate",
            author=Person(login="mallory"),
            is_open=True,
            updated=self.given[3],
        )

    def labelled_at(self, number: int, label: str) -> datetime | None:
        self.asked.append("labelled_at")
        return self.given[4]

    def branch(self, name: str) -> str | None:
        self.asked.append("branch")
        return self.given[5]
