"""Where a branch was at a moment, by GitHub's record of pushes; commits tell what their authors want them to."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from ay_bot.host.github.api_answers import Answer


class PushAnswer(Answer):
    """One change of a branch."""

    before: str
    after: str
    ref: str
    timestamp: datetime


def head_before(pushes: Sequence[PushAnswer], head: str, moment: datetime) -> str | None:
    """Return where a branch was just before a moment.

    `pushes` are newest first. None where they don't lead without a gap from `head` back to that moment.
    """
    if not pushes or pushes[0].after != head:
        return None
    since = [push for push in pushes if push.timestamp >= moment]
    if not since:
        return head
    chain = pushes[: len(since)]
    whole = chain == since and all(newer.before == older.after for newer, older in pairwise(chain))
    before = since[-1].before
    return before if whole and before.strip("0") else None
