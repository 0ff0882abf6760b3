"""The tracking comment's text: what is known of a request goes in as a frozen value, Markdown comes out."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from ay_bot.host.github.exactly_once import Marker
from ay_bot.host.github.plan import plan_section
from ay_bot.host.github.shown_text import show_duration, show_line, show_link, show_quote
from ay_bot.host.github.thread import HiddenText
from ay_bot.host.github.tracking_marker import FINAL, State, tracking_marker
from ay_bot.host.github.verification_table import code, render_verification
from ay_bot.host.report import Verification, Withheld
from ay_bot.protocol.conversation import Usage, Value

MOST_ITEMS = 20
MOST_ROWS = 20
MOST_LINES = 10
HEADERS: dict[State, str] = {
    "queued": "⏳ **Queued**",
    "planning": "🔎 **Planning**",
    "working": "⚙️ **Working**",
    "verifying": "🧪 **Verifying**",
    "publishing": "📤 **Publishing**",
    "done": "✅ **Done**",
    "blocked": "🚧 **Blocked**",
    "failed": "❌ **Failed**",
    "cancelled": "⏹️ **Cancelled**",
}
STOP_OFFER = ("Say `@", " stop` to end this.")
_TASK_ITEM = re.compile(r"^[ \t]{0,6}[-*+] \[(?P<mark>[ xX])\] (?P<text>\S.*)$", re.MULTILINE)


class PlanItem(Value):
    """One item of the agent's checklist, in its words."""

    text: str
    done: bool = False


class Story(Value):
    """All that a tracking comment tells. Texts are as they came; rendering makes them harmless."""

    key: str
    run: str
    run_url: str = ""
    requester: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9_-]{1,100}(?:\[bot\])?)?$")] = ""
    verb: str = ""
    mention: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,39}$")] = "ay"
    state: State = "queued"
    reached: State = "queued"
    """The last state before a final one."""
    plan: tuple[PlanItem, ...] = ()
    proposal: str = ""
    """The plan to approve, fit to be shown, where one was asked for; its hash is `proposal_hash`."""
    proposal_hash: str = ""
    verification: Verification | None = None
    usage: Usage = Usage()
    max_cost: float = 0.0
    max_tokens: int = 0
    step: int = 0
    blocked: tuple[str, ...] = ()
    """What was asked for and not done: outputs that were denied, requests that were refused."""
    withheld: tuple[Withheld, ...] = ()
    hidden: tuple[HiddenText, ...] = ()
    left_out: int = 0
    notices: tuple[str, ...] = ()
    url: str = ""
    """Of the pull request."""
    branch: str = ""
    reason: str = ""
    hint: str = ""

    @property
    def gist(self) -> "Story":
        """Return the story without what changes all the time."""
        return self.model_copy(update={"usage": Usage(), "step": 0})

    @property
    def marker(self) -> Marker:
        """Return the marker by which the comment is found again."""
        return tracking_marker(self.key, self.run, self.state, self.requester, self.proposal_hash)


def render_comment(story: Story, elapsed: float) -> str:
    """Return the whole comment, the marker first."""
    body = "\n\n".join(part for part in _parts(story, elapsed) if part)
    return f"{story.marker.text}\n{body}\n"


def parse_checklist(text: str) -> tuple[PlanItem, ...]:
    """Return the checklist in an agent's words, if there is one of at least two items."""
    found = [PlanItem(text=each["text"], done=each["mark"] != " ") for each in _TASK_ITEM.finditer(text[:20_000])]
    return tuple(found[:MOST_ITEMS]) if len(found) > 1 else ()


