"""The one issue that shows people how maintenance goes, and through which they ask for a chore.

It is also maintenance's memory, so that nothing is done before it is there. A person may close it: it is kept up to
date all the same, and never opened again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ay_bot.errors import AyBotError, GithubFailed
from ay_bot.host.config import Chore
from ay_bot.host.github.exactly_once import Pause, is_own, issue_once, repeat_lost
from ay_bot.host.github.forge import Forge
from ay_bot.host.github.opening import list_own_open
from ay_bot.host.maintenance.dashboard_text import MARKER, TITLE, render_dashboard
from ay_bot.host.maintenance.record import ChoreEnd, Memory, read_memory, read_ticks


@dataclass
class Dashboard:
    """The issue. `ticks` are the boxes that were ticked when it was read; without a `number` nothing is written.

    `forge` writes it; `publishing` is the account that has the pull requests.
    """

    forge: Forge
    publishing: Forge
    chores: Sequence[Chore]
    number: int | None
    memory: Memory
    ticks: frozenset[str]
    pause: Pause = time.sleep
    _done: set[str] = field(default_factory=set)

    def record(self, chore: Chore, end: ChoreEnd, now: datetime, *, due: bool, log: str = "") -> None:
        """Remember what came of a chore, and show it."""
        self._done.add(chore.name)
        self.memory = self.memory.after(chore.name, end, now, due=due, log=log)
        self.show()

    def show(self) -> None:
        """Write what is known, if that changes anything; boxes that were ticked in the meantime stay ticked."""
        if (number := self.number) is None:
            return
        there = _normal(self.forge.issue(number).body)
        ticks = read_ticks(there) - self._done
        body = _body(self, ticks)
        if _normal(body) != there:
            repeat_lost(lambda: self.forge.edit_issue(number, body=body), pause=self.pause)


def open_dashboard(forge: Forge, publishing: Forge, chores: Sequence[Chore], *, pause: Pause = time.sleep) -> Dashboard:
    """Find the dashboard or make it. Raises GithubFailed where there can be none: nothing would be remembered then."""
    body = render_dashboard(forge.repository, chores, Memory(), (), frozenset())
    try:
        issue, _ = issue_once(forge, MARKER, TITLE, body, pause=pause)
    except GithubFailed as refusal:
        what = f"the issue that is maintenance's memory can't be found or opened: {refusal.message}"
        raise _as(refusal, what) from None
    memory = read_memory(issue.body).only(tuple(chore.name for chore in chores))
    return Dashboard(forge, publishing, chores, issue.number, memory, read_ticks(issue.body), pause)


def read_dashboard(forge: Forge, chores: Sequence[Chore]) -> Dashboard:
    """Return the dashboard as a job knows it that may not write."""
    own = forge.own_login()
    mine = forge.issues(creator=own, state="all")
    body = next((each.body for each in mine if is_own(each.author.login, own) and MARKER.begins(each.body)), "")
    return Dashboard(forge, forge, chores, None, read_memory(body), read_ticks(body))


def _as(refusal: GithubFailed, message: str) -> AyBotError:
    return GithubFailed(message, hint=refusal.hint or "turn on issues, and give the job `issues: write`")


def _body(board: Dashboard, ticks: frozenset[str]) -> str:
    pulls = list_own_open(board.publishing)
    text = render_dashboard(board.forge.repository, board.chores, board.memory, pulls, ticks)
    return f"{MARKER.text}\n{text}"


def _normal(body: str) -> str:
    return body.replace("\r\n", "\n").strip()
