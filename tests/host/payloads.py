"""Payloads of GitHub's events, as small as the gate accepts them."""

from typing import Any

Payload = dict[str, Any]
REPOSITORY = {"full_name": "octo/spoon"}


def user(login: str = "alice", kind: str = "User") -> Payload:
    return {"login": login, "id": 1, "type": kind}


def issue_comment(
    body: str = "@ay fix this", author: Any = "alice", sender: str = "alice", action: str = "created", **issue: Any
) -> Payload:
    return {
        "action": action,
        "issue": {"number": 7, "title": "Broken", "body": "", "user": user("mallory"), **issue},
        "comment": {"id": 99, "body": body, "user": user(author) if isinstance(author, str) else author},
        "repository": REPOSITORY,
        "sender": user(sender),
    }


def review(body: str | None = "@ay fix this", author: str = "alice", sender: str = "alice") -> Payload:
    return {
        "action": "submitted",
        "pull_request": {"number": 8, "user": user("mallory")},
        "review": {"id": 5, "body": body, "user": user(author)},
        "repository": REPOSITORY,
        "sender": user(sender),
    }


def thread(
    action: str = "opened", on: str = "issue", author: str = "alice", sender: Any = "alice", **more: Any
) -> Payload:
    texts = {key: more.pop(key) for key in ("title", "body") if key in more}
    return {
        "action": action,
        on: {"number": 7, "title": "Broken", "body": None, "user": user(author), **texts},
        "repository": REPOSITORY,
        "sender": user(sender) if isinstance(sender, str) else sender,
        **more,
    }