def _parts(story: Story, elapsed: float) -> Iterator[str]:
    yield _render_header(story, elapsed)
    yield _render_ending(story)
    yield plan_section(story.proposal, story.proposal_hash, story.mention) if story.proposal else ""
    yield "\n".join(f"- [{'x' if item.done else ' '}] {show_line(item.text, 160)}" for item in story.plan[:MOST_ITEMS])
    yield render_verification(story.verification, MOST_ROWS) if story.verification else ""
    yield _render_spending(story, elapsed)
    yield _bullets(
        "Not done, though it was asked for:", [show_line(each, mention=story.mention) for each in story.blocked]
    )
    yield _bullets("Withheld:", [f"{code(path.path)}: {show_line(path.rule)}" for path in story.withheld])
    yield _render_hidden(story)
    yield _bullets("Notes:", [show_line(notice) for notice in story.notices])
    yield _render_commands(story)


def _render_header(story: Story, elapsed: float) -> str:
    asked = f" for @{story.requester}" if story.requester else ""
    facts = [
        f"{HEADERS[story.state]}{asked}",
        "" if story.state == "queued" else show_duration(elapsed),
        show_link(story.run_url, "run"),
        show_link(story.url, "pull request"),
        code(story.branch) if story.branch else "",
    ]
    return " · ".join(fact for fact in facts if fact)


def _render_ending(story: Story) -> str:
    if story.state not in FINAL:
        return ""
    if story.state == "done":
        return show_quote(story.reason, 2000)
    doing = f" while {story.reached}" if story.reached not in (*FINAL, "queued") else " before the work began"
    said = f"**What happened:** {story.state}{doing}."
    why = f"**Why:**\n{show_quote(story.reason, 4000)}" if story.reason else ""
    todo = f"**What to do:** {show_line(story.hint or _default_hint(story), 1000, mention=story.mention)}"
    return "\n\n".join(part for part in (said, why, todo) if part)


def _default_hint(story: Story) -> str:
    if story.state == "cancelled":
        return "nothing, or ask again."
    return "read the log of the run, then ask again with what was missing."


def _render_spending(story: Story, elapsed: float) -> str:
    usage = story.usage
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.2f}"
    of_cost = f" of ${story.max_cost:.2f}" if story.max_cost else ""
    of_tokens = f" of {story.max_tokens:,}" if story.max_tokens else ""
    tokens = usage.prompt_tokens + usage.completion_tokens
    parts = [f"{cost}{of_cost}", f"{tokens:,}{of_tokens} tokens", show_duration(elapsed)]
    parts += [f"step {story.step}"] if story.step and story.state not in FINAL else []
    return f"`{' · '.join(parts)}` · {len(story.blocked)} blocked requests"


def _render_hidden(story: Story) -> str:
    lines = [
        f"- by {code(each.author, 100)} in {code(each.where, 100)}, {code(each.kind, 40)}: {code(each.decoded, 300)}"
        for each in story.hidden[:MOST_LINES]
    ]
    if len(story.hidden) > MOST_LINES:
        lines.append(f"- and {len(story.hidden) - MOST_LINES} more")
    parts = ["⚠️ **Hidden text** on this thread, which readers don't see; the model was not given it:", *lines]
    told = "\n".join(parts) if lines else ""
    left = (
        f"{story.left_out} comments were written or edited after the request, and left out." if story.left_out else ""
    )
    return "\n\n".join(part for part in (told, left) if part)


def _bullets(title: str, lines: list[str]) -> str:
    shown = [f"- {line}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"- and {len(lines) - MOST_LINES} more")
    return "\n".join([f"**{title}**", *shown]) if shown else ""


def _render_commands(story: Story) -> str:
    name = story.mention
    if story.state not in FINAL:
        return name.join(STOP_OFFER)
    if story.state == "done":
        offers = [f"`@{name} approve {story.proposal_hash}`"] if story.proposal else []
        offers += [f"`@{name} retry`"] if story.url else []
        return f"Next: {', '.join([*offers, f'`@{name} help`'])}, or write what should be different after `@{name}`."
    return f"Next: `@{name} retry`, `@{name} help`, or write what should be different after `@{name}`."
