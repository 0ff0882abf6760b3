"""The words of the dashboard: each chore once, under what it needs of people, with a box that acts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ay_bot.host.config import CONFIG_FILE, Chore
from ay_bot.host.github.exactly_once import Marker
from ay_bot.host.github.forge import Pull
from ay_bot.host.github.shown_text import show_line, show_link
from ay_bot.host.maintenance.branches import is_branch_of
from ay_bot.host.maintenance.due import identify, next_time
from ay_bot.host.maintenance.record import LONGEST_REASON, ChoreRecord, Memory, Outcome, write_memory
from ay_bot.host.plain_text import shorten

TITLE = "ay-bot: maintenance"
MARKER = Marker(kind="dashboard", key="maintenance")
MOST_LINKS = 20
MOST_CHARACTERS, MOST_MEMORY = 30_000, 30_000
"""Of what is shown and of what is hidden; an issue takes 65,536 together."""
_HEAD = (
    f"The chores of `maintenance` in `{CONFIG_FILE}`. Tick a box to have a chore done when the workflow runs next; "
    "the box is empty again afterwards. Reopening a pull request that you closed takes back your no to it. "
    "This issue is kept up to date whether it is open or closed, and is never opened again by ay-bot."
)
_SECTIONS: Mapping[str, str] = {
    "failed": "## Failed",
    "blocked": "## Blocked",
    "open": "## Pull requests open",
    "": "## Nothing to look at",
    "never": "## Not done yet",
}
_WORDS: Mapping[Outcome, str] = {
    "published": "a pull request was made",
    "proven": "a change was made and proven",
    "up_to_date": "its pull request is up to date",
    "nothing": "nothing to do",
    "blocked": "blocked",
    "failed": "failed",
}


def render_dashboard(
    repository: str, chores: Sequence[Chore], memory: Memory, pulls: Sequence[Pull], ticks: frozenset[str]
) -> str:
    """Return the issue's body without its first line, which is the marker."""
    sections: dict[str, list[str]] = {name: [] for name in _SECTIONS}
    for chore in chores:
        record = memory.chores.get(chore.name)
        own = [pull for pull in pulls if is_branch_of(pull.head_branch, chore.name)]
        lines = _render_chore(repository, chore, record, own, ticked=chore.name in ticks)
        sections[_place(record, own)].append("\n".join(lines))
    parts = [_HEAD, *("\n\n".join([_SECTIONS[name], "\n".join(each)]) for name, each in sections.items() if each)]
    text = shorten("\n\n".join(parts), MOST_CHARACTERS)
    return f"{text}\n\n{write_memory(memory.fitting(MOST_MEMORY))}\n"


def describe_end(outcome: Outcome, reason: str) -> str:
    """Return one line on what came of a chore."""
    return f"{_WORDS[outcome]}{f': {show_line(reason, LONGEST_REASON)}' if reason else ''}"


def _place(record: ChoreRecord | None, pulls: Sequence[Pull]) -> str:
    if record is None:
        return "never"
    if record.outcome in ("failed", "blocked"):
        return record.outcome
    return "open" if pulls else ""


def _render_chore(
    repository: str, chore: Chore, record: ChoreRecord | None, pulls: Sequence[Pull], *, ticked: bool
) -> Iterator[str]:
    box = "x" if ticked else " "
    yield f"- [{box}] run now: **{chore.name}** ({chore.kind.replace('_', ' ')}) <!-- ay-bot:chore={chore.name} -->"
    if record:
        log = show_link(record.log, "log")
        yield f"  - last: {_show_time(record.at)}, {describe_end(record.outcome, record.reason)}{log and f' ({log})'}"
    if links := [link for pull in pulls[:MOST_LINKS] if (link := show_link(pull.url, f"#{pull.number}"))]:
        yield f"  - open: {', '.join(links)}"
    yield f"  - next: {_show_next(repository, chore, record)}"


def _show_next(repository: str, chore: Chore, record: ChoreRecord | None) -> str:
    if chore.schedule is None:
        return "only when asked for"
    if record is None:
        return "at the next run of the workflow"
    coming = next_time(chore.schedule, record.at, identify(repository, chore.name))
    return f"at the first run of the workflow after {_show_time(coming)}" if coming else "never, by its schedule"


def _show_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
