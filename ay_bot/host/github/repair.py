"""A tracking comment whose run can't end it any more is given a final state by somebody else; the rest of it stays."""

from ay_bot.host.github.exactly_once import repeat_lost
from ay_bot.host.github.forge import Forge
from ay_bot.host.github.shown_text import show_link, show_quote
from ay_bot.host.github.tracking_marker import State, Tracked, tracking_marker
from ay_bot.host.github.tracking_text import HEADERS, STOP_OFFER

LONGEST_REST = 50_000


def repair(forge: Forge, tracked: Tracked, state: State, reason: str, hint: str, run_url: str = "") -> None:
    """Put a comment into a final state and say why."""
    body = render_repaired(tracked, state, reason, hint, run_url)
    repeat_lost(lambda: forge.edit_comment(tracked.comment.id, body))


def render_repaired(tracked: Tracked, state: State, reason: str, hint: str, run_url: str = "") -> str:
    """Return the comment in its final state: what it told before stays, but for its header and what it offered.

    `hint` is in our own words, in Markdown.
    """
    asked = f" for @{tracked.requester}" if tracked.requester else ""
    link = show_link(run_url, "run")
    parts = [
        f"{HEADERS[state]}{asked}{f' · {link}' if link else ''}",
        f"**What happened:** {state} while {tracked.state}.",
        f"**Why:**\n{show_quote(reason, 1000)}",
        f"**What to do:** {hint}",
        _rest(tracked.comment.body),
    ]
    marker = tracking_marker(tracked.key, tracked.run, state, tracked.requester)
    return f"{marker.text}\n" + "\n\n".join(part for part in parts if part) + "\n"


def _rest(body: str) -> str:
    """Return a tracking comment without its marker, its header and the offer to stop."""
    lines = body.replace("\r\n", "\n").split("\n")[2:]
    kept = [line for line in lines if not (line.startswith(STOP_OFFER[0]) and line.endswith(STOP_OFFER[1]))]
    return "\n".join(kept).strip()[:LONGEST_REST]
