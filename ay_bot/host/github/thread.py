"""What a run is told of a thread: passages with their trust, what was hidden in them, and the commits worked on."""

from ay_bot.host.github.forge import ThreadKind
from ay_bot.host.sanitize_blocks import Trust
from ay_bot.protocol.conversation import Value


class HiddenText(Value):
    """Something that a reader of the page would not have seen: who wrote it, where, what it was, decoded.

    `decoded` is one printable line, but still the words of whoever hid it: it is fenced or escaped when shown.
    """

    author: str
    where: str
    kind: str
    decoded: str
    url: str = ""
    count: int = 1
    length: int = 0
    """How many such places there are, and how many characters they had together."""


class Passage(Value):
    """Words of somebody on a thread, as written; `where` says where, for people and for the model."""

    trust: Trust
    author: str
    where: str
    text: str
    opens: bool = False
    """Whether it is title or body, rather than something said later."""
    url: str = ""
    hunk: str = ""
    """The part of the diff that the words are about."""
    place: str = ""
    """Where the API has them, below the repository."""


class Picture(Value):
    """An image that a passage shows. `mark` stands in its place in a text until it is known what becomes of it.

    `address` and `words` are as their author wrote them.
    """

    mark: str
    address: str
    trust: Trust
    author: str
    where: str
    place: str = ""


class Snapshot(Value):
    """A thread as of a request's moment, ready for the agent.

    `head` is the commit that is worked on and `base_branch` where the change goes; `left_out` counts the comments
    that were written or edited after the request. `text` is the whole thread in fenced blocks of `nonce`, without the
    request itself; ay_bot.host.github.task_text puts that before it.
    """

    title: str
    text: str
    nonce: str
    head: str
    head_branch: str
    base_branch: str
    hidden: tuple[HiddenText, ...] = ()
    left_out: int = 0
    thread: ThreadKind = "issue"
    number: int = 0
    base: str = ""
    """The commit of the base branch; the same as `head` where the thread is an issue."""
    head_repository: str = ""
    """Where the head branch is: another repository than the thread's for a fork, empty where that is gone."""
    pictures: tuple[Picture, ...] = ()
    """The images whose marks are in `text`."""
