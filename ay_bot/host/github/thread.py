"""What a run is told of a thread: the task's text, fenced and labelled, and what was hidden in it."""

from ay_bot.protocol.conversation import Value


class HiddenText(Value):
    """Something that a reader of the page would not have seen: who wrote it, where, what it was, decoded."""

    author: str
    where: str
    kind: str
    decoded: str
    url: str = ""


class Snapshot(Value):
    """A thread as of a request's moment, ready for the agent.

    `head` is the commit that is worked on and `base_branch` where the change goes; `left_out` counts the comments
    that were written or edited after the request.
    """

    title: str
    text: str
    nonce: str
    head: str
    head_branch: str
    base_branch: str
    hidden: tuple[HiddenText, ...] = ()
    left_out: int = 0
