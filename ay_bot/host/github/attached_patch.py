"""A proven change that can't be pushed: the patch in a comment, said plainly, with the commands that apply it."""

import time

from ay_bot.errors import GithubFailed
from ay_bot.host.checks import CheckedPatch
from ay_bot.host.github.exactly_once import Marker, Pause, comment_once
from ay_bot.host.github.forge import Forge
from ay_bot.host.github.publication import NotPublished, Occasion
from ay_bot.host.github.pull_text import render_origin
from ay_bot.host.plain_text import fence
from ay_bot.host.pull_request import PullRequestText

LONGEST_DIFF = 40_000  # characters; a comment takes 65,536
LONGEST_COMMENT = 60_000
PATCH = "patch"
"""The kind of the marker in the comment."""


def attach_patch(
    forge: Forge,
    occasion: Occasion,
    checked: CheckedPatch,
    text: PullRequestText,
    refusal: NotPublished,
    *,
    pause: Pause = time.sleep,
) -> NotPublished:
    """Write the comment once; without a thread, or where that fails too, the run's own files are what is left."""
    if occasion.number is None:
        return refusal
    body = render_patch(occasion, checked, text, refusal)
    marker = Marker(kind=PATCH, key=occasion.key)
    try:
        comment, _ = comment_once(forge, occasion.number, marker, body, pause=pause)
    except GithubFailed as failure:
        note = f"The patch could not be put into a comment either: {failure.message}. It is in the run's files."
        return refusal.model_copy(update={"notes": (*refusal.notes, note)})
    return refusal.model_copy(update={"comment": comment.url})


def render_patch(occasion: Occasion, checked: CheckedPatch, text: PullRequestText, refusal: NotPublished) -> str:
    """Return the comment's text."""
    proof = next((section for section in text.sections if section.startswith("## How this was verified")), "")
    parts = (
        f"The change is made and its tests pass, but there is no pull request: {refusal.reason}.",
        refusal.hint,
        _render_commands(checked),
        _render_diff(checked.patch.diff),
        render_origin(occasion.model_copy(update={"closes": None, "number": None})),
        proof,
    )
    kept: list[str] = []
    for part in parts:
        if part and sum(map(len, kept)) + len(part) < LONGEST_COMMENT:
            kept.append(part)
    return "\n\n".join(kept) + "\n"


def _render_commands(checked: CheckedPatch) -> str:
    commands = f"git switch --detach {checked.patch.base}\ngit apply --index change.diff"
    return f"To apply it:\n\n{fence(commands, 'sh')}"


def _render_diff(diff: bytes) -> str:
    try:
        text = diff.decode()
    except UnicodeDecodeError:
        return "The patch is not text; `change.diff` is among the run's files."
    if len(text) > LONGEST_DIFF:
        return f"The patch has {len(text)} characters, too many for a comment; `change.diff` is among the run's files."
    return f"<details><summary>change.diff</summary>\n\n{fence(text, 'diff')}\n\n</details>"
