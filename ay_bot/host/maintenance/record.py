"""What is remembered of each chore from run to run, in the dashboard's hidden part; it may have been edited by hand."""

import base64
import binascii
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from ay_bot.protocol.conversation import Value

Outcome = Literal["published", "proven", "up_to_date", "nothing", "blocked", "failed"]
"""`proven` is what a job says that may not publish."""
MOST_CHORES = 200
MOST_KEYS = 50
LONGEST_REASON = 400
LONGEST_ADDRESS = 300
_STATE = re.compile(r"<!-- ay-bot:state ([A-Za-z0-9_=-]{1,60000}) -->")
_TICK = re.compile(r"^[ \t]*[-*] \[[xX]\] .*<!-- ay-bot:chore=([a-z0-9][a-z0-9-]{0,39}) -->[ \t]*$", re.MULTILINE)


class ChoreEnd(Value):
    """What came of a chore at one time. `keys` are what it was done for: not again, until that changes.

    `worked` is whether a model was asked, `same` whether nothing has changed since; `cost` is None where nobody knows.
    """

    outcome: Outcome
    reason: str
    hint: str = ""
    exit_code: int = 0
    worked: bool = False
    same: bool = False
    keys: tuple[str, ...] = ()
    url: str = ""
    branch: str = ""
    cost: float | None = 0.0

    @property
    def words(self) -> str:
        """Reason and hint in sentences."""
        return f"{self.reason.rstrip('.')}. {self.hint[:1].upper()}{self.hint[1:]}" if self.hint else self.reason


class ChoreRecord(Value):
    """A chore's last time, and what came of it; `log` is the address of the run that worked on it."""

    at: AwareDatetime
    outcome: Outcome
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    keys: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=MOST_KEYS)] = ()
    log: Annotated[str, Field(max_length=LONGEST_ADDRESS)] = ""


class Memory(Value):
    """All chores' records, by name."""

    chores: Annotated[dict[str, ChoreRecord], Field(max_length=MOST_CHORES)] = {}

    def after(self, name: str, end: ChoreEnd, now: datetime, *, due: bool, log: str = "") -> "Memory":
        """Return the memory with what came of a chore; its time moves only if it was due, or if anything is new."""
        before = self.chores.get(name)
        log = log[:LONGEST_ADDRESS] if end.worked or before is None else before.log
        record = ChoreRecord(
            at=now, outcome=end.outcome, reason=end.words[:LONGEST_REASON], keys=end.keys[-MOST_KEYS:], log=log
        )
        if before and not due and not end.worked and before == record.model_copy(update={"at": before.at}):
            return self
        return Memory(chores={**self.chores, name: record})

    def fitting(self, most: int) -> "Memory":
        """Return as much of the memory as fits into so many characters: times before words and keys."""
        if len(write_memory(self)) <= most:
            return self
        bare = {
            name: record.model_copy(update={"reason": "", "keys": (), "log": ""})
            for name, record in self.chores.items()
        }
        return Memory(chores=bare)

    def only(self, names: tuple[str, ...]) -> "Memory":
        """Return the memory without chores that are no longer there."""
        return Memory(chores={name: self.chores[name] for name in names if name in self.chores})


def write_memory(memory: Memory) -> str:
    """Return the memory as an HTML comment."""
    return f"<!-- ay-bot:state {base64.urlsafe_b64encode(memory.model_dump_json().encode()).decode()} -->"


def read_memory(body: str) -> Memory:
    """Return the memory of a dashboard; an empty one where it makes no sense."""
    found = _STATE.search(body)
    if not found:
        return Memory()
    try:
        return Memory.model_validate_json(base64.urlsafe_b64decode(found[1]))
    except (ValidationError, binascii.Error, ValueError):
        return Memory()


def read_ticks(body: str) -> frozenset[str]:
    """Return the chores whose box somebody has ticked."""
    return frozenset(_TICK.findall(body.replace("\r\n", "\n")))
