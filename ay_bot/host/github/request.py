"""One request of a person on GitHub: what the gate let through, as of the moment when it was made."""

import hashlib
from datetime import datetime
from typing import Literal

from ay_bot.host.github.forge import CommentKind, ThreadKind
from ay_bot.protocol.conversation import Value

RequestVerb = Literal[
    "fix", "implement", "test", "review", "explain", "plan", "approve", "retry", "rebase", "stop", "help", "maintain"
]


class Anchor(Value):
    """The line of a pull request that a comment is about."""

    path: str
    line: int | None = None
    hunk: str = ""


class Request(Value):
    """Who asks for what, where. All text is as written, not sanitised.

    `verb` is None for free text. `made` is the trigger's moment; `title`, `body`, `head` and `base` are the thread's
    of that moment, from the payload: `head` and `base` are empty where the payload has none (comments on a pull
    request carry no commit).
    """

    repository: str
    event: str
    verb: RequestVerb | None
    instruction: str
    thread: ThreadKind
    number: int
    comment: int | None = None
    comment_kind: CommentKind | None = None
    requester: str
    author: str
    """Of the thread."""
    author_association: str = "NONE"
    title: str
    body: str
    made: datetime
    anchor: Anchor | None = None
    head: str = ""
    base: str = ""
    occasion: str = ""
    """What makes two events without a comment two requests: the label or assignee and its moment."""

    @property
    def key(self) -> str:
        """Return what this request is known by, however often its event is delivered: 12 hexadecimal digits."""
        parts = (
            self.repository.lower(), str(self.number), str(self.comment or ""), self.comment_kind or "",
            self.verb or "", self.instruction, self.occasion,
        )  # fmt: skip
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def writes_code(self) -> bool:
        """Whether this asks for a change of the code."""
        return self.verb not in ("review", "explain", "plan", "stop", "help")
