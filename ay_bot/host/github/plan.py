"""Plans: `@ay plan` shows one with its hash, and `@ay approve HASH` runs exactly the text that has that hash."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from ay_bot.host.github.forge import Comment
from ay_bot.host.github.shown_text import show_block
from ay_bot.host.github.tracking_marker import Tracked, find_tracked
from ay_bot.protocol.conversation import Value

LONGEST_PLAN = 20_000
BEGIN = "<!-- ay-bot:plan -->"
END = "<!-- ay-bot:plan:end -->"
DIGITS = 12
PlanRule = Literal["no-hash", "unknown-hash", "not-proposed", "mismatch", "edited-later"]


class ApprovedPlan(Value):
    """The text that somebody approved, as it was shown, and the comment that showed it."""

    text: str
    hash: str
    comment: int
    requester: str


class PlanRefused(Value):
    """Why an approval counts for nothing, and what to do."""

    rule: PlanRule
    reason: str
    hint: str


def publish_plan(text: str) -> tuple[str, str]:
    """Return a model's plan as it is shown, and its hash: what is shown is what is approved and carried out."""
    shown = show_block(text, LONGEST_PLAN)
    return shown, hash_plan(shown)


def hash_plan(text: str) -> str:
    """Return 12 hexadecimal digits of the plan's text; line ends and trailing blanks don't count."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    normal = "\n".join(line.rstrip() for line in lines).strip()
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def plan_section(shown: str, digest: str, mention: str) -> str:
    """Return the part of the tracking comment that proposes a plan."""
    how = f"Nothing was changed yet. To have exactly this done, say `@{mention} approve {digest}`."
    quoted = "\n".join(f"> {line}".rstrip() for line in shown.split("\n"))
    return f"**Plan `{digest}`**\n\n{BEGIN}\n\n{quoted}\n\n{END}\n\n{how}"


def read_plan(body: str) -> str | None:
    """Return the plan's text out of a comment, None where there isn't exactly one in the form of `plan_section`."""
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    if body.count(BEGIN) != 1 or body.count(END) != 1:
        return None
    found = re.search(rf"^{re.escape(BEGIN)}$(.*)^{re.escape(END)}$", body, re.DOTALL | re.MULTILINE)
    lines = found[1].strip("\n").split("\n") if found else []
    if not lines or not all(line == ">" or line.startswith("> ") for line in lines):
        return None
    return "\n".join(line[2:] for line in lines)


def approve(instruction: str, comments: Iterable[Comment], own: str, made: datetime) -> ApprovedPlan | PlanRefused:
    """Return the plan that `@ay approve HASH` means, out of the comments of the same thread.

    `made` is the approval's moment: a plan that was changed after it is not what was approved.
    """
    again = "ask for a plan again, and approve the one that you read"
    given = instruction.split(maxsplit=1)[0].strip("`'\"<>.").lower() if instruction.split() else ""
    if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", given):
        reason = "the approval names no plan"
        return PlanRefused(rule="no-hash", reason=reason, hint="write the hash that stands beside the plan")
    tracked = next((each for each in find_tracked(comments, own) if each.plan == given), None)
    if not tracked:
        reason = f"no plan on this thread has the hash {given}"
        return PlanRefused(rule="unknown-hash", reason=reason, hint=again)
    return _approve(tracked, given, made, again)


def _approve(tracked: Tracked, given: str, made: datetime, again: str) -> ApprovedPlan | PlanRefused:
    if tracked.state != "done":
        return PlanRefused(rule="not-proposed", reason=f"the plan {given} was never finished", hint=again)
    text = read_plan(tracked.comment.body)
    if text is None or hash_plan(text) != given:
        reason = f"the plan's text is no longer the one with the hash {given}: somebody edited the comment"
        return PlanRefused(rule="mismatch", reason=reason, hint=again)
    if tracked.comment.edited and tracked.comment.edited > made:
        reason = "the comment with the plan was edited after the approval"
        return PlanRefused(rule="edited-later", reason=reason, hint=again)
    return ApprovedPlan(text=text, hash=given, comment=tracked.comment.id, requester=tracked.requester)
